/**
 * @file What a Parquet file asks for, checked before it is decoded: page sizes, numbers of values and lengths of runs. The decoder believes them,
 * and a run that says it has two thousand million values would fill the memory long before any of its own checks.
 */

import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { deltaBinaryUnpack } from "hyparquet/src/delta.js";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from "hyparquet/src/schema.js";
import type { ColumnMetaData, Compressors, FileMetaData, PageHeader, SchemaTree } from "hyparquet/src/types.js";

/** Of one page, packed and unpacked; writers make pages of about a megabyte. */
const MAX_PAGE_BYTES = 256 << 20;
/** Of a column in a row group; writers make row groups of about a million rows. */
const MAX_VALUES = 20_000_000;
/** Unpacked, of a row group's columns together. */
const MAX_GROUP_BYTES = 1 << 30;

/** @throws {Error} no schema; row groups that are too large, or do not add up to the file's rows: one is lost */
export function checkFooter({ num_rows, row_groups, schema }: FileMetaData): void {
  getSchemaPath(schema, []);
  for (const group of row_groups) count(group.num_rows, MAX_VALUES, "rows in a row group");
  const inGroups = row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (inGroups !== num_rows) throw new Error(`${inGroups} rows in its groups where ${num_rows} should be`);
}

/** Unpacked bytes of a row group's columns so far. */
export interface GroupBudget {
  numBytes: number;
}

/**
 * Checks what a row group holds of a top-level column.
 *
 * @param metadata  of this column and row group alone
 * @param read      bytes [start, end) of the file
 * @param budget    shared by the columns that are read together
 * @throws {Error} anything that no writer writes
 */
export function checkColumn(
  { schema, row_groups: [group] }: FileMetaData,
  read: (start: number, end: number) => ArrayBuffer,
  compressors: Compressors,
  budget: GroupBudget,
): void {
  for (const { meta_data: column } of group!.columns) {
    if (column === undefined) throw new Error("a column without its description");
    const unpacked = count(column.total_uncompressed_size, MAX_GROUP_BYTES, "bytes in a column");
    budget.numBytes = count(budget.numBytes + unpacked, MAX_GROUP_BYTES, "bytes in a row group");
    const start = Number(column.dictionary_page_offset || column.data_page_offset);
    const length = count(column.total_compressed_size, MAX_GROUP_BYTES, "packed bytes in a column");
    const bytes = read(start, start + length);
    if (start < 0 || bytes.byteLength !== length) throw new Error("a column that lies outside the file");
    const path = getSchemaPath(schema, column.path_in_schema);
    checkChunk(new DataView(bytes), column, path, Number(group!.num_rows), compressors);
  }
}

function checkChunk(
  view: DataView,
  column: ColumnMetaData,
  path: SchemaTree[],
  numRows: number,
  compressors: Compressors,
): void {
  const name = column.path_in_schema.join(".");
  const total = count(column.num_values, MAX_VALUES, `values in ${name}`);
  const isFlat = getMaxRepetitionLevel(path) === 0;
  let numValues = 0;
  let rows = 0;
  const reader = { view, offset: 0 };
  // As the decoder goes on: to the rows' number in flat columns, to the end of the bytes in nested ones.
  while (isFlat ? numValues < total : reader.offset < view.byteLength - 1) {
    if (reader.offset >= view.byteLength) throw new Error(`${numValues} values in ${name} where ${total} should be`);
    const header = parquetHeader(reader);
    const packed = count(header.compressed_page_size, view.byteLength - reader.offset, "bytes in a page");
    count(header.uncompressed_page_size, MAX_PAGE_BYTES, "unpacked bytes in a page");
    const bytes = new Uint8Array(view.buffer, view.byteOffset + reader.offset, packed);
    reader.offset += packed;
    const page = checkPage(bytes, header, column, path, total - numValues, compressors);
    numValues += page.numValues;
    rows += page.numRows;
  }
  if (numValues !== total) throw new Error(`${numValues} values in ${name} where ${total} should be`);
  if ((isFlat ? numValues : rows) !== numRows)
    throw new Error(`${isFlat ? numValues : rows} rows in ${name} where ${numRows} should be`);
}

/** The values of a page, and the rows that begin in it. Those of a dictionary count as none. */
function checkPage(
  packed: Uint8Array,
  header: PageHeader,
  { type, codec }: ColumnMetaData,
  path: SchemaTree[],
  left: number,
  compressors: Compressors,
): { numValues: number; numRows: number } {
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
  if (header.type === "DICTIONARY_PAGE" && dictionary !== undefined) {
    count(dictionary.num_values, MAX_VALUES, "values in a dictionary");
    return { numValues: 0, numRows: 0 };
  }
  const data = header.type === "DATA_PAGE" ? v1 : header.type === "DATA_PAGE_V2" ? v2 : undefined;
  if (data === undefined) throw new Error(`a page of type ${header.type ?? "unknown"}`);
  const numValues = count(data.num_values, left, "values in a page");
  const widths = { repetition: widthOf(getMaxRepetitionLevel(path)), definition: widthOf(getMaxDefinitionLevel(path)) };
  let view: DataView;
  let at = 0;
  let repetition: number[];
  let definition: number[];
  if (v2 !== undefined && header.type === "DATA_PAGE_V2") {
    const lengths = [v2.repetition_levels_byte_length, v2.definition_levels_byte_length] as const;
    for (const length of lengths) count(length, packed.length, "bytes of levels");
    const head = viewOf(packed);
    repetition = levels(head, 0, lengths[0], widths.repetition, numValues);
    definition = levels(head, lengths[0], lengths[1], widths.definition, numValues);
    const rest = packed.subarray(lengths[0] + lengths[1]);
    const unpackedBytes = count(
      header.uncompressed_page_size - lengths[0] - lengths[1],
      MAX_PAGE_BYTES,
      "bytes in a page",
    );
    view = viewOf(v2.is_compressed === false ? rest : decompressPage(rest, unpackedBytes, codec, compressors));
  } else {
    view = viewOf(decompressPage(packed, header.uncompressed_page_size, codec, compressors));
    const next = (width: number): number[] => {
      if (width === 0) return [];
      const length = view.getUint32(at, true);
      const found = levels(view, at + 4, length, width, numValues);
      at += 4 + length;
      return found;
    };
    repetition = next(widths.repetition);
    definition = next(widths.definition);
  }
  const maxDefinition = getMaxDefinitionLevel(path);
  const numThere = widths.definition === 0 ? numValues : definition.filter((level) => level === maxDefinition).length;
  if (v2 !== undefined && header.type === "DATA_PAGE_V2" && v2.num_values - v2.num_nulls !== numThere)
    throw new Error(`${numThere} values in a page where ${v2.num_values - v2.num_nulls} should be`);
  checkValues(view, at, data.encoding, type, numThere);
  return { numValues, numRows: repetition.filter((level) => level === 0).length };
}

function levels(view: DataView, at: number, length: number, width: number, numValues: number): number[] {
  if (width === 0) return [];
  if (at + length > view.byteLength) throw new Error("levels that are cut off");
  checkRuns(view, at, at + length, width, numValues);
  const found = new Array<number>(numValues);
  readRleBitPackedHybrid({ view, offset: at }, width, found, length);
  return found;
}

function checkValues(view: DataView, at: number, encoding: string, type: string, numValues: number): void {
  if (numValues === 0) return;
  if (encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY") {
    const width = view.getUint8(at);
    if (width > 0) checkRuns(view, at + 1, view.byteLength, width, numValues);
  } else if (encoding === "RLE") {
    checkRuns(view, at + 4, view.byteLength, 1, numValues);
  } else if (encoding.startsWith("DELTA_")) {
    checkDelta(view, at);
    if (encoding !== "DELTA_BINARY_PACKED") checkLengths(view, at, encoding, numValues);
  } else if (encoding === "PLAIN" && type === "BOOLEAN" && view.byteLength - at < numValues / 8) {
    throw new Error("values that are cut off");
  }
}

/** Runs of equal values and of packed ones: their headers alone, each of at least a byte. */
function checkRuns(view: DataView, from: number, end: number, width: number, numValues: number): void {
  if (width > 32) throw new Error(`values of ${width} bits`);
  let at = from;
  for (let seen = 0; seen < numValues; ) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw new Error("runs that are cut off");
      const byte = view.getUint8(at++);
      header += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const run = Math.floor(header / 2);
    if (header % 2 === 1) {
      at += run * width;
      seen += run * 8;
    } else {
      if (run > numValues - seen) throw new Error(`a run of ${run} values where ${numValues - seen} are left`);
      at += Math.ceil(width / 8);
      seen += run;
    }
  }
}

function checkDelta(view: DataView, at: number): void {
  const [blockSize, offset] = varint(view, at);
  const [miniblocks] = varint(view, offset);
  if (blockSize > 1 << 20 || miniblocks < 1 || miniblocks > 1024 || blockSize % miniblocks !== 0)
    throw new Error(`delta blocks of ${blockSize} values in ${miniblocks} parts`);
}

/** Texts that share beginnings are copied whole: together they must fit in a page. */
function checkLengths(view: DataView, at: number, encoding: string, numValues: number): void {
  const reader = { view, offset: at };
  let bytes = 0;
  for (let list = 0; list < (encoding === "DELTA_BYTE_ARRAY" ? 2 : 1); list++) {
    const lengths = new Int32Array(numValues);
    deltaBinaryUnpack(reader, numValues, lengths);
    for (const length of lengths) bytes += count(length, MAX_PAGE_BYTES, "bytes in a text");
    count(bytes, MAX_PAGE_BYTES, "bytes in the texts of a page");
    if (list === 0 && encoding === "DELTA_BYTE_ARRAY") checkDelta(view, reader.offset);
  }
}

function varint(view: DataView, at: number): [value: number, offset: number] {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = view.getUint8(at + i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new Error("a number of more than 32 bits");
}

/** A number that a file says, between 0 and a limit. */
function count(said: number | bigint | undefined, max: number, what: string): number {
  const number = Number(said);
  if (Number.isInteger(number) && number >= 0 && number <= max) return number;
  throw new Error(`${said} ${what}, at most ${max} are read`);
}

function widthOf(level: number): number {
  return 32 - Math.clz32(level);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
