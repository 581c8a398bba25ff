/** @file A label metric of one model's predictions as a statistic of chosen items, as the bootstrap takes it. */

import { confusionCells, countCells } from "../../src/metrics/confusion.ts";
import type { LabelMetric } from "../../src/metrics/metric.ts";
import type { Statistic } from "../../src/stats/bootstrap.ts";

/** `gold` and `predicted` are label numbers below `numLabels`. */
export function labelStatistic(
  metric: LabelMetric,
  gold: ArrayLike<number>,
  predicted: ArrayLike<number>,
  numLabels: number,
): Statistic {
  const labels = Array.from({ length: numLabels }, (_, k) => `${k}`);
  const verdicts = Array.from(gold, (label, i) => ({ gold: `${label}`, pred: `${predicted[i]}` }));
  const cells = confusionCells(verdicts, labels);
  return (items) => metric.aggregate(countCells(cells, items, numLabels));
}
