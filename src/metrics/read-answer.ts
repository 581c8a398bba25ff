/** @file What a model's text says as an answer of its kind, whatever the gold answer is. Labels have readings of their own (label-text.ts). */

import { type Span, spansIn } from "../base/span-text.ts";
import { readNumberLenient, readNumberStrict } from "./number-answer.ts";
import { formatNumber } from "./number-text.ts";

/** What is read, by kind: text as it stands, a number as canonical text with its unit (`1234.5`, `9.37%`, `$3 million`), or yes or no. */
export interface ReadAnswers {
  text: string;
  number: string;
  spans: Span[];
}

const READERS: { [K in keyof ReadAnswers]: (output: string) => ReadAnswers[K] | null } = {
  text: (output) => output.trim() || null,
  number: (output) => {
    const number = readNumberStrict(output) ?? readNumberLenient(output);
    return number === null || typeof number === "string" ? number : formatNumber(number);
  },
  spans: (output) => spansIn(output.trim()) ?? null,
};

/** The answer in an output, or null where it has none: a number by the strict reading, else by the lenient one. */
export function readAnswer<K extends keyof ReadAnswers>(kind: K, output: string): ReadAnswers[K] | null {
  return READERS[kind](output);
}
