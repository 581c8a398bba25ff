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
};
