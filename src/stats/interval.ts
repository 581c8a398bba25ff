/** @file Two-sided confidence intervals. */

import { normalQuantile } from "./normal.ts";
import { incompleteBetaInverse } from "./special.ts";
import { tQuantile } from "./student-t.ts";

/** Coverage of every interval that mixtune shows. */
export const CONFIDENCE = 0.95;

/** Both bounds are NaN where the interval does not exist. */
export interface Interval {
  low: number;
  high: number;
}

/**
 * Wilson's score interval of a proportion: near its nominal coverage also for few items and near 0 and 1, where the normal interval fails.
 *
 * @param successes  0 .. n
 * @param n          independent items; 0 gives NaN
 * @source Wilson 1927; golden test/golden/stats/intervals (statsmodels proportion_confint)
 */
export function wilsonInterval(successes: number, n: number): Interval {
  if (n === 0) return { low: Number.NaN, high: Number.NaN };
  const z2 = normalQuantile((1 + CONFIDENCE) / 2) ** 2;
  const centre = (successes + z2 / 2) / (n + z2);
  const half = Math.sqrt(z2 * ((successes * (n - successes)) / n + z2 / 4)) / (n + z2);
  // Rounding must not put the bounds past the proportions that exist.
  return { low: successes === 0 ? 0 : centre - half, high: successes === n ? 1 : centre + half };
}

/**
 * The exact interval of a proportion: never below its nominal coverage, hence wider than Wilson's, which is so on average.
 * Bounds are the beta quantiles B(0.025; s, n - s + 1) and B(0.975; s + 1, n - s).
 *
 * @param successes  0 .. n
 * @param n          independent items; 0 gives NaN
 * @source Clopper & Pearson 1934; golden test/golden/stats/tests (statsmodels proportion_confint, method beta)
 */
export function clopperPearsonInterval(successes: number, n: number): Interval {
  if (n === 0) return { low: Number.NaN, high: Number.NaN };
  const tail = (1 - CONFIDENCE) / 2;
  return {
    low: successes === 0 ? 0 : incompleteBetaInverse(tail, successes, n - successes + 1),
    high: successes === n ? 1 : 1 - incompleteBetaInverse(tail, n - successes, successes + 1),
  };
}

/** estimate -+ t(df) * standardError; NaN bounds where df is not positive. */
export function tInterval(estimate: number, standardError: number, df: number): Interval {
  const half = tQuantile((1 + CONFIDENCE) / 2, df) * standardError;
  return { low: estimate - half, high: estimate + half };
}
