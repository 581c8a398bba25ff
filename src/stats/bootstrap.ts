/** @file The percentile bootstrap over groups of items: for scores that are no means (F1, MCC) and for items that depend on each other. */

import { Rng } from "../base/rng.ts";
import { clusters } from "./clusters.ts";
import { CONFIDENCE, type Interval } from "./interval.ts";
import { sortedQuantile } from "./moments.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { tCdf, tQuantile } from "./student-t.ts";

/** `resamples` 1000: the bounds' own noise is then about a twentieth of the interval's width. */
export interface BootstrapOptions {
  seed: number;
  resamples?: number;
}

/** Item indices, with repeats, to one number; NaN where it is not defined. */
export type Statistic = (items: Int32Array) => number;

/** Share of resamples that may leave a statistic undefined before its interval does not exist. */
const MAX_UNDEFINED = 0.05;

/**
 * Values of several statistics over the same resamples: groups are drawn with replacement, each with all its items.
 *
 * @param groups   [n] the group of each item; below two groups there are no resamples
 * @param fewerBy  groups that a resample holds fewer than there are. 0: the classical bootstrap, whose variance of a mean is
 *                 (G-1)/G of the right one; 1: the right one (Rao & Wu 1988)
 * @returns        [statistics][resamples]; same seed, same values
 */
export function bootstrapDraws(
  statistics: (items: Int32Array) => readonly number[],
  groups: readonly string[],
  { seed, resamples = 1000 }: BootstrapOptions,
  fewerBy: 0 | 1 = 0,
): number[][] {
  const all = clusters(groups);
  const rng = new Rng(seed, "bootstrap");
  const count = statistics(Int32Array.from(groups.keys())).length;
  const draws: number[][] = Array.from({ length: count }, () => []);
  for (let r = 0; r < resamples && all.length > 1; r++) {
    statistics(resampled(all, rng, all.length - fewerBy)).forEach((value, s) => {
      (draws[s] as number[]).push(value);
    });
  }
  return draws;
}

/** The items of so many groups, drawn with replacement. */
export function resampled(all: readonly (readonly number[])[], rng: Rng, numGroups: number): Int32Array {
  const drawn = Array.from({ length: numGroups }, () => rng.pick(all));
  const items = new Int32Array(drawn.reduce((size, group) => size + group.length, 0));
  let at = 0;
  for (const group of drawn) {
    for (const item of group) items[at++] = item;
  }
  return items;
}

/**
 * Percentile intervals of several statistics from one set of resamples.
 *
 * @param statistics  item indices (with repeats) to one number a statistic; NaN where undefined. Undefined resamples are left out;
 *                    where they are more than 5 % the bounds are NaN
 * @param groups      [n] the group of each item; below two groups the bounds are NaN
 * @returns           one interval a statistic, in order. Same seed, same intervals
 * @source Efron & Tibshirani 1993, ch. 13
 */
export function bootstrapIntervals(
  statistics: (items: Int32Array) => readonly number[],
  groups: readonly string[],
  options: BootstrapOptions,
): Interval[] {
  return bootstrapDraws(statistics, groups, options).map((draws) => percentiles(draws));
}

/** {@link bootstrapIntervals} of one statistic. */
export function bootstrapInterval(
  statistic: Statistic,
  groups: readonly string[],
  options: BootstrapOptions,
): Interval {
  return bootstrapIntervals((items) => [statistic(items)], groups, options)[0] as Interval;
}

/** The percentile interval of resampled values; undefined ones are left out, and more than 5 % of them leave no interval. */
export function percentiles(draws: readonly number[], tail = (1 - CONFIDENCE) / 2): Interval {
  const defined = definedDraws(draws);
  const sorted = Float64Array.from(defined).sort();
  return { low: sortedQuantile(sorted, tail), high: sortedQuantile(sorted, 1 - tail) };
}

/**
 * The percentile interval with its tails moved out as far as Student's t has them beyond the normal: few groups or seeds estimate the
 * spread poorly, and a plain percentile interval takes no notice. With the p value of a true value of 0 that goes with it (p < 0.05 where
 * 0 is outside), not below what the number of resamples can show.
 *
 * @param draws  with the right variance ({@link bootstrapDraws} with `fewerBy` 1)
 * @param df     degrees of freedom of the spread
 * @source Hesterberg 2015 (The American Statistician 69), "expanded percentile"
 */
export function expandedPercentiles(draws: readonly number[], df: number): Interval & { pValue: number } {
  const defined = definedDraws(draws);
  const tail = normalCdf(tQuantile((1 - CONFIDENCE) / 2, df));
  if (defined.length === 0 || Number.isNaN(tail)) return { low: Number.NaN, high: Number.NaN, pValue: Number.NaN };
  let below = 0.5;
  for (const value of defined) below += value < 0 ? 1 : value === 0 ? 0.5 : 0;
  const z = normalQuantile(below / (defined.length + 1));
  return { ...percentiles(defined, tail), pValue: 2 * tCdf(-Math.abs(z), df) };
}

/** The draws that are numbers; none where too many are not. */
export function definedDraws(draws: readonly number[]): number[] {
  const defined = draws.filter((value) => !Number.isNaN(value));
  return defined.length < draws.length * (1 - MAX_UNDEFINED) ? [] : defined;
}
