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
};
