/** @file JSON Lines: strict for data files, forgiving of one torn last line for append-only logs. */

import { isUtf8 } from "node:buffer";
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { DataError } from "../base/errors.ts";
import { parseJson } from "../base/json-text.ts";
import { decodeUtf8, readBytes, writeAll, writeError } from "./files.ts";
import { notUtf8, readLines, tooLongRow } from "./pieces.ts";
import { type FileRow, objectRow } from "./row.ts";

/** A value with the line it stood on, counted from 1. */
export interface JsonlLine {
  line: number;
  value: unknown;
}

/**
 * One JSON value per line; blank lines are passed over.
 *
 * @param place  the file, for messages
 * @throws {DataError} a line that is not JSON, named `place:line`
 */
export function parseJsonl(text: string, place: string): JsonlLine[] {
  const lines: JsonlLine[] = [];
  let number = 0;
  for (const line of text.split("\n")) {
    number++;
    if (line.trim() !== "") lines.push({ line: number, value: parseLine(line, `${place}:${number}`) });
  }
  return lines;
}

/**
 * The rows of a JSON Lines file of any size, in batches; blank lines are passed over. A line that is no object is its row's error.
 *
 * @param parse  by default with every number's own text
 * @throws {DataError} missing, unreadable, a broken .gz
 */
export async function* jsonlRows(
  path: string,
  parse: (text: string) => unknown = parseJson,
): AsyncGenerator<FileRow[]> {
  for await (const lines of readLines(path)) {
    const rows: FileRow[] = [];
    for (const { line, bytes } of lines) {
      const row = jsonlRow(bytes, line, `${path}:${line}`, parse);
      if (row !== null) rows.push(row);
    }
    yield rows;
  }
}

/** A line as a row; null for a blank one. */
function jsonlRow(bytes: Buffer | null, line: number, place: string, parse: (text: string) => unknown): FileRow | null {
  if (bytes === null) return { line, error: tooLongRow(place) };
  if (!isUtf8(bytes)) return { line, error: notUtf8(place) };
  const text = bytes.toString("utf8");
  if (text.trim() === "") return null;
  try {
    return objectRow(parseLine(text, place, parse), line, place);
  } catch (error) {
    if (error instanceof DataError) return { line, error };
    throw error;
  }
}

function parseLine(line: string, place: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(line);
  } catch (cause) {
    const notFinite = /[:,[]\s*(NaN|-?Infinity)\b/.exec(line)?.[1];
    throw new DataError({
      place,
      expected: "one JSON value on the line",
      got: notFinite === undefined ? excerpt(line) : `${notFinite}, which JSON does not have`,
      remedy: "Fix the line, or remove it.",
      cause,
    });
  }
}

/** One value per line, each line ended. Numbers that are not finite are left out of their object: JSON has none, and null would read as a value. */
export function formatJsonl(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value, withoutNonFinite)}\n`).join("");
}

/** `JSON.stringify` replacer that leaves out numbers that are not finite. */
export function withoutNonFinite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
}

/**
 * Adds one line to an append-only log. A last line that a killed writer left unfinished is cut off first, so that it never sticks to a new one.
 * @throws {WorkerError|DataError} as {@link writeError}
 */
export function appendLog(path: string, value: unknown): void {
  try {
    const fd = openSync(path, "a+");
    try {
      const torn = tornBytes(fd);
      if (torn > 0) ftruncateSync(fd, fstatSync(fd).size - torn);
      writeAll(fd, Buffer.from(formatJsonl([value])));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Bytes after the last line break. */
function tornBytes(fd: number): number {
  const { size } = fstatSync(fd);
  const piece = Buffer.alloc(4096);
  for (let end = size; end > 0; end -= piece.length) {
    const start = Math.max(0, end - piece.length);
    const got = readSync(fd, piece, 0, end - start, start);
    const at = piece.subarray(0, got).lastIndexOf(10);
    if (at >= 0) return size - (start + at + 1);
  }
  return size;
}

/**
 * Reads an append-only log; empty if there is none. A last line without its line break was cut by a kill and is left out.
 * @throws {DataError} any other line that is not JSON
 */
export function readLog(path: string): JsonlLine[] {
  if (!existsSync(path)) return [];
  const bytes = readBytes(path);
  return parseJsonl(decodeUtf8(bytes.subarray(0, bytes.lastIndexOf(10) + 1), path), path);
}

function excerpt(line: string): string {
  return line.length <= 60 ? line : `${line.slice(0, 60)}…`;
}
