/** @file Matthews correlation coefficient of several labels: correlation of gold and prediction; 0 for any constant-like guess. */

import { marginals } from "./confusion.ts";
import type { LabelMetric } from "./metric.ts";

/**
 * (n * correct - gold . predicted) / sqrt((n^2 - |predicted|^2)(n^2 - |gold|^2)); unparsed answers are one more predicted class.
 * NaN where gold or prediction is constant: a correlation with a constant is not defined. note: scikit-learn gives 0 there.
 *
 * @source Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient"; golden test/golden/metrics/labels
 */
export const mcc: LabelMetric = {
  name: "mcc",
  aggregate(confusion) {
    const { gold, predicted, correct, n } = marginals(confusion);
    const unparsed = n - predicted.reduce((sum, count) => sum + count, 0);
    const squares = (counts: Float64Array) => counts.reduce((sum, count) => sum + count * count, 0);
    const agreement = gold.reduce((sum, count, k) => sum + count * (predicted[k] as number), 0);
    const right = correct.reduce((sum, count) => sum + count, 0);
    const spread = (n * n - squares(predicted) - unparsed ** 2) * (n * n - squares(gold));
    return spread === 0 ? Number.NaN : (n * right - agreement) / Math.sqrt(spread);
  },
};
