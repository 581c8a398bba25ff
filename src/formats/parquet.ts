/** @file Parquet files as rows: flat and nested columns, one row group in memory at a time. Decoding is hyparquet's; what a hostile file may ask for is limited here. */

import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetSchema } from "hyparquet";
import { parquetReadColumn } from "hyparquet/src/read.js";
import type { RowGroup } from "hyparquet/src/types.js";
import { compressors, decompressZstd } from "hyparquet-compressors";
import { DataError, MixtuneError } from "../base/errors.ts";
import { openBytes } from "./files.ts";
import { checkColumn, checkFooter, type GroupBudget } from "./parquet-check.ts";
import { type Column, columnsOf, utf8Text } from "./parquet-values.ts";
import { UnreadableValue } from "./row.ts";

/** A row by column name, numbered from 1. */
export interface ParquetRow {
  row: number;
  value: Record<string, unknown>;
}

/** What of a file is read, and how. */
export interface ParquetOptions {
  /** Top-level columns that are read, as far as they are there; one that cannot be read is an error. Default: all that can be read. */
  columns?: readonly string[] | undefined;
  /** Numbers as JavaScript has them, for readers that know what a column holds. Default: as the file says them. */
  asNumbers?: boolean | undefined;
}

/**
 * All rows of a Parquet file. Lists and structs are arrays and objects, the values in them as parquet-values.ts says; bytes that are no text stay
 * bytes; a missing value is null.
 *
 * @throws {DataError} a missing, truncated or damaged file
 */
export async function readParquet(path: string, options: ParquetOptions = {}): Promise<ParquetRow[]> {
  const rows: ParquetRow[] = [];
  for await (const group of parquetRows(path, options)) for (const row of group) rows.push(row);
  return rows;
}

/** Names of the columns; none where there are no rows. @throws {DataError} as {@link readParquet} */
export async function parquetColumns(path: string): Promise<string[]> {
  const bytes = openBytes(path);
  try {
    const metadata = await footerOf(path, bytes);
    return metadata.num_rows === 0n ? [] : parquetSchema(metadata).children.map(({ element }) => element.name);
  } finally {
    bytes.close();
  }
}

/** {@link readParquet} row group by row group. */
export async function* parquetRows(
  path: string,
  { columns, asNumbers = false }: ParquetOptions = {},
): AsyncGenerator<ParquetRow[]> {
  const bytes = openBytes(path);
  try {
    const metadata = await footerOf(path, bytes);
    const all = await damaged(path, "its footer", async () => columnsOf(metadata, asNumbers));
    const wanted = all.filter(({ name }) => columns?.includes(name) ?? true);
    let first = 1;
    for (const group of metadata.row_groups) {
      const numRows = Number(group.num_rows);
      const place = numRows > 0 ? `rows ${first} to ${first + numRows - 1}` : `after row ${first - 1}`;
      const budget = { numBytes: 0 };
      const read = (column: Column) => readColumn(bytes, partOf(metadata, group, column), column, budget);
      const found =
        columns === undefined
          ? await damaged(path, place, () => readableColumns(wanted, read))
          : await Promise.all(wanted.map((one) => damaged(path, `${place} of column ${one.name}`, () => read(one))));
      const start = first;
      yield Array.from({ length: numRows }, (_, i) => ({
        row: start + i,
        value: Object.fromEntries(wanted.map(({ name }, k) => [name, found[k]![i]])),
      }));
      first += numRows;
    }
  } finally {
    bytes.close();
  }
}

type OpenBytes = ReturnType<typeof openBytes>;

function asyncBuffer({ size, read }: OpenBytes): AsyncBuffer {
  return { byteLength: size, slice: (start, end = size) => read(start, end) };
}

function footerOf(path: string, bytes: OpenBytes): Promise<FileMetaData> {
  return damaged(path, "its footer", async () => {
    const found = await parquetMetadataAsync(asyncBuffer(bytes), { geoparquet: false });
    checkFooter(found);
    return found;
  });
}

/** What a footer says of one column in one row group: the decoder looks through all that it is given, once a column. */
function partOf(metadata: FileMetaData, group: RowGroup, { name, schema }: Column): FileMetaData {
  const columns = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === name);
  return { ...metadata, schema, num_rows: group.num_rows, row_groups: [{ ...group, columns }] };
}

/** The values of a column in a row group. */
async function readColumn(
  bytes: OpenBytes,
  metadata: FileMetaData,
  { name, read }: Column,
  budget: GroupBudget,
): Promise<unknown[]> {
  checkColumn(metadata, bytes.read, COMPRESSORS, budget);
  if (metadata.num_rows === 0n) return [];
  const values = await parquetReadColumn({
    file: asyncBuffer(bytes),
    metadata,
    columns: [name],
    compressors: COMPRESSORS,
    parsers: PARSERS,
    geoparquet: false,
    utf8: false,
  });
  return textsOf(Array.from(values as ArrayLike<unknown>, read));
}

/** As many columns as can be read; the others hold the reason. @throws {Error} where none can be: then the file is damaged */
async function readableColumns(
  columns: readonly Column[],
  read: (column: Column) => Promise<unknown[]>,
): Promise<(readonly unknown[])[]> {
  const found = await Promise.allSettled(columns.map(read));
  const [failed] = found.filter((column) => column.status === "rejected");
  const isAny = found.some((column) => column.status === "fulfilled");
  if (failed !== undefined && !isAny) throw failed.reason;
  const length = found.find((column) => column.status === "fulfilled")?.value.length ?? 0;
  return found.map((column) => {
    if (column.status === "fulfilled") return column.value;
    return new Array(length).fill(new UnreadableValue(messageOf(column.reason)));
  });
}

/** Each stopped at the length that the page says; Node's own, which are fast, where it has one. */
const DECOMPRESSORS: typeof compressors = {
  ...compressors,
  GZIP: (packed, length) => gunzipSync(packed, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (packed, length) => decompressZstd(packed, new Uint8Array(length)),
  BROTLI: (packed, length) => brotliDecompressSync(packed, { maxOutputLength: Math.max(1, length) }),
};

/** note: a page of nulls alone has no bytes to unpack, at which some of them stumble (LZ4). */
const COMPRESSORS = Object.fromEntries(
  Object.entries(DECOMPRESSORS).map(([codec, unpack]) => [
    codec,
    (packed: Uint8Array, length: number) => (length === 0 ? new Uint8Array() : unpack(packed, length)),
  ]),
) as typeof compressors;

/** note: hyparquet's own decoder puts U+FFFD for bytes that are not UTF-8, in silence. */
const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8Text(bytes),
  // What INT96 holds; parquet-values.ts writes it.
  timestampFromNanoseconds: (nanos: bigint) => nanos as never,
};

/**
 * Bytes that do not say whether they are text, as text where all of a row group are UTF-8: so older writers leave their texts. Others stay bytes,
 * which concern nobody who does not use them.
 */
function textsOf(values: unknown[]): unknown[] {
  if (!values.some((value) => value instanceof Uint8Array)) return values;
  try {
    return values.map((value) => (value instanceof Uint8Array ? utf8Text(value) : value));
  } catch {
    return values;
  }
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
      got: messageOf(cause),
      remedy: "Fetch or write the file again.",
      cause,
    });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
