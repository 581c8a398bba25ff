/** @file What a label metric is. One file a metric; the table of all is label-metrics.ts. */

import type { LabelMetricName } from "../specs/types.ts";
import type { Confusion, Verdict } from "./confusion.ts";

/** A metric over predicted labels, in [-1, 1], higher is better. */
export interface LabelMetric {
  name: LabelMetricName;
  /** Of all items; NaN where it is not defined. */
  aggregate(confusion: Confusion): number;
  /** Score of one item, where the aggregate is the mean of such scores; absent where it is not (F1, MCC). */
  score?(verdict: Verdict): number;
}
