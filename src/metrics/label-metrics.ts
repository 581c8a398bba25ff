/** @file The table of label metrics by name. A new metric is its own file and one line here. */

import type { LabelMetricName } from "../specs/types.ts";
import { accuracy } from "./accuracy.ts";
import { macroF1 } from "./macro-f1.ts";
import { mcc } from "./mcc.ts";
import type { LabelMetric } from "./metric.ts";
import { weightedF1 } from "./weighted-f1.ts";

/** Every metric of labels. */
export const LABEL_METRICS: Record<LabelMetricName, LabelMetric> = {
  accuracy,
  weighted_f1: weightedF1,
  macro_f1: macroF1,
  mcc,
};
