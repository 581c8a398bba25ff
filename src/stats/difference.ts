/** @file The difference between two models scored on the same items: paired, clustered, and over training seeds. */

import { clusteredVarianceOfMean, clusters } from "./clusters.ts";
import { type Interval, tInterval } from "./interval.ts";
import { mean, variance } from "./moments.ts";
import { tCdf } from "./student-t.ts";

/** A difference with its 95 % t interval; bounds and p are NaN where they cannot be estimated. */
export interface Difference extends Interval {
  difference: number;
  standardError: number;
  /** Degrees of freedom of the interval. */
  df: number;
  /** Two-sided p value of no difference. */
  pValue: number;
}

/** [seeds][n] item scores of a mixture, one row a training seed, all on the same items. */
export type SeedScores = readonly (readonly number[])[];

/**
 * Mean of a - b over items, for one trained model each. Speaks of these two models on new items; says nothing about retraining them.
 *
 * @param a       [n] scores of one model
 * @param b       [n] scores of the other on the same items
 * @param groups  [n] items of one group may depend on each other; df = groups - 1
 * @source Miller 2024 (arXiv 2411.00640); golden test/golden/stats/intervals (statsmodels OLS, cov_type cluster, use_t)
 */
export function pairedDifference(a: readonly number[], b: readonly number[], groups: readonly string[]): Difference {
  const d = a.map((value, i) => value - (b[i] as number));
  return tDifference(mean(d), { variance: clusteredVarianceOfMean(d, groups), df: clusters(groups).length - 1 });
}

/** A variance and the degrees of freedom that it was estimated with. */
export interface PooledVariance {
  variance: number;
  df: number;
}

/** The variance of a run's score over seeds. */
export interface SeedVariance extends PooledVariance {
  /**
   * The share of it that is no more than noise of single runs on this many items. The item variance of a mixture's mean over seeds holds that
   * noise already; where it is not given it is counted twice, and intervals are too wide.
   */
  noise?: PooledVariance;
}

/**
 * The variance that several samples share, each around its own mean: between-seed variance of a task's score, pooled over mixtures.
 *
 * @param samples  one list of seed scores a mixture; lists with one score add nothing. NaN with df 0 where no list has two
 */
export function pooledVariance(samples: readonly (readonly number[])[]): PooledVariance {
  let sum = 0;
  let df = 0;
  for (const sample of samples.filter((s) => s.length > 1)) {
    sum += variance(sample) * (sample.length - 1);
    df += sample.length - 1;
  }
  return { variance: sum / df, df };
}

/**
 * {@link pooledVariance} of the mixtures' mean scores, with the share of it that is item noise of single runs: the clustered variance of
 * the mean of (item score of a seed - the item's mean over seeds), pooled over mixtures likewise.
 *
 * @param mixtures  item scores of every mixture of a task and base; those with one seed add nothing
 * @param groups    [n] the group of each item
 */
export function seedVariance(mixtures: readonly SeedScores[], groups: readonly string[]): SeedVariance {
  const repeated = mixtures.filter((seeds) => seeds.length > 1);
  const between = pooledVariance(repeated.map((seeds) => seeds.map(mean)));
  let noise = 0;
  for (const seeds of repeated) {
    const ofItem = meanOfSeeds(seeds);
    for (const scores of seeds) {
      const residuals = scores.map((score, i) => score - (ofItem[i] as number));
      noise += clusteredVarianceOfMean(residuals, groups);
    }
  }
  const df = between.df * (clusters(groups).length - 1);
  return { ...between, noise: { variance: noise / between.df, df } };
}

/**
 * Mean over seeds and items of a - b, for two mixtures each trained with a few seeds. Its variance is that of the paired item means
 * (clustered) plus (1/seeds of a + 1/seeds of b) times what the pooled seed variance has beyond item noise; degrees of freedom by
 * Satterthwaite. With few seeds a bootstrap over seeds would miss 1/k of their variance; pooling over all mixtures of a task does not.
 *
 * @param a     item scores per seed
 * @param b     on the same items; the number of seeds may differ
 * @param seed  {@link seedVariance} of all mixtures of the task and base. df 0 gives NaN bounds: one seed says nothing about retraining
 * @param weight  of the seed part: 1/seeds of each side that would be trained again; a side that is one given model has none
 * @source Satterthwaite 1946; golden test/golden/stats/intervals; level and coverage in docs/calibration.md
 */
export function seededDifference(
  a: SeedScores,
  b: SeedScores,
  groups: readonly string[],
  seed: SeedVariance,
  weight: number = 1 / a.length + 1 / b.length,
): Difference {
  const meanB = meanOfSeeds(b);
  const d = meanOfSeeds(a).map((score, i) => score - (meanB[i] as number));
  const items = { variance: clusteredVarianceOfMean(d, groups), df: clusters(groups).length - 1 };
  return tDifference(mean(d), withSeeds(items, seed, weight));
}

/** [n] each item's mean over seeds. */
export function meanOfSeeds(seeds: SeedScores): number[] {
  return (seeds[0] ?? []).map((_, i) => mean(seeds.map((scores) => scores[i] as number)));
}

/**
 * Variance of a weighted sum of run scores over new items and new seeds: item part + weight * (seed variance - noise, if that is more
 * than nothing). Degrees of freedom by Satterthwaite, of the three parts as they were estimated, also where noise has eaten the seed part:
 * its true size remains as unknown. At least those of items or of seeds, whichever are fewer.
 *
 * @param weight  sum of the squared weights of the runs
 */
export function withSeeds(items: PooledVariance, seed: SeedVariance, weight: number): PooledVariance {
  const { variance: noise, df: dfNoise } = seed.noise ?? { variance: 0, df: Number.POSITIVE_INFINITY };
  const total = items.variance + weight * Math.max(0, seed.variance - noise);
  const uncertainty =
    items.variance ** 2 / items.df + (weight * seed.variance) ** 2 / seed.df + (weight * noise) ** 2 / dfNoise;
  // Between the least df and their sum it would be without the subtraction.
  return { variance: total, df: Math.max(total ** 2 / uncertainty, Math.min(items.df, seed.df)) };
}

/** An estimate with a t interval and p value from its variance. */
export function tDifference(difference: number, { variance: square, df }: PooledVariance): Difference {
  const standardError = Math.sqrt(square);
  const pValue = 2 * tCdf(-Math.abs(difference) / standardError, df);
  return { difference, standardError, df, pValue, ...tInterval(difference, standardError, df) };
}
