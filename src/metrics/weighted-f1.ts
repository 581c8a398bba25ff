/** @file Weighted F1: mean of the labels' F1, each weighted by how often it is gold. */

import { f1PerLabel } from "./f1.ts";
import type { LabelMetric } from "./metric.ts";

/** NaN of no items. Golden test/golden/metrics/labels (scikit-learn f1_score, average weighted). */
export const weightedF1: LabelMetric = {
  name: "weighted_f1",
  aggregate(confusion) {
    const { f1, gold } = f1PerLabel(confusion);
    let sum = 0;
    let n = 0;
    gold.forEach((count, k) => {
      if (count > 0) sum += count * (f1[k] as number);
      n += count;
    });
    return sum / n;
  },
  parts(confusion) {
    const { f1, gold, change } = f1PerLabel(confusion);
    const moved = (label: number, row: number, column: number) => (gold[label] ?? 0) * change(label, row, column);
    return (row, column) =>
      f1[row]! + moved(row, row, column) + (row === column || column >= gold.length ? 0 : moved(column, row, column));
  },
};
