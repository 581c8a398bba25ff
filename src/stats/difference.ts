/** @file The difference between two models scored on the same items: paired, clustered, and over training seeds. */

import { clusteredVarianceOfMean, clusters } from "./clusters.ts";
import { type Interval, tInterval } from "./interval.ts";
import { mean, variance } from "./moments.ts";

/** A difference with its 95 % t interval; bounds are NaN where it cannot be estimated. */
export interface Difference extends Interval {
  difference: number;
  standardError: number;
  /** Degrees of freedom of the interval. */
  df: number;
}

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
  return difference(mean(d), clusteredVarianceOfMean(d, groups), clusters(groups).length - 1);
}

/** A variance and the degrees of freedom that it was estimated with. */
export interface PooledVariance {
  variance: number;
  df: number;
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
 * Mean over seeds and items of a - b, for two mixtures each trained with a few seeds: the variance is that of the paired item means
 * (clustered) plus the pooled seed variance of both sides; degrees of freedom by Satterthwaite. With few seeds a bootstrap over seeds
 * would miss 1/k of their variance; pooling over all mixtures of a task does not.
 * note: item noise of single seeds is in both parts, so the interval is somewhat wide rather than narrow.
 *
 * @param a     [seeds][n] item scores per seed
 * @param b     [seeds][n] on the same items; the number of seeds may differ
 * @param seed  {@link pooledVariance} of the mixtures' mean scores. df 0 gives NaN bounds: one seed says nothing about retraining
 * @source Satterthwaite 1946; golden test/golden/stats/intervals; coverage simulated in difference.test.ts
 */
export function seededDifference(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  groups: readonly string[],
  seed: PooledVariance,
): Difference {
  const d = groups.map((_, i) => mean(a.map((s) => s[i] as number)) - mean(b.map((s) => s[i] as number)));
  const items = clusteredVarianceOfMean(d, groups);
  const seeds = seed.variance * (1 / a.length + 1 / b.length);
  const total = items + seeds;
  return difference(mean(d), total, total ** 2 / (items ** 2 / (clusters(groups).length - 1) + seeds ** 2 / seed.df));
}

function difference(estimate: number, varianceOfIt: number, df: number): Difference {
  const standardError = Math.sqrt(varianceOfIt);
  return { difference: estimate, standardError, df, ...tInterval(estimate, standardError, df) };
}
