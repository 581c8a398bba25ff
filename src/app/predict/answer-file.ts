/**
 * @file The output of predict, by the ending of its name: rows with their answers. Opened again after a kill at any moment it goes on behind the
 * last whole row, and refuses what is not the beginning of its own content.
 *
 * | ending     | while rows are added                | when all are in                         |
 * | .jsonl     | appended                            |                                         |
 * | .csv, .tsv | appended                            |                                         |
 * | .parquet   | appended to `<name>.partial.jsonl`  | written whole; the partial file is removed |
 */

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { DataError, SpecError } from "../../base/errors.ts";
import { formatJson } from "../../base/json-text.ts";
import { isNested, WrittenNumber } from "../../base/written-number.ts";
import { type CsvCell, csvCells, csvRowEnd } from "../../formats/csv.ts";
import { appendBehind, makeFolder, readBytes, removeQuietly, writeWhole } from "../../formats/files.ts";
import { readLog } from "../../formats/jsonl.ts";
import { readParquet } from "../../formats/parquet.ts";
import { columnTypeOf, formatParquet, type ParquetColumn } from "../../formats/parquet-write.ts";
import type { AddedColumn, Predicted } from "./predicted.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What is written: the rows of the input and the columns that are added to them. */
export interface AnsweredRows {
  rows: readonly Fields[];
  added: readonly AddedColumn[];
}

/** An output that is being written. */
export interface AnswerFile {
  /** Rows that an earlier call has finished. */
  numDone: number;
  /** Adds the answers to the next rows. */
  add(answers: readonly Predicted[]): void;
  /** Called when every row has its answer, in this call or an earlier one. */
  finish(): void;
}

/**
 * Opens an output, new or begun; its folder is made.
 * @throws {SpecError} another ending
 * @throws {DataError} a file that holds anything but the first of these rows with answers
 */
export async function openAnswerFile(path: string, content: AnsweredRows): Promise<AnswerFile> {
  const ending = /\.(jsonl|csv|tsv|parquet)$/i.exec(path)?.[1]?.toLowerCase();
  if (ending !== undefined) makeFolder(dirname(path));
  if (ending === "jsonl") return appended(path, content.rows, jsonlForm(content.added));
  if (ending === "csv" || ending === "tsv")
    return appended(path, content.rows, csvForm(content, ending === "tsv" ? "\t" : ","));
  if (ending === "parquet") return parquetFile(path, content);
  throw new SpecError({
    place: "options.out",
    expected: "a name that ends in .jsonl, .csv, .tsv or .parquet",
    got: path,
    remedy: "Rename it.",
  });
}

/** How rows with answers stand in a file that grows. */
interface RecordForm {
  /** What the file begins with. */
  header: string;
  /** What a row's record begins with, its answer coming behind. */
  head(row: Fields): string;
  /** The rest of the record, its line break included. */
  tail(answer: Predicted): string;
  /** Where the record that begins at a byte ends, -1 where it is not whole. */
  end(bytes: Uint8Array, from: number): number;
}

/** Numbers that are not finite are left out, as JSON has none. */
function jsonlForm(added: readonly AddedColumn[]): RecordForm {
  const inner = (value: Fields) => formatJson(value).slice(1, -1);
  const opening = `${JSON.stringify(added[0]!.name)}:`;
  const named = (answer: Predicted) => Object.fromEntries(added.map(({ key, name }) => [name, answer[key]]));
  return {
    header: "",
    head: (row) => `{${[inner(row), opening].filter((part) => part !== "").join(",")}`,
    tail: (answer) => `${inner(named(answer)).slice(opening.length)}}\n`,
    end: (bytes, from) => bytes.indexOf(10, from) + 1 || -1,
  };
}

function csvForm({ rows, added }: AnsweredRows, delimiter: string): RecordForm {
  const columns = columnsOf(rows);
  return {
    header: `${csvCells([...columns, ...added.map(({ name }) => name)], delimiter)}\n`,
    head: (row) => columns.map((name) => csvCells([cellOf(fieldOf(row, name))], delimiter) + delimiter).join(""),
    tail: (answer) =>
      `${csvCells(
        added.map(({ key }) => cellOf(answer[key])),
        delimiter,
      )}\n`,
    end: csvRowEnd,
  };
}

/** Names of the fields of any row, in the order in which they come. */
export function columnsOf(rows: readonly Fields[]): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

/** note: what every object has, such as `constructor`, is no field. */
function fieldOf(row: Fields, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : undefined;
}

function cellOf(value: unknown): CsvCell {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return value;
  return isNested(value) ? formatJson(value) : String(value);
}

function appended(path: string, rows: readonly Fields[], form: RecordForm): AnswerFile {
  const found = wholeRecords(path, rows, form);
  let { size } = found;
  let next = found.numDone;
  return {
    numDone: found.numDone,
    add: (answers) => {
      const records = answers.map((answer) => form.head(rows[next++]!) + form.tail(answer));
      const bytes = Buffer.from((size === 0 ? form.header : "") + records.join(""));
      appendBehind(path, size, bytes);
      size += bytes.length;
    },
    finish: () => {},
  };
}

/** Rows that are whole in a file, and the bytes that they take; a last one that a kill has cut is left out. */
function wholeRecords(path: string, rows: readonly Fields[], form: RecordForm): { numDone: number; size: number } {
  if (!existsSync(path)) return { numDone: 0, size: 0 };
  const bytes = readBytes(path);
  const header = Buffer.from(form.header);
  if (!beginsWith(bytes, 0, header)) throw otherRows(path, "another header row");
  let size = header.length;
  if (bytes.length < size) return { numDone: 0, size: 0 };
  for (const [numDone, row] of rows.entries()) {
    if (!beginsWith(bytes, size, Buffer.from(form.head(row)))) throw otherRows(path, `another row ${numDone + 1}`);
    const end = form.end(bytes, size);
    if (end < 0) return { numDone, size };
    size = end;
  }
  if (size < bytes.length) throw otherRows(path, `more than ${rows.length} rows`);
  return { numDone: rows.length, size };
}

/** Whether bytes from a place on are a text, as far as they go. */
function beginsWith(bytes: Buffer, from: number, text: Buffer): boolean {
  const there = bytes.subarray(from, from + text.length);
  return there.equals(text.subarray(0, there.length));
}

async function parquetFile(path: string, content: AnsweredRows): Promise<AnswerFile> {
  refuseProto(path, content.rows);
  const partial = `${path}.partial.jsonl`;
  const numRows = content.rows.length;
  const rest = appended(partial, content.rows, jsonlForm(content.added));
  if (rest.numDone < numRows && existsSync(path)) {
    await refuseOtherParquet(path, content);
    return { numDone: numRows, add: () => {}, finish: () => removeQuietly(partial) };
  }
  return {
    ...rest,
    finish: () => {
      const answers = readLog(partial).map(({ value }) => value as Fields);
      writeWhole(path, formatParquet([...inputColumns(content.rows), ...addedTo(content.added, answers)]));
      removeQuietly(partial);
    },
  };
}

/** note: the Parquet library loses fields of this name, at any depth. */
function refuseProto(path: string, rows: readonly Fields[]): void {
  const row = rows.findIndex((one) => formatJson(one).includes('"__proto__":'));
  if (row === -1) return;
  throw new DataError({
    place: `row ${row + 1} of the input`,
    expected: "no field named __proto__ where answers go into a Parquet file",
    got: "one",
    remedy: `Rename the field, or give options.out another ending than ${path.slice(path.lastIndexOf("."))}: .jsonl holds it.`,
  });
}

function inputColumns(rows: readonly Fields[]): ParquetColumn[] {
  return columnsOf(rows).map((name) => {
    const values = rows.map((row) => fieldOf(row, name));
    return { name, values, type: columnTypeOf(values) };
  });
}

function addedTo(added: readonly AddedColumn[], answers: readonly Fields[]): ParquetColumn[] {
  return added.map(({ name, type }) => ({ name, type, values: answers.map((answer) => answer[name]) }));
}

/** A file that is there is whole: it holds an answer to each row, or it is another's. */
async function refuseOtherParquet(path: string, { rows, added }: AnsweredRows): Promise<void> {
  const columns = inputColumns(rows);
  const written = await readParquet(path);
  // in the order of an object's keys, in which numbers come first
  const names = Object.keys(Object.fromEntries([...columns, ...added].map(({ name }) => [name, null])));
  const hasColumns = JSON.stringify(names) === JSON.stringify(Object.keys(written[0]?.value ?? {}));
  if (!hasColumns) throw otherRows(path, "other columns");
  if (written.length !== rows.length) throw otherRows(path, `${written.length} rows`);
  const other = rows.findIndex((_, i) =>
    columns.some(({ name, values }) => !isSame(written[i]!.value[name], values[i])),
  );
  if (other >= 0) throw otherRows(path, `another row ${other + 1}`);
}

/** A whole number of JavaScript's may have become a float. */
function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof WrittenNumber && typeof b === "number") return Number(a) === b;
  return formatJson(a ?? null) === formatJson(b ?? null);
}

function otherRows(path: string, got: string): DataError {
  return new DataError({
    place: path,
    expected: "the answers to the first rows of the input, from an earlier call",
    got,
    remedy: "Give another options.out, or remove the file.",
  });
}
