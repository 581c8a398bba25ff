/** @file A row of a data file, whatever the file's format: its fields, or why it has none. */

import { DataError } from "../base/errors.ts";

/**
 * A row with the line it begins on, from 1; in formats without lines (JSON lists, Parquet) the row's number. A row that cannot be read is handed
 * on as its error, for the reader to stop at or to count.
 */
export type FileRow = { line: number; fields: Record<string, unknown> } | { line: number; error: DataError };

/** Stands in a row for a value of a column that cannot be read: it concerns whoever uses the column. In JSON it is null. */
export class UnreadableValue {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }

  toJSON(): null {
    return null;
  }
}

/** A JSON value as a row. */
export function objectRow(value: unknown, line: number, place: string): FileRow {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return { line, fields: value as Record<string, unknown> };
  const error = new DataError({
    place,
    expected: "an object with named fields",
    got: Array.isArray(value)
      ? "a list"
      : typeof value === "object"
        ? "null"
        : `the ${typeof value} ${String(value).slice(0, 60)}`,
    remedy: 'Write each row as {"field": value, …}.',
  });
  return { line, error };
}
