/** @file The part that each item has in a task's metric: their mean is the metric, so that means, differences and models of items are those of the metric. */

import { countCells } from "../metrics/confusion.ts";
import { LABEL_METRICS } from "../metrics/label-metrics.ts";
import { lenientReader, strictReader } from "../metrics/label-text.ts";
import { itemParts } from "../metrics/score-items.ts";
import type { GivenLabels, ItemScores } from "../runs/item-scores.ts";
import type { Prediction } from "../runs/types.ts";
import { isLabelMetric, METRICS } from "../specs/metrics.ts";
import type { MetricName, Scoring } from "../specs/types.ts";

/** The score that says which of two answers to an item is better: whether the reading was right, or the item's part of a metric that is a mean. */
export function itemScoreName(metric: MetricName, reading: Scoring | undefined): string {
  const { item } = METRICS[metric];
  return item === "accuracy" ? (reading ?? item) : item;
}

/**
 * [n] each item's part in the metric, in the order of `ids`. Of a metric that is a mean over items a part is the item's score; of F1, MCC and shares of
 * counts it is what the item moves the metric by, to first order (metrics/metric.ts).
 *
 * @param reading  of labels, by which `labels` were found
 * @returns        NaN where the metric is not defined, or an item has no such score
 */
export function partsOf(
  { ids, scores, labels }: ItemScores,
  metric: MetricName,
  reading: Scoring | undefined,
): readonly number[] {
  const none = () => ids.map(() => Number.NaN);
  const name = itemScoreName(metric, reading);
  if (METRICS[metric].item === metric) return scores[name] ?? none();
  if (!isLabelMetric(metric)) {
    const ofItem = (i: number) =>
      Object.entries(scores).flatMap(([key, of]) => (Number.isNaN(of[i]) ? [] : [[key, of[i]!]]));
    return itemParts(
      ids.map((_, i) => ({ scores: Object.fromEntries(ofItem(i)) })),
      metric,
    );
  }
  if (labels === undefined) return none();
  const { names, gold, given } = labels;
  const cells = Int32Array.from(gold, (label, i) => label * (names.length + 1) + given[i]!);
  const part = LABEL_METRICS[metric].parts(countCells(cells, cells.keys(), names.length));
  return gold.map((label, i) => part(label, given[i]!));
}

/**
 * [n] each item's part in what answers have beyond guessing: accuracy less what the same answers would have in any order. 0 where answers do not depend on
 * the question, whatever labels they are; of one answer to everything exactly 0.
 */
export function partsBeyondGuessing({ names, gold, given }: GivenLabels): number[] {
  const share = (labels: readonly number[]) => {
    const counts = new Float64Array(names.length + 1);
    for (const label of labels) counts[label]! += 1 / labels.length;
    return counts;
  };
  const [ofGold, ofGiven] = [share(gold), share(given)];
  const byChance = ofGold.reduce((sum, one, k) => sum + one * ofGiven[k]!, 0);
  return gold.map((label, i) => {
    const isRight = Number(label === given[i]);
    return isRight - ofGiven[label]! - ofGold[given[i]!]! + byChance;
  });
}

/** Reads stored answers by another reading than the one whose labels were kept. */
export function readerOf(reading: Scoring, labels: readonly string[]): (one: Prediction) => string | null {
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
