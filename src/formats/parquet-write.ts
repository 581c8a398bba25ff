/** @file Parquet files from columns of plain values. Encoding is hyparquet-writer's; reading is in parquet.ts. */

import { parquetWriteBuffer } from "hyparquet-writer";

/** INT64 holds whole numbers that a number holds exactly; JSON whatever JSON has. */
export type ColumnType = "BOOLEAN" | "INT64" | "DOUBLE" | "STRING" | "JSON";

/** A column; null and undefined are missing values. */
export interface ParquetColumn {
  name: string;
  type: ColumnType;
  values: readonly unknown[];
}

/** The narrowest type that holds all values as they are; STRING of none. */
export function columnTypeOf(values: readonly unknown[]): ColumnType {
  const there = values.filter((value) => value !== null && value !== undefined);
  const all = (holds: (value: unknown) => boolean) => there.every(holds);
  if (all((value) => typeof value === "string")) return "STRING";
  if (all((value) => typeof value === "boolean")) return "BOOLEAN";
  if (all((value) => Number.isSafeInteger(value))) return "INT64";
  return all((value) => typeof value === "number") ? "DOUBLE" : "JSON";
}

/** A whole file. */
export function formatParquet(columns: readonly ParquetColumn[]): Uint8Array {
  const columnData = columns.map(({ name, type, values }) => ({
    name,
    type,
    data: values.map((value) => {
      if (value === null || value === undefined) return null;
      return type === "INT64" ? BigInt(value as number) : value;
    }),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: "mixtune" }));
}
