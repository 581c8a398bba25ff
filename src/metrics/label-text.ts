/**
 * @file Labels read from generated text, strictly and leniently.
 *
 * | reading | rule | what it does not see |
 * | --- | --- | --- |
 * | strict  | the whole text, without white space around it, is a label; upper and lower case are one, and so are the forms of Unicode | nothing else is a label |
 * | lenient | the label that begins first in the text; of several that begin there the longest; no letter, digit or _ may touch it | negation: `not positive` is positive; hyphens part words: `neutral-positive` is neutral; a label that is said only to be weighed |
 *
 * A label of one character is matched in its own case only: the article in `a matter of B` is not the choice A.
 */

import { composed } from "../base/unicode.ts";

/** How a text is read: the label, or null where the text says none. */
export type LabelReader = (text: string) => string | null;

/** Whole texts that are a label. A text in exactly a label's case is that label, should two labels differ in case alone. */
export function strictReader(labels: readonly string[]): LabelReader {
  const byFolded = new Map(labels.toReversed().map((label) => [fold(label), label]));
  const exact = new Map(labels.map((label) => [composed(label), label]));
  return (text) => {
    const trimmed = composed(text.trim());
    return exact.get(trimmed) ?? byFolded.get(fold(trimmed)) ?? null;
  };
}

/** The first label in a text, by the order of this file's table. */
export function lenientReader(labels: readonly string[]): LabelReader {
  const strict = strictReader(labels);
  const longestFirst = labels.map(composed).sort((a, b) => b.length - a.length);
  const pattern = longestFirst.map((label) => `(?:${[...label].map(anyCase(label)).join("")})`).join("|");
  const found = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${pattern})(?![\\p{L}\\p{N}_])`, "u");
  return (text) => {
    const match = found.exec(composed(text));
    return match === null ? null : strict(match[0]);
  };
}

/** A character of a label as a pattern, in both cases unless the label is that one character. */
function anyCase(label: string): (char: string) => string {
  const isSingle = [...label].length === 1;
  return (char) => {
    const spellings = isSingle ? [char] : [...new Set([char, char.toLowerCase(), char.toUpperCase()])];
    return spellings.length === 1 ? literal(char) : `(?:${spellings.map(literal).join("|")})`;
  };
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function fold(text: string): string {
  return composed(text).toLowerCase();
}
