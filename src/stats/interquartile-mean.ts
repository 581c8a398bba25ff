/** @file One number over tasks of different metrics: the interquartile mean of scores on a common scale. */

import { Rng } from "../base/rng.ts";
import { type BootstrapOptions, expandedPercentiles } from "./bootstrap.ts";
import type { Interval } from "./interval.ts";
import { mean } from "./moments.ts";

/** A score on the scale where always guessing the majority is 0 and perfect is 1; below 0 is worse than guessing. NaN where they are equal. */
export function baselineNormalised(score: number, majority: number, perfect = 1): number {
  return majority === perfect ? Number.NaN : (score - majority) / (perfect - majority);
}

/**
 * Mean of the middle half: floor(n / 4) values are cut at either end. NaN of nothing, or with a NaN among the values.
 *
 * @source Agarwal et al. 2021 (rliable); golden test/golden/stats/aggregate (scipy trim_mean)
 */
export function interquartileMean(values: readonly number[]): number {
  if (values.some((value) => Number.isNaN(value))) return Number.NaN;
  const cut = Math.floor(values.length / 4);
  return mean(values.toSorted((a, b) => a - b).slice(cut, values.length - cut));
}

/**
 * Interquartile mean over all seeds and tasks, with an interval of retraining on these tasks: within each task, seeds' deviations from their
 * mean are drawn with replacement. Unlike rliable's, they are stretched by sqrt(k / (k - 1)) and the tails are {@link expandedPercentiles}:
 * with two seeds the plain bootstrap shows half the variance.
 *
 * @param scores  [tasks][seeds] normalised; tasks may differ in seeds. Bounds are NaN where one has a single seed
 * @source Agarwal et al. 2021 (stratified bootstrap); golden test/golden/stats/aggregate (all resamples, enumerated)
 */
export function interquartileMeanInterval(
  scores: readonly (readonly number[])[],
  { seed, resamples = 1000 }: BootstrapOptions,
): Interval & { estimate: number } {
  const estimate = interquartileMean(scores.flat());
  if (scores.length === 0 || scores.some((seeds) => seeds.length < 2)) {
    return { estimate, low: Number.NaN, high: Number.NaN };
  }
  const rng = new Rng(seed, "interquartile-mean");
  const stretched = scores.map((seeds) => {
    const centre = mean(seeds);
    return seeds.map((score) => centre + Math.sqrt(seeds.length / (seeds.length - 1)) * (score - centre));
  });
  const draws = Array.from({ length: resamples }, () =>
    interquartileMean(stretched.flatMap((seeds) => seeds.map(() => rng.pick(seeds)))),
  );
  const { low, high } = expandedPercentiles(
    draws,
    scores.reduce((df, seeds) => df + seeds.length - 1, 0),
  );
  return { estimate, low, high };
}
