/** @file The known word nearest to one that is not known: by meaning, then by letters. */

import { shortList } from "../base/short-list.ts";
import { meaningsOf } from "./other-names.ts";

/** Levenshtein distance: insertions, deletions, substitutions. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/**
 * The known word that `word` is another name of, else the nearest by letters; undefined when all are further away than a third of its length (at
 * least 2, and never all of it).
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const meant = meaningsOf(word).find((candidate) => known.includes(candidate));
  if (meant !== undefined) return meant;
  let best: string | undefined;
  let bestDistance = Math.min(word.length, Math.max(2, Math.floor(word.length / 3)) + 1);
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** The remedy for an unknown word: names the nearest known one, else those there are. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = nearest(word, known);
  if (best !== undefined) return `Did you mean ${best}?`;
  return known.length > 0 ? `Known here: ${shortList(known)}.` : "Remove it.";
}
