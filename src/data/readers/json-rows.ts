/** @file Rows of published JSON files, each with its place for messages, and fields checked where they are read. */

import { DataError } from "../../base/errors.ts";
import { readText } from "../../formats/files.ts";
import { parseJsonl } from "../../formats/jsonl.ts";
import { damaged } from "./damaged.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object of a file; `number` is its line, or its place in the list, from 1. */
export interface JsonRow {
  number: number;
  row: JsonObject;
  place: string;
}

/** The objects of a JSON Lines file, whatever its name ends in (.gz is unpacked). @throws {DataError} damaged lines, values that are no objects */
export function readJsonLines(path: string): JsonRow[] {
  return parseJsonl(readText(path), path).map(({ line, value }) => rowOf(value, line, path));
}

/** The objects of a JSON file that is one list (.gz is unpacked). @throws {DataError} anything else */
export function readJsonList(path: string): JsonRow[] {
  return listOf(parseJson(readText(path), path), path).map((value, i) => rowOf(value, i + 1, path));
}

/** @throws {DataError} text that is not JSON */
export function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError({ place, expected: "JSON", got: "text that is not", remedy: "Fetch the file again.", cause });
  }
}

/** @throws {DataError} not a list */
export function listOf(value: unknown, place: string, what = "a list"): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged(place, what, describe(value));
}

/** @throws {DataError} not an object with named fields */
export function objectOf(value: unknown, place: string, what = "an object with named fields"): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw damaged(place, what, describe(value));
}

/** A field's text without space around it. @throws {DataError} no such field, no text, or an empty one */
export function textField(row: JsonObject, field: string, place: string): string {
  const value = row[field];
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw damaged(place, `a text in ${field}`, describe(value));
}

/** A field's text without space around it; empty where it is null. @throws {DataError} no such field, or one that is no text */
export function optionalText(row: JsonObject, field: string, place: string): string {
  const value = row[field] === null ? "" : row[field];
  if (typeof value === "string") return value.trim();
  throw damaged(place, `a text in ${field}, which may be empty`, describe(value));
}

/** The texts of a list, without space around them. @throws {DataError} not a list of texts */
export function textList(value: unknown, place: string, what: string): string[] {
  return listOf(value, place, what).map((text) => {
    if (typeof text === "string") return text.trim();
    throw damaged(place, what, describe(text));
  });
}

function rowOf(value: unknown, number: number, path: string): JsonRow {
  const place = `${path}:${number}`;
  return { number, row: objectOf(value, place), place };
}

function describe(value: unknown): string {
  return value === undefined ? "none" : (JSON.stringify(value) ?? typeof value);
}
