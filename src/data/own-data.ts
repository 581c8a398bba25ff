/** @file A person's own rows: JSON Lines, JSON, CSV or TSV (.gz too) shaped into examples by the fields that the task names. */

import { basename } from "node:path";
import { DataError, SpecError } from "../base/errors.ts";
import { parseCsv } from "../formats/csv.ts";
import { readText } from "../formats/files.ts";
import { parseJsonl } from "../formats/jsonl.ts";
import type { AnswerSpec, TaskSpec } from "../specs/types.ts";
import { groupOfText, type Row, type SourceSplits } from "./splits.ts";

/** A row of a file by field, with the line it begins on. */
interface FileRow {
  line: number;
  fields: Record<string, unknown>;
}

/** Lines of skipped rows that a note lists before it only counts. */
const MAX_LISTED = 20;

/**
 * Reads the files of a task. A field that no row has is an error that names those there are; a single row that cannot be used stops the load,
 * or is counted and listed in `notes` with `on_bad_row: skip`.
 *
 * @throws {SpecError} prompt or answer missing, a field that is not there, a kind of file that cannot be read
 * @throws {DataError} a row that cannot be used, a damaged or empty file
 */
export function loadOwnData(spec: TaskSpec, notes: string[]): { answer: AnswerSpec; source: SourceSplits } {
  const { answer, data } = spec;
  if (answer === undefined || data === undefined) throw incomplete(spec.name, "answer");
  if (spec.prompt === undefined && answer.kind !== "document") throw incomplete(spec.name, "prompt");
  const shape = shaper(spec, answer);
  const read = (path: string): Row[] => {
    const rows = readRows(path);
    checkColumns(spec, shape.fields, rows, path);
    return usable(rows, shape.row, path, spec.on_bad_row ?? "stop", notes);
  };
  const source: SourceSplits = { train: read(data.train) };
  if (data.dev !== undefined) source.dev = read(data.dev);
  if (data.test !== undefined) source.test = read(data.test);
  return { answer, source };
}

function incomplete(name: string, key: string): SpecError {
  return new SpecError({
    place: `task ${name}`,
    expected: `the key ${key}, as the task has its own data`,
    got: "none",
    remedy: `Add ${key}: see the study file in the README, or let mixtune init propose one.`,
  });
}

/**
 * Rows of a file, by its name: .jsonl .ndjson .json .csv .tsv, each also with .gz.
 * @throws {SpecError} another ending; {DataError} a damaged file
 */
export function readRows(path: string): FileRow[] {
  const ending = /\.(jsonl|ndjson|json|csv|tsv)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === undefined) {
    throw new SpecError({
      place: path,
      expected: "a file that ends in .jsonl, .json, .csv or .tsv, or one of these with .gz",
      got: basename(path),
      remedy: "Save the rows in one of these forms.",
    });
  }
  const text = readText(path);
  if (ending === "csv" || ending === "tsv") {
    const rows = parseCsv(text, path, { delimiter: ending === "tsv" ? "\t" : "," });
    return rows.map(({ line, row }) => ({ line, fields: row }));
  }
  const values = ending === "json" ? jsonList(text, path) : parseJsonl(text, path);
  return values.map(({ line, value }) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new DataError({
        place: `${path}:${line}`,
        expected: "an object with named fields",
        got: JSON.stringify(value).slice(0, 60),
        remedy: 'Write each row as {"field": value, …}.',
      });
    }
    return { line, fields: value as Record<string, unknown> };
  });
}

/** A JSON file's list; its elements are numbered from 1, as lines say nothing there. */
function jsonList(text: string, path: string): { line: number; value: unknown }[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError({
      place: path,
      expected: "a JSON list of rows",
      got: "text that is not JSON",
      remedy: "Put the file right.",
      cause,
    });
  }
  if (!Array.isArray(value)) {
    throw new DataError({
      place: path,
      expected: "a JSON list of rows",
      got: typeof value,
      remedy: "Write the rows as one list.",
    });
  }
  return value.map((element, i) => ({ line: i + 1, value: element }));
}

/** How a row becomes an example, and the fields that needs. */
function shaper(spec: TaskSpec, answer: AnswerSpec): { fields: string[]; row: (row: FileRow) => Row | string } {
  const parts = (spec.prompt ?? "").split(/\{([^{}\n]+)\}/); // words and, at odd places, names of fields
  const inPrompt = parts.filter((_, i) => i % 2 === 1);
  const fields = [...new Set([...inPrompt, answer.field, ...(spec.group === undefined ? [] : [spec.group])])];
  const row = ({ line, fields: values }: FileRow): Row | string => {
    for (const field of fields) {
      const problem = problemOf(values[field], field);
      if (problem !== null) return problem;
    }
    const gold = String(values[answer.field]).trim();
    if (answer.kind === "label" && !answer.labels.includes(gold)) {
      return `${answer.field} "${gold}" is not one of the labels ${answer.labels.join(", ")}`;
    }
    const text = answer.kind === "document" ? gold : inPrompt.map((field) => String(values[field])).join("\n");
    const prompt = parts.map((part, i) => (i % 2 === 1 ? String(values[part]) : part)).join("");
    const group = spec.group === undefined ? groupOfText(text) : String(values[spec.group]);
    return { number: line, prompt: answer.kind === "document" ? "" : prompt, answer: gold, group, text };
  };
  return { fields, row };
}

function problemOf(value: unknown, field: string): string | null {
  if (value === undefined || value === null) return `no ${field}`;
  if (typeof value === "object")
    return `${field} is a ${Array.isArray(value) ? "list" : "nested object"}, not a text or number`;
  return String(value).trim() === "" ? `${field} is empty` : null;
}

function checkColumns(spec: TaskSpec, fields: readonly string[], rows: readonly FileRow[], path: string): void {
  if (rows.length === 0) {
    throw new DataError({
      place: path,
      expected: "at least one row",
      got: "none",
      remedy: "Check that this is the right file.",
    });
  }
  const present = new Set(rows.flatMap((row) => Object.keys(row.fields)));
  const missing = fields.find((field) => !present.has(field));
  if (missing !== undefined) {
    throw new SpecError({
      place: `task ${spec.name}: ${path}`,
      expected: `a column "${missing}"`,
      got: [...present].map((name) => `"${name}"`).join(", "),
      remedy: "Use one of these names in prompt, answer.field and group, or rename the column.",
    });
  }
}

function usable(
  rows: readonly FileRow[],
  shape: (row: FileRow) => Row | string,
  path: string,
  onBadRow: "stop" | "skip",
  notes: string[],
): Row[] {
  const good: Row[] = [];
  const bad: string[] = [];
  for (const row of rows) {
    const shaped = shape(row);
    if (typeof shaped !== "string") good.push(shaped);
    else if (onBadRow === "skip") bad.push(`line ${row.line} (${shaped})`);
    else {
      throw new DataError({
        place: `${path}:${row.line}`,
        expected: "a row that the task can use",
        got: shaped,
        remedy: "Put the row right, or set on_bad_row: skip to leave such rows out, counted and listed.",
      });
    }
  }
  if (bad.length > 0) {
    const more = bad.length > MAX_LISTED ? ` and ${bad.length - MAX_LISTED} more` : "";
    notes.push(`${path}: ${bad.length} of ${rows.length} rows skipped: ${bad.slice(0, MAX_LISTED).join("; ")}${more}.`);
  }
  return good;
}
