/** @file Accuracy: the share of items whose predicted label is gold. */

import { marginals } from "./confusion.ts";
import type { LabelMetric } from "./metric.ts";

/** NaN of no items. Golden test/golden/metrics/labels (scikit-learn accuracy_score). */
export const accuracy: LabelMetric = {
  name: "accuracy",
  aggregate(confusion) {
    const { correct, n } = marginals(confusion);
    return correct.reduce((sum, count) => sum + count, 0) / n;
  },
  parts: () => (row, column) => (row === column ? 1 : 0),
};
