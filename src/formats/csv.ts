/** @file CSV and TSV with a header row: read into rows by column name, written so that no spreadsheet takes a cell for a formula. */

import { pipeline, Readable } from "node:stream";
import { CsvError, type Options, parse as parseStream } from "csv-parse";
import { parse } from "csv-parse/sync";
import { DataError } from "../base/errors.ts";
import { MAX_ROW_BYTES, readTextPieces, tooLongRow } from "./pieces.ts";
import type { FileRow } from "./row.ts";

/** A row by column name, with the line it begins on, counted from 1 (the header is line 1). */
export interface CsvRow {
  line: number;
  row: Record<string, string>;
}

/** How a file is written. */
export interface CsvForm {
  /** "\t" for TSV. */
  delimiter?: string;
  /** Names of the columns of a file without a header row; absent: the first row is the header. */
  columns?: readonly string[];
  /** false for plain TSV, where a quote is a character like any other and no cell holds a line break. */
  quotes?: boolean;
  /** true: a quote inside a cell that does not begin with one is a character like any other, as Python's csv has it. */
  hasStrayQuotes?: boolean;
}

/**
 * Rows of a CSV text (RFC 4180: quotes, doubled quotes, line breaks in quotes; a byte order mark is dropped, blank lines are passed over).
 *
 * @param place  the file, for messages
 * @throws {DataError} no header, a column named twice, a row with more or fewer cells than the header, a quote that is never closed
 */
export function parseCsv(text: string, place: string, form: CsvForm = {}): CsvRow[] {
  const all = readRecords(text, place, form);
  const columns = form.columns ?? headerOf(all.shift()?.cells, place);
  return all.map(({ line, cells }) => rowOf(cells, columns, line, place));
}

/** Rows handed over together. */
const BATCH = 1000;

/**
 * {@link parseCsv} for a file of any size, in batches. A row with more or fewer cells than the header is its own error; a quote that is never
 * closed is the file's, as nobody knows where its row ends.
 *
 * @throws {DataError} as {@link parseCsv}; missing, unreadable, a broken .gz, bytes that are not UTF-8, a row of more than 64 MiB
 */
export async function* csvRows(path: string, form: CsvForm = {}): AsyncGenerator<FileRow[]> {
  let { columns } = form;
  let batch: FileRow[] = [];
  const parser = parseStream({ ...optionsOf(form), max_record_size: MAX_ROW_BYTES });
  // The callback is a must of pipeline; the error comes out of the loop.
  const records = pipeline(Readable.from(readTextPieces(path)), parser, () => {}) as AsyncIterable<CsvRecord>;
  try {
    for await (const { record, info } of records) {
      const line = info.lines - lineBreaks(record);
      if (columns === undefined) columns = headerOf(record, path);
      else batch.push(fileRowOf(record, columns, line, path));
      if (batch.length === BATCH) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    throw error instanceof CsvError ? csvError(error, path, OR_WITHOUT) : error;
  }
  if (columns === undefined) headerOf(undefined, path);
  yield batch;
}

function fileRowOf(cells: readonly string[], columns: readonly string[], line: number, path: string): FileRow {
  try {
    return { line, fields: rowOf(cells, columns, line, path).row };
  } catch (error) {
    if (error instanceof DataError) return { line, error };
    throw error;
  }
}

interface CsvRecord {
  record: string[];
  info: { lines: number };
}

function optionsOf({ delimiter = ",", quotes = true, hasStrayQuotes = false }: CsvForm): Options {
  return {
    delimiter,
    quote: quotes ? '"' : null,
    relax_quotes: hasStrayQuotes,
    bom: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
  };
}

function headerOf(cells: readonly string[] | undefined, place: string): readonly string[] {
  if (cells === undefined) {
    throw new DataError({
      place,
      expected: "a header row with the names of the columns",
      got: "an empty file",
      remedy: "Add the header row.",
    });
  }
  const twice = cells.find((name, i) => cells.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new DataError({
      place: `${place}:1`,
      expected: "each column named once",
      got: `two columns named "${twice}"`,
      remedy: "Rename one of them.",
    });
  }
  return cells;
}

function rowOf(cells: readonly string[], columns: readonly string[], line: number, place: string): CsvRow {
  if (cells.length !== columns.length) {
    throw new DataError({
      place: `${place}:${line}`,
      expected: `${columns.length} cells, as the header has`,
      got: `${cells.length}`,
      remedy: "Fix the row: a cell that holds a delimiter, a quote or a line break must stand in quotes.",
    });
  }
  return { line, row: Object.fromEntries(columns.map((name, i) => [name, cells[i] as string])) };
}

function readRecords(text: string, place: string, form: CsvForm): { line: number; cells: string[] }[] {
  let records: CsvRecord[];
  try {
    records = parse(text, optionsOf(form)) as unknown as CsvRecord[];
  } catch (error) {
    throw csvError(error, place);
  }
  return records.map(({ record, info }) => ({ line: info.lines - lineBreaks(record), cells: record }));
}

/** What else helps with a file that a study names. */
const OR_WITHOUT = ", or set data.quotes: false if quotes are characters like any other in this file";

function csvError(error: unknown, place: string, orElse = ""): DataError {
  const line = error instanceof Error && "lines" in error ? `:${error.lines}` : "";
  if (error instanceof CsvError && error.code === "CSV_MAX_RECORD_SIZE") return tooLongRow(`${place}${line}`);
  return new DataError({
    place: `${place}${line}`,
    expected: "CSV with balanced quotes",
    got: error instanceof Error ? error.message : String(error),
    remedy: `Double the quotes inside quoted cells ("") and quote every cell that holds one${orElse}.`,
    cause: error,
  });
}

function lineBreaks(cells: string[]): number {
  let count = 0;
  for (const cell of cells) for (let at = cell.indexOf("\n"); at >= 0; at = cell.indexOf("\n", at + 1)) count++;
  return count;
}

/** What a cell is written from. */
export type CsvCell = string | number;

/**
 * CSV text with a header. Text that a spreadsheet would run as a formula (leading = + - @, tab, carriage return) gets an apostrophe in front, unless
 * it is a plain number; numbers are written as they are, and one that is not finite as an empty cell.
 */
export function formatCsv(header: readonly string[], rows: readonly (readonly CsvCell[])[], delimiter = ","): string {
  return [header, ...rows].map((row) => `${csvCells(row, delimiter)}\n`).join("");
}

/** The cells of a row as {@link formatCsv} writes them, without the line break. */
export function csvCells(cells: readonly CsvCell[], delimiter: string): string {
  return cells.map((cell) => formatCell(cell, delimiter)).join(delimiter);
}

/** `-3.5%` is no formula. */
const PLAIN_NUMBER = /^[+-](?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?%?$/i;

function formatCell(cell: CsvCell, delimiter: string): string {
  if (typeof cell === "number") return Number.isFinite(cell) ? `${cell}` : "";
  const guarded = /^[=+\-@\t\r]/.test(cell) && !PLAIN_NUMBER.test(cell) ? `'${cell}` : cell;
  return /["\n\r]/.test(guarded) || guarded.includes(delimiter) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/**
 * Where the row that begins at a byte ends: the index behind its line break, -1 where it is not whole. Of text in which every quote is written by
 * {@link formatCsv}.
 */
export function csvRowEnd(bytes: Uint8Array, from: number): number {
  let isQuoted = false;
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === 0x22) isQuoted = !isQuoted;
    else if (bytes[at] === 0x0a && !isQuoted) return at + 1;
  }
  return -1;
}
