/** @file ROUGE-L: F1 of the longest sequence of words that output and reference have in common in this order, gaps allowed. */

import { composed } from "../base/unicode.ts";

/**
 * 0 where either has no words. Words are runs of ASCII letters and digits in lower case, not stemmed: of a text in another script nothing
 * is left, and its score says nothing.
 *
 * @source Lin 2004; golden test/golden/metrics/text (rouge-score 0.1.2, rougeL without stemmer)
 */
export function rougeL(output: string, reference: string): number {
  const [a, b] = [wordsOf(output), wordsOf(reference)];
  return a.length === 0 || b.length === 0 ? 0 : (2 * longestCommon(a, b)) / (a.length + b.length);
}

function wordsOf(text: string): string[] {
  return (
    composed(text)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  );
}

/** Length of the longest common subsequence, one row of the table at a time. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Int32Array(b.length + 1);
  for (const word of a) {
    const next = new Int32Array(b.length + 1);
    for (let j = 0; j < b.length; j++) next[j + 1] = word === b[j] ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!);
    row = next;
  }
  return row[b.length]!;
}
