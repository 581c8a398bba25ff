/**
 * @file Values of a Parquet column as a file says them: decimals, dates, times and floats with their own text. The decoder hands over what is stored,
 * numbers and bytes, as its own conversions go through doubles and milliseconds.
 *
 * | column                        | value                                                                               |
 * | ----------------------------- | ----------------------------------------------------------------------------------- |
 * | whole numbers                 | a number; a WrittenNumber where that holds no more than 53 bits                       |
 * | floats of 16, 32 and 64 bits  | the shortest text of that width, as Python writes it: 0.1, 1.0                        |
 * | decimals                      | all digits of their scale: 5.10                                                       |
 * | dates, times, durations       | text (moment-text.ts); moments with their zone where Arrow's schema names it, else UTC |
 * | classes                       | their names, where the Hugging Face features in the footer name them                  |
 * | JSON                          | what it says, its numbers as they are written                                         |
 * | text, UUIDs, true and false   | themselves; bytes that do not say what they are stay bytes                            |
 */

import { parquetSchema } from "hyparquet";
import { isListLike, isMapLike } from "hyparquet/src/schema.js";
import type { FileMetaData, SchemaElement, SchemaTree } from "hyparquet/src/types.js";
import { parseJson } from "../base/json-text.ts";
import { floatText, WrittenNumber, writtenNumber } from "../base/written-number.ts";
import { type ArrowField, arrowFields } from "./arrow-schema.ts";
import { float16ToFloat32, float32ToFloat16 } from "./half.ts";
import { dateText, durationText, momentText, timeText } from "./moment-text.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws {Error} bytes that are not UTF-8 */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (cause) {
    throw new Error("bytes that are not UTF-8 in a column of text", { cause });
  }
}

/** A stored value, or a list or object of them, as it is handed on. */
export type ValueReader = (raw: unknown) => unknown;

const PER_SECOND = { MILLIS: 1_000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n } as const;

/** What a leaf of the schema holds, where the decoder's own conversion is not wanted. */
type Kind =
  | { kind: "decimal"; scale: number }
  | { kind: "date" }
  | { kind: "json" }
  | { kind: "half" }
  | { kind: "time"; perSecond: bigint }
  | { kind: "moment"; perSecond: bigint; isZoned: boolean };

function kindOf({ type, converted_type: old, logical_type: logical, scale }: SchemaElement): Kind | undefined {
  if (logical?.type === "TIMESTAMP")
    return { kind: "moment", perSecond: PER_SECOND[logical.unit], isZoned: logical.isAdjustedToUTC };
  if (logical?.type === "TIME") return { kind: "time", perSecond: PER_SECOND[logical.unit] };
  if (logical?.type === "FLOAT16") return { kind: "half" };
  if (old === "DECIMAL" || logical?.type === "DECIMAL")
    return { kind: "decimal", scale: scale ?? (logical?.type === "DECIMAL" ? logical.scale : 0) };
  if (old === "DATE" || logical?.type === "DATE") return { kind: "date" };
  if (old === "JSON" || logical?.type === "JSON") return { kind: "json" };
  // Writers that know no logical types mean UTC.
  if (old === "TIMESTAMP_MILLIS" || old === "TIMESTAMP_MICROS")
    return { kind: "moment", perSecond: old === "TIMESTAMP_MILLIS" ? 1_000n : 1_000_000n, isZoned: true };
  if (old === "TIME_MILLIS" || old === "TIME_MICROS")
    return { kind: "time", perSecond: old === "TIME_MILLIS" ? 1_000n : 1_000_000n };
  return type === "INT96" ? { kind: "moment", perSecond: PER_SECOND.NANOS, isZoned: false } : undefined;
}

/** A top-level column. */
export interface Column {
  name: string;
  /** The column's schema for the decoder: leaves that `read` converts are what is stored. */
  schema: SchemaElement[];
  read: ValueReader;
}

/**
 * The columns of a file.
 * @param asNumbers  numbers as JavaScript has them
 * @throws {Error} a damaged Arrow schema, damaged features
 */
export function columnsOf(metadata: FileMetaData, asNumbers: boolean): Column[] {
  const said = (key: string) => metadata.key_value_metadata?.find((entry) => entry.key === key)?.value;
  const arrow = said("ARROW:schema");
  const fields = arrow === undefined ? [] : arrowFields(arrow);
  const names = classNames(said("huggingface"));
  const [root, ...elements] = metadata.schema;
  let numBefore = 0;
  return parquetSchema(metadata).children.map((tree): Column => {
    const { name } = tree.element;
    const own = elements.slice(numBefore, numBefore + tree.count);
    numBefore += tree.count;
    const read = readerOf(
      tree,
      fields.find((one) => one.name === name),
      asNumbers,
    );
    return {
      name,
      schema: [{ ...(root as SchemaElement), num_children: 1 }, ...own.map(storedElement)],
      read: Object.hasOwn(names, name) ? classReader(names[name] as string[], read) : read,
    };
  });
}

function storedElement(element: SchemaElement): SchemaElement {
  if (element.num_children || kindOf(element) === undefined) return element;
  const { converted_type: _old, logical_type: _logical, ...stored } = element;
  return stored;
}

/** Numbers that have no name stay numbers: -1 says that there is no class. */
function classReader(names: readonly string[], read: ValueReader): ValueReader {
  return (raw) => (typeof raw === "number" || typeof raw === "bigint" ? names[Number(raw)] : undefined) ?? read(raw);
}

/** Names of classes by column, as `datasets` writes its features. */
function classNames(huggingface: string | undefined): Record<string, string[]> {
  if (huggingface === undefined) return {};
  const features: unknown = JSON.parse(huggingface)?.info?.features;
  return Object.fromEntries(
    Object.entries(features ?? {}).flatMap(([column, feature]) => {
      const { _type, names } = (feature ?? {}) as { _type?: unknown; names?: unknown };
      return _type === "ClassLabel" && Array.isArray(names) ? [[column, names.map(String)]] : [];
    }),
  );
}

function readerOf(tree: SchemaTree, field: ArrowField | undefined, asNumbers: boolean): ValueReader {
  const { element, children } = tree;
  if (element.logical_type?.type === "VARIANT") throw new Error("values of the type VARIANT");
  const orNull =
    (read: ValueReader): ValueReader =>
    (raw) =>
      raw === null || raw === undefined ? null : read(raw);
  const eachOf = (read: ValueReader) => orNull((raw) => (Array.isArray(raw) ? raw.map(read) : raw));
  if (isListLike(tree)) {
    const [repeated] = children as [SchemaTree];
    const isWrapped = repeated.children.length === 1;
    return eachOf(readerOf(isWrapped ? repeated.children[0]! : asOne(repeated), field?.children[0], asNumbers));
  }
  if (isMapLike(tree)) {
    const read = readerOf(children[0]!.children[1]!, field?.children[0]?.children[1], asNumbers);
    return orNull((raw) => mapValues(raw as object, () => read));
  }
  const inner = children.map((child, i): [string, ValueReader] => [
    child.element.name,
    readerOf(child, field?.children[i], asNumbers),
  ]);
  const readers = new Map(inner);
  const one = children.length > 0 ? objectReader(readers) : leafReader(element, field, asNumbers);
  return element.repetition_type === "REPEATED" ? eachOf(orNull(one)) : orNull(one);
}

function asOne(tree: SchemaTree): SchemaTree {
  return { ...tree, element: { ...tree.element, repetition_type: "OPTIONAL" } };
}

function objectReader(readers: ReadonlyMap<string, ValueReader>): ValueReader {
  return (raw) => mapValues(raw as object, (name) => readers.get(name));
}

function mapValues(raw: object, readerOfKey: (key: string) => ValueReader | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, readerOfKey(key)?.(value) ?? null]));
}

function leafReader(element: SchemaElement, field: ArrowField | undefined, asNumbers: boolean): ValueReader {
  const number = asNumbers ? Number : writtenNumber;
  const kind = kindOf(element);
  if (kind === undefined) {
    const { perSecond } = field ?? {};
    if (perSecond !== undefined) return (raw) => durationText(raw as bigint, perSecond);
    if (element.type === "FLOAT") return (raw) => float(raw as number, number, Math.fround);
    if (element.type === "DOUBLE") return (raw) => double(raw as number, number);
    return (raw) => (typeof raw === "bigint" ? whole(raw) : raw);
  }
  if (kind.kind === "decimal") return (raw) => number(decimalText(unscaled(raw), kind.scale));
  if (kind.kind === "json") return (raw) => (asNumbers ? JSON.parse : parseJson)(utf8Text(raw as Uint8Array));
  if (kind.kind === "date") return (raw) => dateText(raw as number);
  if (kind.kind === "half") return (raw) => float(halfOf(raw as Uint8Array), number, roundToHalf);
  const { perSecond } = kind;
  if (kind.kind === "time") return (raw) => timeText(raw as number | bigint, perSecond);
  const zone = kind.isZoned ? (field?.zone ?? "UTC") : undefined;
  return (raw) => momentText(raw as bigint, perSecond, zone);
}

function whole(value: bigint): number | WrittenNumber {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : new WrittenNumber(String(value));
}

type Numbers = (text: string) => number | WrittenNumber;

function float(value: number, number: Numbers, round?: (value: number) => number): number | WrittenNumber {
  return Number.isFinite(value) ? number(floatText(value, round)) : value;
}

/** Most doubles are written alike in Python and here. */
function double(value: number, number: Numbers): number | WrittenNumber {
  return Number.isInteger(value) || Math.abs(value) < 1e-4 ? float(value, number) : value;
}

/** A decimal's digits as a whole number: two's complement, the highest byte first. */
function unscaled(raw: unknown): bigint {
  if (!(raw instanceof Uint8Array)) return BigInt(raw as number | bigint);
  if (raw.length === 0) return 0n;
  return BigInt.asIntN(
    8 * raw.length,
    BigInt(`0x${Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString("hex")}`),
  );
}

function decimalText(digits: bigint, scale: number): string {
  const sign = digits < 0n ? "-" : "";
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** fp16, the lower byte first. */
function halfOf(bytes: Uint8Array): number {
  const [low = 0, high = 0] = bytes;
  const wide = new Float32Array(1);
  float16ToFloat32(Uint16Array.of(low | (high << 8)), wide);
  return wide[0] as number;
}

function roundToHalf(value: number): number {
  const half = new Uint16Array(1);
  const wide = Float32Array.of(value);
  float32ToFloat16(wide, half);
  float16ToFloat32(half, wide);
  return wide[0] as number;
}
