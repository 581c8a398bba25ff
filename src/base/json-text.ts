/** @file JSON in which every number keeps its text: read into numbers and {@link WrittenNumber}s, written back with the same digits. */

import { WrittenNumber, writtenNumber } from "./written-number.ts";

/**
 * What a number may have that `String` writes otherwise: more digits than a double holds, a fraction that ends in 0, an exponent, many zeros in front,
 * a minus before 0.
 */
const WRITTEN_OTHERWISE = /[\d.]{16}|\.\d*0(?!\d)|\d[eE]|0\.000000|-0(?![.\d])/;

/** Strings, brackets, and what stands between commas and colons. Strings first run to their end without a choice: they may be of many megabytes. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]|[^\s",:[\]{}]+/g;

/** `JSON.parse`, but for numbers that would not be written as they stand: those are {@link WrittenNumber}s. @throws {SyntaxError} as JSON.parse */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return mayBeWrittenOtherwise(text) ? parseTokens(text) : value;
}

/** Looks between the strings, which may be long and say anything. */
function mayBeWrittenOtherwise(text: string): boolean {
  for (let at = 0; ; ) {
    const quote = text.indexOf('"', at);
    if (WRITTEN_OTHERWISE.test(quote < 0 ? text.slice(at) : text.slice(at, quote))) return true;
    if (quote < 0) return false;
    at = text.indexOf('"', quote + 1);
    while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
    at++;
  }
}

/** Whether an odd number of backslashes stands before a place. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === "\\") first--;
  return (at - first) % 2 === 1;
}

/** A list or object that is being read: an object's items are its entries. */
interface Open {
  isObject: boolean;
  key?: string | undefined;
  items: unknown[];
}

/** The value of a text that is known to be JSON. */
function parseTokens(text: string): unknown {
  const outer: Open = { isObject: false, items: [] };
  const stack = [outer];
  let open = outer;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open = { isObject: token === "{", items: [] };
      stack.push(open);
    } else if (token === "}" || token === "]") {
      const { isObject, items } = stack.pop() as Open;
      open = stack.at(-1) as Open;
      put(open, isObject ? Object.fromEntries(items as [string, unknown][]) : items);
    } else if (open.isObject && open.key === undefined) open.key = JSON.parse(token);
    else put(open, /^[-\d]/.test(token) ? writtenNumber(token) : JSON.parse(token));
  }
  return outer.items[0];
}

function put(open: Open, value: unknown): void {
  open.items.push(open.isObject ? [open.key, value] : value);
  open.key = undefined;
}

/** `JSON.stringify` that writes a {@link WrittenNumber} as the number it is, bytes as lists of numbers, and leaves out numbers that are not finite. */
export function formatJson(value: unknown): string {
  if (value instanceof WrittenNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => (isAbsent(item) ? "null" : formatJson(item))).join(",")}]`;
  if (value instanceof Uint8Array) return `[${value.join(",")}]`;
  if (typeof value !== "object" || value === null || "toJSON" in value) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => !isAbsent(item));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${formatJson(item)}`).join(",")}}`;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || (typeof value === "number" && !Number.isFinite(value));
}
