/** @file Free text against a reference by words, as SQuAD does: exact match and F1 of tokens, after the texts are made comparable. */

import { composed } from "../base/unicode.ts";

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** One form of Unicode, lower case, without ASCII punctuation and English articles, words parted by one blank. */
export function squadNormalise(text: string): string {
  const bare = composed(text).toLowerCase().replace(PUNCTUATION, "").replace(ARTICLES, " ");
  return bare
    .split(/\s+/u)
    .filter((word) => word !== "")
    .join(" ");
}

/** 1 where output and reference are the same after {@link squadNormalise}, else 0. */
export function exactMatch(output: string, reference: string): number {
  return squadNormalise(output) === squadNormalise(reference) ? 1 : 0;
}

/**
 * F1 of the words that output and reference share, repeats counted. Where one has no words left it is 1 if neither has, else 0.
 *
 * @source Rajpurkar et al. 2018 (SQuAD 2.0), its evaluation; golden test/golden/metrics/text
 */
export function tokenF1(output: string, reference: string): number {
  const [predicted, gold] = [wordsOf(output), wordsOf(reference)];
  if (predicted.length === 0 || gold.length === 0) return predicted.length === gold.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of gold) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of predicted) {
    const n = left.get(word) ?? 0;
    if (n > 0) common++;
    left.set(word, n - 1);
  }
  return (2 * common) / (predicted.length + gold.length);
}

function wordsOf(text: string): string[] {
  return squadNormalise(text)
    .split(" ")
    .filter((word) => word !== "");
}
