/** @file JSON Lines: strict for data files, forgiving of one torn last line for append-only logs. */

import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { DataError } from "../base/errors.ts";
import { decodeUtf8, readBytes, writeAll, writeError } from "./files.ts";

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
    if (line.trim() === "") continue;
    try {
      lines.push({ line: number, value: JSON.parse(line) });
    } catch (error) {
      throw new DataError({
        place: `${place}:${number}`,
        expected: "one JSON value on the line",
        got: excerpt(line),
        remedy: "Put the line right, or remove it.",
        cause: error,
      });
    }
  }
  return lines;
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
