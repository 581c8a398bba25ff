/** @file The test that fits a pair of models or mixtures: by what is trained again, by what an item can score, and by whether the metric is a mean. */

import { confusionCells, countCells } from "../metrics/confusion.ts";
import { LABEL_METRICS } from "../metrics/label-metrics.ts";
import { lenientReader, strictReader } from "../metrics/label-text.ts";
import { itemsMetric } from "../metrics/score-items.ts";
import type { Prediction } from "../runs/types.ts";
import { isLabelMetric } from "../specs/metrics.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import type { Statistic } from "../stats/bootstrap.ts";
import { meanOfSeeds, pairedDifference, type SeedScores, seededDifference, seedVariance } from "../stats/difference.ts";
import { mcnemarExact } from "../stats/mcnemar.ts";
import { mean } from "../stats/moments.ts";
import { pairedBootstrap, seededStatisticDifference, statisticSeedVariance } from "../stats/statistic-difference.ts";
import type { ScoredAnswers } from "./side-answers.ts";

/** How a difference was tested (docs/calibration.md says which keeps its level where). */
export type ComparisonMethod =
  /** Exact McNemar p, t interval: single models, right or wrong, independent items. */
  | "McNemar"
  /** Clustered by group: single models, means of item scores. */
  | "t"
  /** The same with the spread over seeds: mixtures. */
  | "t over seeds"
  /** Over groups: single models, a metric that is no mean (F1, MCC). */
  | "bootstrap"
  /** Of items, and the spread over seeds, as a t interval: mixtures, such a metric. */
  | "bootstrap over seeds";

/** A - B with both values. */
export interface TestedDifference {
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

/** Both sides, and the mixtures that the spread over seeds is pooled over, all on the same items. */
export interface Compared<T> {
  a: T[];
  b: T[];
  pool: T[][];
}

/** Of resampling: fixed, so that comparing again gives the same numbers. */
const DRAWS_SEED = 1;
/** Resamples for the item noise of each of a study's mixtures, which are then pooled. */
const POOL_RESAMPLES = 200;

/**
 * Of a metric that is the mean of item scores.
 *
 * @param weight  1/seeds of each side that would be trained again, summed; 0 speaks of the given models only. So it is where no mixture has a second seed
 */
export function meansTested(
  { a, b, pool }: Compared<readonly number[]>,
  groups: readonly string[],
  weight: number,
): TestedDifference {
  const [itemsA, itemsB] = [meanOfSeeds(a), meanOfSeeds(b)];
  const values = { a: mean(itemsA), b: mean(itemsB) };
  const seeds = seedVariance(pool as SeedScores[], groups);
  if (weight > 0 && seeds.df > 0) {
    const { difference, low, high, pValue } = seededDifference(a, b, groups, seeds, weight);
    return { ...values, difference, low, high, pValue, method: "t over seeds" };
  }
  const { difference, low, high, pValue } = pairedDifference(itemsA, itemsB, groups);
  const isIndependent = new Set(groups).size === groups.length;
  const exact = isIndependent ? mcnemarExact(itemsA, itemsB).pValue : Number.NaN;
  if (Number.isNaN(exact)) return { ...values, difference, low, high, pValue, method: "t" };
  return { ...values, difference, low, high, pValue: exact, method: "McNemar" };
}

/**
 * Of a metric that is no mean.
 *
 * @param reading  of labels
 * @param labels   of the task; needed where a reading is asked for that is not the first, whose labels were kept
 * @param weight   as in {@link meansTested}
 */
export function statisticTested(
  { a, b, pool }: Compared<ScoredAnswers>,
  groups: readonly string[],
  weight: number,
  { metric, reading, labels }: { metric: MetricName; reading: Scoring | undefined; labels: string[] | undefined },
): TestedDifference {
  const statisticOf = (run: ScoredAnswers) => runStatistic(run, metric, reading, labels);
  const [ofA, ofB] = [a.map(statisticOf), b.map(statisticOf)];
  const items = Int32Array.from(groups.keys());
  const valueAt = (statistics: readonly Statistic[]) => mean(statistics.map((statistic) => statistic(items)));
  const values = { a: valueAt(ofA), b: valueAt(ofB) };
  const options = { seed: DRAWS_SEED };
  const repeated = weight > 0 ? pool.map((runs) => runs.map(statisticOf)) : [];
  const seeds = statisticSeedVariance(repeated, groups, { ...options, resamples: POOL_RESAMPLES });
  if (weight > 0 && seeds.df > 0) {
    const { difference, low, high, pValue } = seededStatisticDifference(ofA, ofB, groups, seeds, options, weight);
    return { ...values, difference, low, high, pValue, method: "bootstrap over seeds" };
  }
  const { difference, low, high, pValue } = pairedBootstrap(ofA[0]!, ofB[0]!, groups, options);
  return { ...values, difference, low, high, pValue, method: "bootstrap" };
}

/** The metric of one model's answers, over any of the items. */
function runStatistic(
  { answers, scores }: ScoredAnswers,
  metric: MetricName,
  reading: Scoring | undefined,
  labels: string[] | undefined,
): Statistic {
  if (reading === undefined || !isLabelMetric(metric)) return itemsMetric(answers, metric);
  const isKept = Object.keys(scores.scoring)[0] === reading;
  const labelOf = isKept ? ({ parsed }: Prediction) => parsed : readerOf(reading, labels ?? []);
  const verdicts = answers.map((one) => ({ gold: one.gold, pred: labelOf(one) }));
  // a label that nobody gave and that is never gold has no part in any metric
  const said = [...new Set(verdicts.flatMap(({ gold, pred }) => (pred === null ? [gold] : [gold, pred])))];
  const cells = confusionCells(verdicts, said);
  return (items) => LABEL_METRICS[metric].aggregate(countCells(cells, items, said.length));
}

/** Reads stored answers again. */
function readerOf(reading: Scoring, labels: readonly string[]): (one: Prediction) => string | null {
  if (reading !== "constrained") {
    const read = reading === "strict" ? strictReader(labels) : lenientReader(labels);
    return ({ output }) => read(output);
  }
  return ({ label_logprobs = {} }) => {
    const likelihood = (label: string) => label_logprobs[label] ?? Number.NEGATIVE_INFINITY;
    const [first, ...others] = labels.filter((label) => label_logprobs[label] !== undefined);
    return others.reduce<string | null>(
      (best, label) => (likelihood(label) > likelihood(best!) ? label : best),
      first ?? null,
    );
  };
}
