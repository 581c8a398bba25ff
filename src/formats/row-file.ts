/** @file Rows of a data file by the ending of its name: .jsonl .ndjson .json .csv .tsv, each also with .gz, and .parquet. */

import { basename } from "node:path";
import { DataError, SpecError } from "../base/errors.ts";
import { csvRows } from "./csv.ts";
import { readText } from "./files.ts";
import { jsonlRows } from "./jsonl.ts";
import { parquetRows } from "./parquet.ts";
import { type FileRow, objectRow } from "./row.ts";

/**
 * The rows of a file in batches, never more of it in memory than a batch (a row group of Parquet; .json, being one value, is read whole).
 * A row that cannot be read is handed on as its error.
 *
 * @throws {SpecError} another ending
 * @throws {DataError} missing, unreadable, truncated; text that is not UTF-8; a header that names a column twice; a quote that is never closed
 */
export function readRows(path: string): AsyncGenerator<FileRow[]> {
  const [, ending, packed] = /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$/i.exec(path.toLowerCase()) ?? [];
  if (ending === undefined || (ending === "parquet" && packed !== undefined)) {
    throw new SpecError({
      place: path,
      expected: "a file that ends in .jsonl, .json, .csv or .tsv, or one of these with .gz, or in .parquet",
      got: basename(path),
      remedy: "Save the rows in one of these forms.",
    });
  }
  if (ending === "parquet") return parquetFileRows(path);
  if (ending === "json") return jsonRows(path);
  if (ending === "csv" || ending === "tsv") return csvRows(path, { delimiter: ending === "tsv" ? "\t" : "," });
  return jsonlRows(path);
}

/** All rows of a file. @throws {DataError} also for a row that cannot be read; else as {@link readRows} */
export async function readAllRows(path: string): Promise<{ line: number; fields: Record<string, unknown> }[]> {
  const all: { line: number; fields: Record<string, unknown> }[] = [];
  for await (const rows of readRows(path)) {
    for (const row of rows) {
      if ("error" in row) throw row.error;
      all.push(row);
    }
  }
  return all;
}

async function* parquetFileRows(path: string): AsyncGenerator<FileRow[]> {
  for await (const rows of parquetRows(path)) yield rows.map(({ row, value }) => ({ line: row, fields: value }));
}

/** A JSON file's list; its elements are numbered from 1, as lines say nothing there. */
async function* jsonRows(path: string): AsyncGenerator<FileRow[]> {
  const list = jsonList(readText(path), path);
  yield list.map((element, i) => objectRow(element, i + 1, `${path}:${i + 1}`));
}

function jsonList(text: string, path: string): unknown[] {
  const expected = "a JSON list of rows";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const got =
      cause instanceof Error ? `text that is not JSON (${cause.message.slice(0, 100)})` : "text that is not JSON";
    throw new DataError({
      place: path,
      expected,
      got,
      remedy: "Put the file right; rows in lines belong in a file named .jsonl.",
      cause,
    });
  }
  if (Array.isArray(value)) return value;
  throw new DataError({ place: path, expected, got: typeof value, remedy: "Write the rows as one list." });
}
