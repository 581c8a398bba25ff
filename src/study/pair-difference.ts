/**
 * @file The difference of A and B on a task, with its interval and p: the one place that report, recommend and compare have it from. Every metric is a
 * mean of parts of items (item-parts.ts), so that one test serves them all.
 */

import { METRICS } from "../specs/metrics.ts";
import type { MetricName } from "../specs/types.ts";
import {
  meanOfSeeds,
  pairedDifference,
  type SeedScores,
  type SeedVariance,
  seededDifference,
} from "../stats/difference.ts";
import { mcnemarExact } from "../stats/mcnemar.ts";
import { mean } from "../stats/moments.ts";
import type { ModelItems } from "./items.ts";
import type { Row } from "./study-table.ts";

/** How a difference was tested (docs/calibration.md says how well each keeps its level). */
export type ComparisonMethod =
  /** Exact McNemar p, t interval: single models, a metric that counts right answers, independent items. */
  | "McNemar"
  /** Clustered by group: single models. */
  | "t"
  /** The same with the spread over seeds: mixtures. */
  | "t over seeds";

/** A - B with both values. */
export interface PairDifference {
  a: number;
  b: number;
  difference: number;
  /** 95 % */
  low: number;
  high: number;
  /** Two-sided, of no difference. */
  pValue: number;
  method: ComparisonMethod;
}

/** What a difference is measured with. */
export interface PairBasis {
  metric: MetricName;
  /** [n] the group of each item. */
  groups: readonly string[];
  /** Of a run's metric, pooled over the mixtures that hold the task. */
  seeds: SeedVariance;
}

/**
 * A less B in the task's metric.
 *
 * @param a       [seeds][n] parts of items
 * @param b       the same of the same items
 * @param weight  1/seeds of each side that would be trained again, summed; 0 speaks of the given models only. So it is where no mixture has a second seed
 */
export function pairDifference(
  a: SeedScores,
  b: SeedScores,
  { metric, groups, seeds }: PairBasis,
  weight: number,
): PairDifference {
  const [itemsA, itemsB] = [meanOfSeeds(a), meanOfSeeds(b)];
  const values = { a: mean(itemsA), b: mean(itemsB) };
  if (weight > 0 && seeds.df > 0) {
    const { difference, low, high, pValue } = seededDifference(a, b, groups, seeds, weight);
    return { ...values, difference, low, high, pValue, method: "t over seeds" };
  }
  const { difference, low, high, pValue } = pairedDifference(itemsA, itemsB, groups);
  const isCount = METRICS[metric].item === metric;
  const isIndependent = new Set(groups).size === groups.length;
  const exact = isCount && isIndependent ? mcnemarExact(itemsA, itemsB).pValue : Number.NaN;
  if (Number.isNaN(exact)) return { ...values, difference, low, high, pValue, method: "t" };
  return { ...values, difference, low, high, pValue: exact, method: "McNemar" };
}

/**
 * A row of a study less another, of the items that both have answered. A mixture would be trained again, a baseline and the untuned model would not.
 * @returns undefined where either has not answered them
 */
export function rowDifference(
  items: ModelItems,
  a: number,
  b: number,
  rows: readonly Row[],
): PairDifference | undefined {
  const [ofA, ofB] = [items.scores.get(a), items.scores.get(b)];
  if (ofA === undefined || ofB === undefined || items.groups.length === 0) return undefined;
  const share = (row: number, { length }: SeedScores) => (rows[row]!.kind === "mixture" ? 1 / length : 0);
  return pairDifference(ofA, ofB, items, share(a, ofA) + share(b, ofB));
}

/** Says nothing of mixtures where it is only of the models that there are. */
export function ofMixtures(found: PairDifference): PairDifference {
  return found.method === "t over seeds" ? found : { ...found, low: Number.NaN, high: Number.NaN, pValue: Number.NaN };
}
