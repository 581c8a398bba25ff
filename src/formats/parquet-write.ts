/** @file Parquet files from columns of plain values. Encoding is hyparquet-writer's; reading is in parquet.ts. */

import type { SchemaElement } from "hyparquet/src/types.js";
import { parquetWriteBuffer } from "hyparquet-writer";
import { formatJson } from "../base/json-text.ts";
import { floatText, WrittenNumber } from "../base/written-number.ts";

/** INT64 holds whole numbers, DECIMAL numbers of as many digits behind the point; BYTES bytes; JSON whatever JSON has. */
export type ColumnType = "BOOLEAN" | "INT64" | "DOUBLE" | "STRING" | "JSON" | "BYTES" | { decimals: number };

/** A column; null and undefined are missing values. */
export interface ParquetColumn {
  name: string;
  type: ColumnType;
  values: readonly unknown[];
}

/** Digits of a DECIMAL of 16 bytes. */
const MAX_DIGITS = 38;

/** The narrowest type from which all values are read as they are; STRING of none. Numbers that no type of numbers writes alike are JSON. */
export function columnTypeOf(values: readonly unknown[]): ColumnType {
  const there = values.filter((value) => value !== null && value !== undefined);
  const all = (holds: (value: unknown) => boolean) => there.every(holds);
  if (all((value) => typeof value === "string")) return "STRING";
  if (all((value) => typeof value === "boolean")) return "BOOLEAN";
  if (all((value) => value instanceof Uint8Array)) return "BYTES";
  if (!all((value) => typeof value === "number" || value instanceof WrittenNumber)) return "JSON";
  if (all(isLong)) return "INT64";
  // A whole number among others may be a float that JavaScript wrote.
  if (all((value) => typeof value === "number" || floatText(Number(value)) === String(value))) return "DOUBLE";
  const decimals = String(there[0]).split(".")[1]?.length ?? 0;
  return all((value) => isDecimal(String(value), decimals)) ? { decimals } : "JSON";
}

function isLong(value: unknown): boolean {
  const text = String(value);
  return /^-?\d+$/.test(text) && text !== "-0" && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function isDecimal(text: string, decimals: number): boolean {
  const [, digits, behind] = /^-?(\d+)\.(\d+)$/.exec(text) ?? [];
  const isMinusZero = text.startsWith("-") && Number(text) === 0;
  return behind?.length === decimals && `${digits}${behind}`.length <= MAX_DIGITS && !isMinusZero;
}

/** A whole file. */
export function formatParquet(columns: readonly ParquetColumn[]): Uint8Array {
  const schema: SchemaElement[] = [
    { name: "root", num_children: columns.length },
    ...columns.map(({ name, type }): SchemaElement => ({ name, repetition_type: "OPTIONAL", ...elementOf(type) })),
  ];
  const columnData = columns.map(({ name, type, values }) => ({
    name,
    data: values.map((value) => (value === null || value === undefined ? null : storedValue(value, type))),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, schema, createdBy: "mixtune" }));
}

function elementOf(type: ColumnType): Partial<SchemaElement> {
  if (typeof type === "object") {
    const bytes = { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16 } as const;
    return { ...bytes, converted_type: "DECIMAL", precision: MAX_DIGITS, scale: type.decimals };
  }
  if (type === "STRING") return { type: "BYTE_ARRAY", converted_type: "UTF8" };
  if (type === "JSON") return { type: "BYTE_ARRAY", logical_type: { type: "JSON" } };
  return { type: type === "BYTES" ? "BYTE_ARRAY" : type };
}

function storedValue(value: unknown, type: ColumnType): unknown {
  if (type === "INT64") return BigInt(String(value));
  if (type === "DOUBLE") return Number(value);
  if (type === "JSON") return formatJson(value);
  return typeof type === "object" ? BigInt(String(value).replace(".", "")) : value;
}
