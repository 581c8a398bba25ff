/** @file CSV and TSV with a header row: read into rows by column name, written so that no spreadsheet takes a cell for a formula. */

import { parse } from "csv-parse/sync";
import { DataError } from "../base/errors.ts";

/** A row by column name, with the line it begins on, counted from 1 (the header is line 1). */
export interface CsvRow {
  line: number;
  row: Record<string, string>;
}

/**
 * Rows of a CSV text (RFC 4180: quotes, doubled quotes, line breaks in quotes; a byte order mark is dropped, blank lines are passed over).
 *
 * @param place      the file, for messages
 * @param delimiter  "\t" for TSV
 * @throws {DataError} no header, a column named twice, a row with more or fewer cells than the header, a quote that is never closed
 */
export function parseCsv(text: string, place: string, { delimiter = "," }: { delimiter?: string } = {}): CsvRow[] {
  const [header, ...records] = readRecords(text, place, delimiter);
  if (header === undefined) {
    throw new DataError({
      place,
      expected: "a header row with the names of the columns",
      got: "an empty file",
      remedy: "Add the header row.",
    });
  }
  const columns = header.cells;
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new DataError({
      place: `${place}:1`,
      expected: "each column named once",
      got: `two columns named "${twice}"`,
      remedy: "Rename one of them.",
    });
  }
  return records.map(({ line, cells }) => {
    if (cells.length !== columns.length) {
      throw new DataError({
        place: `${place}:${line}`,
        expected: `${columns.length} cells, as the header has`,
        got: `${cells.length}`,
        remedy: "Put the row right; a cell that holds a delimiter, a quote or a line break must stand in quotes.",
      });
    }
    return { line, row: Object.fromEntries(columns.map((name, i) => [name, cells[i] as string])) };
  });
}

function readRecords(text: string, place: string, delimiter: string): { line: number; cells: string[] }[] {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, {
      delimiter,
      bom: true,
      info: true,
      skip_empty_lines: true,
      relax_column_count: true,
    }) as unknown as typeof records;
  } catch (error) {
    const line = error instanceof Error && "lines" in error ? `:${error.lines}` : "";
    throw new DataError({
      place: `${place}${line}`,
      expected: "CSV with balanced quotes",
      got: error instanceof Error ? error.message : String(error),
      remedy: 'Double the quotes inside quoted cells ("") and quote every cell that holds one.',
      cause: error,
    });
  }
  return records.map(({ record, info }) => ({ line: info.lines - lineBreaks(record), cells: record }));
}

function lineBreaks(cells: string[]): number {
  let count = 0;
  for (const cell of cells) for (let at = cell.indexOf("\n"); at >= 0; at = cell.indexOf("\n", at + 1)) count++;
  return count;
}

/**
 * CSV text with a header. Text that a spreadsheet would run as a formula (leading = + - @, tab, carriage return) gets an apostrophe in front;
 * numbers are written as they are, and one that is not finite as an empty cell.
 */
export function formatCsv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [header, ...rows].map((row) => `${row.map(formatCell).join(",")}\n`).join("");
}

function formatCell(cell: string | number): string {
  if (typeof cell === "number") return Number.isFinite(cell) ? `${cell}` : "";
  const guarded = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\n\r]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
