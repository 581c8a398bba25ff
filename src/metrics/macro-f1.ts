/** @file Macro F1: plain mean of the labels' F1, so that rare labels count as much as common ones. */

import { mean } from "../stats/moments.ts";
import { f1PerLabel } from "./f1.ts";
import type { LabelMetric } from "./metric.ts";

/**
 * Over the labels that are gold or predicted somewhere, as scikit-learn's default; NaN of no items.
 * Golden test/golden/metrics/labels (scikit-learn f1_score, average macro).
 */
export const macroF1: LabelMetric = {
  name: "macro_f1",
  aggregate: (confusion) => mean([...f1PerLabel(confusion).f1].filter((value) => !Number.isNaN(value))),
  parts(confusion) {
    const { f1, gold, change } = f1PerLabel(confusion);
    const there = f1.filter((value) => !Number.isNaN(value));
    const ofItem = gold.reduce((sum, count) => sum + count, 0) / there.length;
    const value = mean([...there]);
    return (row, column) => {
      const ofOther = row === column || column >= gold.length ? 0 : change(column, row, column);
      return value + ofItem * (change(row, row, column) + ofOther);
    };
  },
};
