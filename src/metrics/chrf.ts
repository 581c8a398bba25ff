/** @file chrF: F-score of runs of one to six characters that output and reference share, recall counted twice as much; in [0, 1]. */

import { composed } from "../base/unicode.ts";

const ORDER = 6;
const BETA_SQUARED = 4;

/** Counts for each length of run, 1 to 6: in the output, in the reference, in both. */
type Counts = [output: number, reference: number, common: number][];

/**
 * chrF of one output: precision and recall are averaged over those lengths that both sides have.
 * Characters are code points of NFC, white space is left out. 0 where nothing is shared.
 *
 * @source Popović 2015; golden test/golden/metrics/text (sacrebleu 2.6 CHRF, a hundredth of its scale)
 */
export function chrf(output: string, reference: string): number {
  return fromCounts(countRuns(output, reference));
}

function countRuns(output: string, reference: string): Counts {
  const [a, b] = [output, reference].map((text) => [...composed(text).replace(/\s+/gu, "")]) as [string[], string[]];
  return Array.from({ length: ORDER }, (_, i) => {
    const [mine, theirs] = [runs(a, i + 1), runs(b, i + 1)];
    let common = 0;
    for (const [run, count] of mine) common += Math.min(count, theirs.get(run) ?? 0);
    const ofReference = Math.max(0, b.length - i);
    // Runs longer than the reference could not be in it, and are not held against the output.
    return [ofReference > 0 ? Math.max(0, a.length - i) : 0, ofReference, common];
  });
}

function runs(chars: readonly string[], length: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + length <= chars.length; i++) {
    const run = chars.slice(i, i + length).join("");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}

function fromCounts(counts: Counts): number {
  const lengths = counts.filter(([output, reference]) => output > 0 && reference > 0);
  const average = (share: (counts: Counts[number]) => number) =>
    lengths.reduce((sum, length) => sum + share(length), 0) / lengths.length;
  const precision = average(([output, , common]) => common / output);
  const recall = average(([, reference, common]) => common / reference);
  const below = BETA_SQUARED * precision + recall;
  return below > 0 ? ((1 + BETA_SQUARED) * precision * recall) / below : 0;
}
