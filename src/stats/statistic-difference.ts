/** @file The difference of a statistic that is no mean over items (weighted F1, MCC) between two models or two mixtures. */

import { Rng } from "../base/rng.ts";
import {
  type BootstrapOptions,
  bootstrapDraws,
  definedDraws,
  expandedPercentiles,
  resampled,
  type Statistic,
} from "./bootstrap.ts";
import { clusters } from "./clusters.ts";
import {
  type Difference,
  type PooledVariance,
  pooledVariance,
  type SeedVariance,
  tDifference,
  withSeeds,
} from "./difference.ts";
import type { Interval } from "./interval.ts";
import { mean, variance } from "./moments.ts";

/** A difference with a bootstrap interval and the two-sided p value that goes with it. */
export interface BootstrapDifference extends Interval {
  difference: number;
  pValue: number;
}

/**
 * a - b for one trained model each: groups of items are drawn with replacement, the same for both, and the interval is
 * {@link expandedPercentiles}. Says nothing about retraining.
 *
 * @param groups  [n] the group of each item; below two groups the bounds are NaN
 * @source Efron & Tibshirani 1993; golden test/golden/stats/resampling (scipy bootstrap, paired; scikit-learn's metrics)
 */
export function pairedBootstrap(
  a: Statistic,
  b: Statistic,
  groups: readonly string[],
  options: BootstrapOptions,
): BootstrapDifference {
  const items = allItems(groups);
  const [draws] = bootstrapDraws((drawn) => [a(drawn) - b(drawn)], groups, options, 1) as [number[]];
  return { difference: a(items) - b(items), ...expandedPercentiles(draws, clusters(groups).length - 1) };
}

/**
 * Mean over seeds of a - b: seeds of either mixture are drawn with replacement, then groups of items with all their items, the same
 * groups for every run, since all were scored on the same items. One seed and one group fewer than there are are drawn, which makes the
 * variance right (Rao & Wu 1988), and tails are moved out by the degrees of freedom of both (Satterthwaite).
 * From six seeds on: below, use {@link seededStatisticDifference}. Item noise of single runs is counted twice, so it is wide where seeds
 * hardly matter (docs/calibration.md).
 *
 * @param a  one statistic a seed; below two seeds of either the bounds are NaN
 * @source Davison & Hinkley 1997, §3.8; golden test/golden/stats/resampling (all resamples, enumerated)
 */
export function hierarchicalBootstrap(
  a: readonly Statistic[],
  b: readonly Statistic[],
  groups: readonly string[],
  { seed, resamples = 1000 }: BootstrapOptions,
): BootstrapDifference {
  const all = clusters(groups);
  const items = allItems(groups);
  const valuesA = a.map((statistic) => statistic(items));
  const valuesB = b.map((statistic) => statistic(items));
  const difference = mean(valuesA) - mean(valuesB);
  if (a.length < 2 || b.length < 2 || all.length < 2) {
    return { difference, low: Number.NaN, high: Number.NaN, pValue: Number.NaN };
  }
  const rng = new Rng(seed, "hierarchical-bootstrap");
  const draws = Array.from({ length: resamples }, () => {
    const drawn = resampled(all, rng, all.length - 1);
    return meanOfDrawn(a, drawn, rng) - meanOfDrawn(b, drawn, rng);
  });
  const total = variance(definedDraws(draws));
  const ofA = variance(valuesA) / a.length;
  const ofB = variance(valuesB) / b.length;
  const ofItems = Math.max(0, total - ofA - ofB);
  const df = total ** 2 / (ofA ** 2 / (a.length - 1) + ofB ** 2 / (b.length - 1) + ofItems ** 2 / (all.length - 1));
  return { difference, ...expandedPercentiles(draws, df) };
}

/** Mean of k - 1 of k statistics, drawn with replacement; each is computed once. */
function meanOfDrawn(statistics: readonly Statistic[], items: Int32Array, rng: Rng): number {
  const times = new Float64Array(statistics.length);
  for (let draw = 1; draw < statistics.length; draw++) times[rng.int(statistics.length)]!++;
  let sum = 0;
  statistics.forEach((statistic, s) => {
    const count = times[s] as number;
    if (count > 0) sum += count * statistic(items);
  });
  return sum / (statistics.length - 1);
}

/**
 * Variance of a statistic over seeds, pooled over mixtures, with the share that is item noise of single runs (by bootstrap over groups).
 *
 * @param mixtures  per mixture one statistic a seed; those with one seed add nothing
 */
export function statisticSeedVariance(
  mixtures: readonly (readonly Statistic[])[],
  groups: readonly string[],
  options: BootstrapOptions,
): SeedVariance {
  const items = allItems(groups);
  const repeated = mixtures.filter((seeds) => seeds.length > 1);
  const between = pooledVariance(repeated.map((seeds) => seeds.map((statistic) => statistic(items))));
  let noise = 0;
  for (const seeds of repeated) {
    const aroundMean = (drawn: Int32Array) => {
      const values = seeds.map((statistic) => statistic(drawn));
      const centre = mean(values);
      return values.map((value) => value - centre);
    };
    for (const draws of bootstrapDraws(aroundMean, groups, options, 1)) noise += variance(definedDraws(draws));
  }
  return { ...between, noise: { variance: noise / between.df, df: between.df * (clusters(groups).length - 1) } };
}

/**
 * {@link seededDifference} of a statistic that is no mean: the item part is the bootstrap variance, over groups drawn for all runs alike,
 * of the difference of the means over seeds; the seed part and the t interval are the same.
 *
 * @param a     one statistic a seed
 * @param seed  {@link statisticSeedVariance} of all mixtures of the task and base; df 0 gives NaN bounds
 * @param weight  of the seed part, as in {@link seededDifference}
 * @source level and coverage in docs/calibration.md
 */
export function seededStatisticDifference(
  a: readonly Statistic[],
  b: readonly Statistic[],
  groups: readonly string[],
  seed: SeedVariance,
  options: BootstrapOptions,
  weight: number = 1 / a.length + 1 / b.length,
): Difference {
  const difference = (drawn: Int32Array) =>
    mean(a.map((statistic) => statistic(drawn))) - mean(b.map((statistic) => statistic(drawn)));
  const [draws] = bootstrapDraws((drawn) => [difference(drawn)], groups, options, 1) as [number[]];
  const items: PooledVariance = { variance: variance(definedDraws(draws)), df: clusters(groups).length - 1 };
  return tDifference(difference(allItems(groups)), withSeeds(items, seed, weight));
}

function allItems(groups: readonly string[]): Int32Array {
  return Int32Array.from(groups.keys());
}
