/** @file A catalogue task's records from its dataset on the hub: the files are in the cache already, this reads them. */

import { DataError } from "../../base/errors.ts";
import { readRows } from "../../formats/row-file.ts";
import type { Split } from "../../specs/types.ts";
import type { HubSource, Numbered, ReadContext, SplitRecords } from "./definition.ts";

/** A dataset's files on this machine. */
export interface HubFiles {
  repo: string;
  /** Commit. */
  revision: string;
  /** Local paths by the hub's name of the split. */
  splits: Readonly<Record<string, readonly string[]>>;
}

/**
 * Reads the splits of a source.
 * @throws {DataError} a damaged file, a column that is not there, a row of another form than the task expects
 */
export async function readHubRecords<R>(
  source: HubSource<R>,
  files: HubFiles,
  context: ReadContext,
): Promise<SplitRecords<R>> {
  const records: SplitRecords<R> = {};
  for (const [split, named] of Object.entries(source.splits) as [Split, string][]) {
    const numbered: Numbered<R>[] = [];
    for await (const { number, fields } of rowsOf(source.columns, named, files)) {
      const place = `${files.repo} ${named}#${number}`;
      const made = source.records(fields, place, context);
      for (const [i, record] of made.entries())
        numbered.push({ number: made.length === 1 ? number : `${number}.${i + 1}`, record });
    }
    records[split] = numbered;
  }
  if (!source.isVerified) {
    context.notes.push(
      `${files.repo}: the catalogue's names of its splits and columns were not checked against the hub; look at some examples with mixtune tasks show.`,
    );
  }
  return records;
}

/** Rows of all files of a split, numbered through from 1. */
async function* rowsOf(
  columns: readonly string[],
  split: string,
  { repo, splits }: HubFiles,
): AsyncGenerator<{ number: number; fields: Record<string, unknown> }> {
  let number = 0;
  for (const path of splits[split] ?? []) {
    for await (const batch of readRows(path, { asNumbers: true })) {
      for (const row of batch) {
        if ("error" in row) throw row.error;
        if (number === 0) refuseMissing(columns, Object.keys(row.fields), `${repo} ${split}`);
        number++;
        yield { number, fields: row.fields };
      }
    }
  }
}

function refuseMissing(columns: readonly string[], there: readonly string[], place: string): void {
  const missing = columns.filter((column) => !there.includes(column));
  if (missing.length === 0) return;
  throw new DataError({
    place,
    expected: `the columns ${columns.join(", ")}`,
    got: there.join(", "),
    remedy:
      "The dataset is another one than the catalogue knows: use the publication's files (data_root), or describe it as your own data.",
  });
}
