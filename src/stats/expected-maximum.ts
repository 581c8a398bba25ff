/** @file What the best of k trials may be expected to score: the honest way to compare a search of 200 with a search of 5. */

import { Rng } from "../base/rng.ts";
import type { BootstrapOptions } from "./bootstrap.ts";
import { type Interval, tInterval } from "./interval.ts";
import { variance } from "./moments.ts";

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
  return weightedSum(Float64Array.from(scores).sort(), maximumShares(n, k));
}

/** C(i-1, k-1) / C(n, k) for the i-th smallest of n, from the largest (k / n) downwards. */
function maximumShares(n: number, k: number): Float64Array {
  const shares = new Float64Array(n - k + 1);
  shares[0] = k / n;
  for (let i = n; i > k; i--) shares[n - i + 1] = shares[n - i]! * ((i - k) / (i - 1));
  return shares;
}

function weightedSum(ascending: Float64Array, shares: Float64Array): number {
  const last = ascending.length - 1;
  let sum = 0;
  for (let rank = 0; rank < shares.length; rank++) sum += (shares[rank] as number) * (ascending[last - rank] as number);
  return sum;
}

/** Share of the trials up to which k has an interval: beyond, too much hangs on the few highest for any resampling to tell. */
const KNOWN_SHARE = 1 / 4;

/**
 * {@link expectedMaximum} for k = 1 .. n, with t intervals from its bootstrap standard error over trials. Bounds are NaN above a quarter of
 * the trials, where they would hold the truth in less than nine of ten cases (docs/calibration.md).
 */
export function expectedMaximumCurve(
  scores: readonly number[],
  { seed, resamples = 1000 }: BootstrapOptions,
): ExpectedMaximum[] {
  const n = scores.length;
  const rng = new Rng(seed, "expected-maximum");
  const samples = Array.from({ length: resamples }, () => Float64Array.from(scores, () => rng.pick(scores)).sort());
  return scores.map((_, at) => {
    const k = at + 1;
    const expected = expectedMaximum(scores, k);
    if (k > Math.ceil(n * KNOWN_SHARE)) return { k, expected, low: Number.NaN, high: Number.NaN };
    const shares = maximumShares(n, k);
    const spread = variance(samples.map((sample) => weightedSum(sample, shares)));
    return { k, expected, ...tInterval(expected, Math.sqrt((spread * n) / (n - 1)), n - 1) };
  });
}
