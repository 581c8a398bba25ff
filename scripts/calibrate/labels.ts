/** @file Predicted labels out of right and wrong answers. */

import type { Rng } from "../../src/base/rng.ts";
import { countCells } from "../../src/metrics/confusion.ts";
import type { LabelMetric } from "../../src/metrics/metric.ts";
import type { Statistic } from "../../src/stats/bootstrap.ts";
import { labelStatistic } from "../../test/support/label-statistic.ts";

const NUM_LABELS = 3;

/** Gold labels of three classes of unequal size. */
export function drawGold(numItems: number, rng: Rng): number[] {
  return Array.from({ length: numItems }, () => {
    const u = rng.float();
    return u < 0.6 ? 0 : u < 0.9 ? 1 : 2;
  });
}

/** The gold label where right, one of the two others where wrong. */
export function predictedLabels(right: readonly number[], gold: readonly number[], rng: Rng): number[] {
  return gold.map((label, i) => (right[i] === 1 ? label : (label + 1 + rng.int(2)) % NUM_LABELS));
}

/** [n] each item's part in a metric of such predictions: their mean is the metric. */
export function partsOf(metric: LabelMetric, gold: readonly number[], predicted: readonly number[]): number[] {
  const cells = Int32Array.from(gold, (label, i) => label * (NUM_LABELS + 1) + predicted[i]!);
  const part = metric.parts(countCells(cells, cells.keys(), NUM_LABELS));
  return gold.map((label, i) => part(label, predicted[i]!));
}

/** A metric of such predictions. */
export function metricOf(metric: LabelMetric, gold: readonly number[], predicted: readonly number[]): Statistic {
  return labelStatistic(metric, gold, predicted, NUM_LABELS);
}
