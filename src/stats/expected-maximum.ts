/** @file What the best of k trials may be expected to score: the honest way to compare a search of 200 with a search of 5. */

import { Rng } from "../base/rng.ts";
import { type BootstrapOptions, percentiles } from "./bootstrap.ts";
import type { Interval } from "./interval.ts";

/** Expected maximum of `k` trials with its bootstrap interval over trials. */
export interface ExpectedMaximum extends Interval {
  k: number;
  expected: number;
}

/**
 * Mean of the maximum over all subsets of k of the n observed trials: sum over ascending x(i) of x(i) C(i-1, k-1) / C(n, k). Unbiased,
 * which drawing with replacement is not (too low). Exists for k <= n only: beyond what was tried nothing is known; NaN there.
 *
 * @source Tang et al. 2020 (ACL), correcting Dodge et al. 2019; golden test/golden/stats/selection (all subsets)
 */
export function expectedMaximum(scores: readonly number[], k: number): number {
  const n = scores.length;
  if (!(k >= 1 && k <= n) || scores.some((score) => Number.isNaN(score))) return Number.NaN;
  const ascending = scores.toSorted((a, b) => a - b);
  // share = C(i-1, k-1) / C(n, k) for the i-th smallest; from the largest (k / n) downwards
  let share = k / n;
  let sum = 0;
  for (let i = n; i >= k; i--) {
    sum += share * (ascending[i - 1] as number);
    share *= (i - k) / (i - 1);
  }
  return sum;
}

/**
 * {@link expectedMaximum} for k = 1 .. n (or to `most`), with percentile intervals from trials drawn with replacement. The intervals are
 * too narrow when k nears n: a resample cannot hold a score above the best seen.
 */
export function expectedMaximumCurve(
  scores: readonly number[],
  { seed, resamples = 1000, most = scores.length }: BootstrapOptions & { most?: number },
): ExpectedMaximum[] {
  const rng = new Rng(seed, "expected-maximum");
  const samples = Array.from({ length: resamples }, () => scores.map(() => rng.pick(scores)));
  return Array.from({ length: Math.min(most, scores.length) }, (_, at) => {
    const k = at + 1;
    const bounds = percentiles(samples.map((sample) => expectedMaximum(sample, k)));
    return { k, expected: expectedMaximum(scores, k), ...bounds };
  });
}
