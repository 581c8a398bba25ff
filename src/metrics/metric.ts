/** @file What a label metric is. One file a metric; the table of all is label-metrics.ts. */

import type { LabelMetricName } from "../specs/types.ts";
import type { Confusion } from "./confusion.ts";

/** A metric over predicted labels, in [-1, 1], higher is better. */
export interface LabelMetric {
  name: LabelMetricName;
  /** Of all items; NaN where it is not defined. */
  aggregate(confusion: Confusion): number;
  /**
   * The part that an item of each cell has in the metric: n times its derivative by the item's weight, plus the metric itself. The mean of the items'
   * parts is the metric, exactly; on other items the metric moves as the mean of parts does, to first order. Of accuracy a part is 1 or 0.
   *
   * @returns the part by gold label and predicted label (or the number of labels: unparsed); NaN where the metric is not defined
   * @source Hampel 1974 (influence curve), Efron 1982 (infinitesimal jackknife); golden test/golden/metrics/labels (scikit-learn's sample_weight)
   */
  parts(confusion: Confusion): (row: number, column: number) => number;
}
