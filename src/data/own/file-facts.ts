/** @file What is in the columns of a person's files: counted row by row, so that a file of any size can be looked at. */

import { sha256 } from "../../base/digest.ts";
import type { Span } from "../../base/span-text.ts";
import { composed } from "../../base/unicode.ts";
import { isNested } from "../../base/written-number.ts";
import { answerOf } from "../answers.ts";
import { KeySet } from "../splits/key-set.ts";

type Fields = Record<string, unknown>;

/** More different values than this are no labels, and longer ones neither. */
export const MAX_LABELS = 500;
const MAX_LABEL_LENGTH = 200;

/** What the rows have in one column; a value that is absent, null or blank text is not there. */
export interface ColumnFacts {
  /** Rows with a value. */
  num: number;
  /**
   * Of these: lists and nested objects; finite numbers or texts of such; of those that are only read with a comma for decimals (3,5); whole numbers;
   * words without blanks in ASCII, as codes and addresses are; lists of {text, type}.
   */
  numNested: number;
  numNumbers: number;
  numWithComma: number;
  numCodes: number;
  numWhole: number;
  numSpans: number;
  /** Characters of all values, and of the longest. */
  sumLength: number;
  maxLength: number;
  /** Different values and their rows, in order of appearance; null when there are more than {@link MAX_LABELS}. */
  values: Map<string, number> | null;
  /** Different values in all. */
  distinct: KeySet;
  /** Different values in the file that is being read, and the rows of any file with a value that came before in that file. */
  inFile: KeySet;
  numRepeated: number;
  /** Types of spans. */
  types: Set<string>;
}

export interface FileFacts {
  numRows: number;
  /** In the order of the file. */
  columns: Map<string, ColumnFacts>;
}

export function noFacts(): FileFacts {
  return { numRows: 0, columns: new Map() };
}

/** Called before the first row of a further file. */
export function nextFile({ columns }: FileFacts): void {
  for (const column of columns.values()) column.inFile = new KeySet(16);
}

/** Adds a row to what is known. */
export function addRow(facts: FileFacts, fields: Fields): void {
  facts.numRows++;
  for (const [name, value] of Object.entries(fields)) {
    const known = facts.columns.get(name) ?? noColumn();
    facts.columns.set(name, known);
    addValue(known, value);
  }
}

function noColumn(): ColumnFacts {
  return {
    num: 0,
    numNested: 0,
    numNumbers: 0,
    numWithComma: 0,
    numCodes: 0,
    numWhole: 0,
    numSpans: 0,
    sumLength: 0,
    maxLength: 0,
    values: new Map(),
    distinct: new KeySet(16),
    inFile: new KeySet(16),
    numRepeated: 0,
    types: new Set(),
  };
}

function addValue(column: ColumnFacts, value: unknown): void {
  const isList = isNested(value);
  const text = isList ? "" : composed(String(value ?? "").trim());
  if (!isList && text === "") return;
  column.num++;
  column.sumLength += text.length;
  column.maxLength = Math.max(column.maxLength, text.length);
  if (isList) column.numNested++;
  if (isList || text.startsWith("[")) addSpans(column, value);
  if (isList) return;
  const number = answerOf({ kind: "number", field: "" }, value);
  if (!("problem" in Object(number))) {
    column.numNumbers++;
    if (Number.isInteger(Number(number))) column.numWhole++;
  } else if (!("problem" in Object(answerOf({ kind: "number", field: "", decimal: "," }, value))))
    column.numWithComma++;
  if (/^[!-~]+$/.test(text)) column.numCodes++;
  const key = sha256(text);
  column.distinct.add(key);
  if (!column.inFile.add(key)) column.numRepeated++;
  column.values?.set(text, (column.values.get(text) ?? 0) + 1);
  if ((column.values?.size ?? 0) > MAX_LABELS || text.length > MAX_LABEL_LENGTH) column.values = null;
}

function addSpans(column: ColumnFacts, value: unknown): void {
  const spans = answerOf({ kind: "spans", field: "" }, value);
  if (!Array.isArray(spans)) return;
  column.numSpans++;
  for (const { type } of spans as Span[]) if (column.types.size <= MAX_LABELS) column.types.add(type);
}
