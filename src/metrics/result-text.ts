/**
 * @file Results that are right to the letter or wrong (`\frac{1}{2}`, `(B)`, `] )`), read from what a model wrote.
 *
 * | reading | what is taken for the result |
 * | --- | --- |
 * | strict  | what follows the last `The answer is` at the beginning of a line, else the whole text |
 * | lenient | what the last `\boxed{…}` holds, else the rest of the line behind the last `answer is`, `Answer:` or `####`, else the last line with anything on it |
 *
 * Two results are the same where they differ in blanks that part no words, a full stop behind them, upper and lower case of words (single letters
 * keep theirs: (A) is not (a)), dollar signs, or ways to write the same in LaTeX: size of brackets and fractions, spacing,
 * `\text{…}`, degree signs, commas between thousands, left-out braces of fractions. Nothing is computed: 0.5 is not \frac{1}{2}.
 */

import { lastBoxed, resultIn } from "../base/result-mark.ts";
import { composed } from "../base/unicode.ts";

/** The result by the strict reading. */
export function readResultStrict(text: string): string {
  return resultIn(text).trim();
}

/** The result by the lenient reading; empty where the text is. */
export function readResultLenient(text: string): string {
  const marked = [...text.matchAll(/(?:answer\s+is\b:?|answer\s*:|####)[^\S\n]*([^\n]*)/gi)].at(-1)?.[1];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lastBoxed(text) ?? (marked?.trim() || lines.at(-1)) ?? "").trim();
}

/** Whether two results are the same, by the head of this file. */
export function isSameResult(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(result: string): string {
  return (
    composed(result)
      .trim()
      .replace(/^\\[([](.*)\\[)\]]$/s, "$1")
      .replace(/\\?\$/g, "")
      .replace(/(?<=\d)(?:,|\{,\}|\\,)(?=\d{3}(?!\d))/g, "")
      .replace(/\\(?:left|right|[,;!: ])(?![a-z])/g, "")
      .replace(/\\[dt]frac/g, "\\frac")
      .replace(/\\(?:text|mbox|mathrm|textbf)\s*\{([^{}]*)\}/g, "$1")
      .replace(/\^\s*\{?\s*\\circ\s*\}?|°/g, "")
      .replace(/\\frac\s*(\d)\s*(\d)/g, "\\frac{$1}{$2}")
      .replace(/\\%/g, "%")
      // \Delta and \delta are two.
      .replace(/(?<![\\\p{L}])\p{L}{2,}/gu, (word) => word.toLowerCase())
      .replace(/\s+/gu, " ")
      .replace(/(\\[a-z]+) (?![a-z])/gi, "$1")
      .replace(/(?<![\p{L}\p{N}]) | (?![\p{L}\p{N}])/gu, "")
      .replace(/(?<=[\p{L}\p{N})}\]])\.$/u, "")
  );
}
