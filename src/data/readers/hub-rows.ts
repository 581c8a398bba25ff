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
  { variant, notes }: ReadContext,
): Promise<SplitRecords<R>> {
  const records: SplitRecords<R> = {};
  for (const [split, named] of Object.entries(source.splits) as [Split, string][]) {
    const paths = files.splits[named];
    if (paths === undefined && source.mayLack?.includes(split)) {
      notes.push(`${files.repo} has no split ${named}: ${split} is carved from the other rows.`);
      continue;
    }
    const { numbered, numRepeats } = await readSplit(source, named, paths ?? [], files.repo, { variant, notes });
    records[split] = numbered;
    if (numRepeats > 0) {
      const all = numbered.length + numRepeats;
      notes.push(
        `${files.repo} ${named}: ${all} rows ask ${numbered.length} things in several wordings; each is kept once.`,
      );
    }
  }
  if (source.caveat !== undefined) notes.push(`${files.repo}: ${source.caveat}`);
  return records;
}

async function readSplit<R>(
  { columns, isRepetitive = false, records }: HubSource<R>,
  split: string,
  paths: readonly string[],
  repo: string,
  context: ReadContext,
): Promise<{ numbered: Numbered<R>[]; numRepeats: number }> {
  const numbered: Numbered<R>[] = [];
  let numRepeats = 0;
  let last: string | undefined;
  for await (const { number, fields } of rowsOf(columns, paths, `${repo} ${split}`)) {
    const made = records(fields, `${repo} ${split}#${number}`, context);
    const key = isRepetitive ? JSON.stringify(made) : undefined;
    if (key !== undefined && key === last) {
      numRepeats++;
      continue;
    }
    last = key;
    for (const [i, record] of made.entries())
      numbered.push({ number: made.length === 1 ? number : `${number}.${i + 1}`, record });
  }
  return { numbered, numRepeats };
}

/** Rows of all files of a split, numbered through from 1, their columns under the names that the task gives them. */
async function* rowsOf(
  columns: HubSource<unknown>["columns"],
  paths: readonly string[],
  place: string,
): AsyncGenerator<{ number: number; fields: Record<string, unknown> }> {
  let number = 0;
  for (const path of paths) {
    let renamed: [name: string, there: string][] | undefined;
    for await (const batch of readRows(path, { asNumbers: true })) {
      for (const row of batch) {
        if ("error" in row) throw row.error;
        renamed ??= otherNames(columns, Object.keys(row.fields), place);
        number++;
        const named = Object.fromEntries(renamed.map(([name, there]) => [name, row.fields[there]]));
        yield { number, fields: renamed.length === 0 ? row.fields : { ...row.fields, ...named } };
      }
    }
  }
}

/** The columns that a file has under another name. @throws {DataError} a column that it has under none */
function otherNames(
  columns: HubSource<unknown>["columns"],
  there: readonly string[],
  place: string,
): [name: string, there: string][] {
  const wanted = columns.map((column): readonly string[] => (typeof column === "string" ? [column] : column));
  const found = wanted.map((names) => {
    const inCase = names.find((name) => there.includes(name));
    return inCase ?? there.find((column) => names.some((name) => name.toLowerCase() === column.toLowerCase()));
  });
  if (found.includes(undefined)) {
    throw new DataError({
      place,
      expected: `the columns ${wanted.map((names) => names.join(" or ")).join(", ")}`,
      got: there.join(", "),
      remedy:
        "The dataset is another one than the catalogue knows: use the publication's files (data_root), or describe it as your own data.",
    });
  }
  return wanted.flatMap(([name], i) => (found[i] === name ? [] : [[name!, found[i]!] as [string, string]]));
}
