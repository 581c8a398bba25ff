/** @file Rows of a data file by the ending of its name: .jsonl .ndjson .json .csv .tsv, each also with .gz, and .parquet. */

import { basename } from "node:path";
import { DataError, SpecError } from "../base/errors.ts";
import { parseJson } from "../base/json-text.ts";
import { csvRows } from "./csv.ts";
import { delimiterOf } from "./csv-delimiter.ts";
import { readText } from "./files.ts";
import { jsonlRows } from "./jsonl.ts";
import { type ParquetOptions, parquetColumns, parquetRows } from "./parquet.ts";
import { type FileRow, objectRow } from "./row.ts";

/** How a file is read. */
export interface RowFileOptions {
  /** Of .csv and .tsv: false where a quote is a character like any other. Default true. */
  quotes?: boolean | undefined;
  /** Of .parquet: the columns that are wanted. Default: all that can be read. */
  columns?: readonly string[] | undefined;
  /** Numbers as JavaScript has them, for readers that know what a column holds. Default: as the file says them. */
  asNumbers?: boolean | undefined;
}

/**
 * The rows of a file in batches, never more of it in memory than a batch (a row group of Parquet; .json, being one value, is read whole).
 * A row that cannot be read is handed on as its error.
 *
 * @throws {SpecError} another ending
 * @throws {DataError} missing, unreadable, truncated; text that is not UTF-8; a header that names a column twice; a quote that is never closed
 */
export function readRows(path: string, options: RowFileOptions = {}): AsyncGenerator<FileRow[]> {
  const { quotes, columns, asNumbers } = options;
  const [, ending, packed] = /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$/i.exec(path.toLowerCase()) ?? [];
  if (ending === undefined || (ending === "parquet" && packed !== undefined)) {
    throw new SpecError({
      place: path,
      expected: "a file that ends in .jsonl, .json, .csv or .tsv, or one of these with .gz, or in .parquet",
      got: basename(path),
      remedy: "Save the rows in one of these forms.",
    });
  }
  if (ending === "parquet") return parquetFileRows(path, { columns, asNumbers });
  const parse = asNumbers ? JSON.parse : parseJson;
  if (ending === "json") return jsonRows(path, parse);
  if (ending === "tsv") return csvRows(path, { delimiter: "\t", ...(quotes !== undefined && { quotes }) });
  if (ending === "csv") return csvFileRows(path, quotes);
  return jsonlRows(path, parse);
}

/** Names of the columns that a file says before its rows, as .parquet does; none else. @throws {DataError} as {@link readRows} */
export async function namedColumns(path: string): Promise<string[]> {
  return /\.parquet$/i.test(path) ? parquetColumns(path) : [];
}

/** Whether a cell of a .tsv looks like rows that a quote has taken in. */
export function holdsRows(row: FileRow, path: string): boolean {
  if ("error" in row || !TSV.test(path)) return false;
  return Object.values(row.fields).some((cell) => typeof cell === "string" && /\n/.test(cell) && cell.includes("\t"));
}

const TSV = /\.tsv(\.gz)?$/i;

/**
 * Whether a file is a .tsv whose quotes are characters like any other: as quotes they would take in rows, or stand where none may, and without them
 * every row is whole.
 */
export async function hasPlainQuotes(path: string): Promise<boolean> {
  const isAny = async (quotes: boolean, holds: (row: FileRow) => boolean) => {
    try {
      for await (const rows of readRows(path, { quotes })) if (rows.some(holds)) return true;
      return false;
    } catch (error) {
      if (error instanceof DataError) return true;
      throw error;
    }
  };
  if (!TSV.test(path) || !(await isAny(true, (row) => holdsRows(row, path)))) return false;
  return !(await isAny(false, (row) => "error" in row));
}

/** All rows of a file. @throws {DataError} also for a row that cannot be read; else as {@link readRows} */
export async function readAllRows(
  path: string,
  options: RowFileOptions = {},
): Promise<{ line: number; fields: Record<string, unknown> }[]> {
  const all: { line: number; fields: Record<string, unknown> }[] = [];
  for await (const rows of readRows(path, options)) {
    for (const row of rows) {
      if ("error" in row) throw row.error;
      all.push(row);
    }
  }
  return all;
}

/** A .csv by the delimiter that its first rows show: spreadsheets write ; where a comma is for decimals. */
async function* csvFileRows(path: string, quotes = true): AsyncGenerator<FileRow[]> {
  yield* csvRows(path, { delimiter: await delimiterOf(path, quotes), quotes });
}

async function* parquetFileRows(path: string, options: ParquetOptions): AsyncGenerator<FileRow[]> {
  for await (const rows of parquetRows(path, options))
    yield rows.map(({ row, value }) => ({ line: row, fields: value }));
}

/** A JSON file's list; its elements are numbered from 1, as lines say nothing there. */
async function* jsonRows(path: string, parse: (text: string) => unknown): AsyncGenerator<FileRow[]> {
  const list = jsonList(readText(path), path, parse);
  yield list.map((element, i) => objectRow(element, i + 1, `${path}:${i + 1}`));
}

function jsonList(text: string, path: string, parse: (text: string) => unknown): unknown[] {
  const expected = "a JSON list of rows";
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const got =
      cause instanceof Error ? `text that is not JSON (${cause.message.slice(0, 100)})` : "text that is not JSON";
    throw new DataError({
      place: path,
      expected,
      got,
      remedy: "Fix the file. Rows in lines belong in a file named .jsonl.",
      cause,
    });
  }
  if (Array.isArray(value)) return value;
  throw new DataError({ place: path, expected, got: typeof value, remedy: "Write the rows as one list." });
}
