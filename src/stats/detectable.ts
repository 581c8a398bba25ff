/** @file What a study can see before it starts: the smallest difference that it will probably find. */

import { clusteredVarianceOfMean } from "./clusters.ts";
import { CONFIDENCE } from "./interval.ts";
import { variance } from "./moments.ts";
import { tQuantile } from "./student-t.ts";

/** Plan of a paired comparison. */
export interface ComparisonPlan {
  /** Test items. */
  numItems: number;
  /** Variance over items of the difference of the two scores; of 0/1 scores: the share of items that only one of the two has right. */
  itemVariance: number;
  /** {@link designEffect} of the items' groups; 1 (independent) by default, items per group at worst. */
  designEffect?: number;
  /** Training seeds of either side, the variance of a run's score over seeds beyond item noise, and the df that it will be estimated with. */
  seeds?: { numSeeds: number; variance: number; df: number };
  /** Chance of finding it; 0.8 by custom. */
  power?: number;
}

/**
 * (t(0.975) + t(power)) * sqrt(itemVariance * designEffect / n + 2 * seed variance / seeds): the difference that a two-sided 95 % interval
 * leaves zero out of with chance `power`. Normal quantiles without seeds, else Satterthwaite's degrees of freedom.
 *
 * @returns in the unit of the score; NaN without items
 * @source Miller 2024 (arXiv 2411.00640), §5; golden test/golden/stats/power (statsmodels NormalIndPower)
 */
export function minimumDetectableDifference({
  numItems,
  itemVariance,
  designEffect: effect = 1,
  seeds,
  power = 0.8,
}: ComparisonPlan): number {
  if (!(numItems > 0)) return Number.NaN;
  const ofItems = (itemVariance * effect) / numItems;
  const ofSeeds = seeds === undefined ? 0 : (2 * seeds.variance) / seeds.numSeeds;
  const total = ofItems + ofSeeds;
  const df = ofSeeds === 0 ? Number.POSITIVE_INFINITY : (total / ofSeeds) ** 2 * (seeds?.df ?? Number.NaN);
  return (tQuantile((1 + CONFIDENCE) / 2, df) + tQuantile(power, df)) * Math.sqrt(total);
}

/**
 * How many times larger the variance of a mean is than if the items were independent: clustered variance / (s^2 / n). Estimated, so it may
 * be below 1 by chance. NaN below two groups or where all values are equal.
 */
export function designEffect(values: readonly number[], groups: readonly string[]): number {
  const independent = variance(values) / values.length;
  return independent === 0 ? Number.NaN : clusteredVarianceOfMean(values, groups) / independent;
}
