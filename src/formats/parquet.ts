/** @file Parquet files as rows: flat and nested columns, one row group in memory at a time. Decoding is hyparquet's; what a hostile file may ask for is limited here. */

import { brotliDecompressSync, gunzipSync } from "node:zlib";
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors, decompressZstd } from "hyparquet-compressors";
import { DataError, MixtuneError } from "../base/errors.ts";
import { openBytes } from "./files.ts";
import { checkFooter, checkRowGroup } from "./parquet-check.ts";

/** A row by column name, numbered from 1. */
export interface ParquetRow {
  row: number;
  value: Record<string, unknown>;
}

/**
 * All rows of a Parquet file. Lists and structs are arrays and objects; 64-bit integers are numbers where a number holds them exactly and
 * decimal text elsewhere; dates and times are ISO text; bytes that are no text are lists of numbers; a missing value is null.
 *
 * @param columns  top-level columns to read; all if absent
 * @throws {DataError} missing, truncated or damaged file, a column that is not there, text that is not UTF-8
 */
export async function readParquet(path: string, options: { columns?: string[] } = {}): Promise<ParquetRow[]> {
  const rows: ParquetRow[] = [];
  for await (const group of parquetRows(path, options)) for (const row of group) rows.push(row);
  return rows;
}

/** {@link readParquet} row group by row group. */
export async function* parquetRows(
  path: string,
  { columns }: { columns?: string[] } = {},
): AsyncGenerator<ParquetRow[]> {
  const bytes = openBytes(path);
  try {
    const file: AsyncBuffer = { byteLength: bytes.size, slice: (start, end = bytes.size) => bytes.read(start, end) };
    const metadata = await damaged(path, "its footer", async () => {
      const found = await parquetMetadataAsync(file, { geoparquet: false });
      checkFooter(found);
      return found;
    });
    refuseMissing(path, columns ?? [], metadata);
    let rowStart = 0;
    for (const [index, group] of metadata.row_groups.entries()) {
      const numRows = Number(group.num_rows);
      const range = { rowStart, rowEnd: rowStart + numRows };
      const read = {
        file,
        metadata,
        compressors: COMPRESSORS,
        parsers: PARSERS,
        geoparquet: false,
        utf8: false,
        ...range,
      };
      const place = numRows > 0 ? `rows ${rowStart + 1} to ${rowStart + numRows}` : `after row ${rowStart}`;
      const values = await damaged(path, place, async () => {
        checkRowGroup(metadata, index, bytes.read, COMPRESSORS, columns);
        return parquetReadObjects(columns ? { ...read, columns } : read);
      });
      const first = rowStart + 1;
      decodeTexts(values);
      yield values.map((value, i) => ({ row: first + i, value: plain(value) as Record<string, unknown> }));
      rowStart += numRows;
    }
  } finally {
    bytes.close();
  }
}

/** Each stopped at the length that the page says; Node's own, which are fast, where it has one. */
const COMPRESSORS: typeof compressors = {
  ...compressors,
  GZIP: (packed, length) => gunzipSync(packed, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (packed, length) => decompressZstd(packed, new Uint8Array(length)),
  BROTLI: (packed, length) => brotliDecompressSync(packed, { maxOutputLength: Math.max(1, length) }),
};

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** note: hyparquet's own decoder puts U+FFFD for bytes that are not UTF-8, in silence. */
const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && textOf(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && JSON.parse(textOf(bytes)),
};

function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (cause) {
    throw new Error("bytes that are not UTF-8 in a column of text", { cause });
  }
}

/**
 * Columns of bytes that do not say whether they are text, in place: text where all of a row group are UTF-8, as older writers leave their texts.
 * Others stay bytes, which concern nobody who does not use them.
 */
function decodeTexts(rows: Record<string, unknown>[]): void {
  const columns = new Set(rows.flatMap((row) => Object.keys(row).filter((name) => row[name] instanceof Uint8Array)));
  for (const name of columns) {
    const texts = rows.map((row) => (row[name] instanceof Uint8Array ? textOrBytes(row[name]) : row[name]));
    if (texts.some((text) => text instanceof Uint8Array)) continue;
    for (const [i, row] of rows.entries()) row[name] = texts[i];
  }
}

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}

/** Values as JSON has them; bytes are lists of numbers. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return [...(value as Uint8Array)];
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function refuseMissing(path: string, columns: readonly string[], metadata: FileMetaData): void {
  const there = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = columns.find((column) => !there.includes(column));
  if (missing === undefined) return;
  throw new DataError({
    place: path,
    expected: `a column "${missing}"`,
    got: there.map((name) => `"${name}"`).join(", "),
    remedy: "Use one of these names.",
  });
}

/** Whatever a decoder throws on damaged bytes (range errors, WebAssembly traps, JSON errors), said of the file. */
async function damaged<T>(path: string, where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof MixtuneError) throw cause;
    throw new DataError({
      place: `${path}: ${where}`,
      expected: "a whole Parquet file",
      got: cause instanceof Error ? cause.message : String(cause),
      remedy: "Fetch or write the file again.",
      cause,
    });
  }
}
