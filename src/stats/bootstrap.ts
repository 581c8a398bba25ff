/** @file The percentile bootstrap over groups of items: for scores that are no means (F1, MCC) and for items that depend on each other. */

import { Rng } from "../base/rng.ts";
import { clusters } from "./clusters.ts";
import { CONFIDENCE, type Interval } from "./interval.ts";
import { sortedQuantile } from "./moments.ts";

/** `resamples` 1000: the bounds' own noise is then about a twentieth of the interval's width. */
export interface BootstrapOptions {
  seed: number;
  resamples?: number;
}

/** Share of resamples that may leave a statistic undefined before its interval does not exist. */
const MAX_UNDEFINED = 0.05;

/**
 * Percentile intervals of several statistics from one set of resamples: groups are drawn with replacement, each with all its items.
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
  { seed, resamples = 1000 }: BootstrapOptions,
): Interval[] {
  const all = clusters(groups);
  const rng = new Rng(seed, "bootstrap");
  const count = statistics(Int32Array.from(groups.keys())).length;
  const draws: number[][] = Array.from({ length: count }, () => []);
  for (let r = 0; r < resamples && all.length > 1; r++) {
    const items: number[] = [];
    for (let g = 0; g < all.length; g++) {
      for (const item of rng.pick(all)) items.push(item);
    }
    statistics(Int32Array.from(items)).forEach((value, s) => {
      if (!Number.isNaN(value)) (draws[s] as number[]).push(value);
    });
  }
  return draws.map((values) => {
    if (values.length < resamples * (1 - MAX_UNDEFINED)) return { low: Number.NaN, high: Number.NaN };
    const sorted = Float64Array.from(values).sort();
    const tail = (1 - CONFIDENCE) / 2;
    return { low: sortedQuantile(sorted, tail), high: sortedQuantile(sorted, 1 - tail) };
  });
}

/** {@link bootstrapIntervals} of one statistic. */
export function bootstrapInterval(
  statistic: (items: Int32Array) => number,
  groups: readonly string[],
  options: BootstrapOptions,
): Interval {
  return bootstrapIntervals((items) => [statistic(items)], groups, options)[0] as Interval;
}
