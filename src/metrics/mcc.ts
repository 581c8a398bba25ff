/** @file Matthews correlation coefficient of several labels: correlation of gold and prediction; 0 for any constant-like guess. */

import { type Confusion, marginals } from "./confusion.ts";
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
    const { agreement, spreads } = sumsOf(confusion);
    const spread = spreads[0] * spreads[1];
    return spread === 0 ? Number.NaN : agreement / Math.sqrt(spread);
  },
  parts(confusion) {
    const { gold, predicted, unparsed, right, n, spreads } = sumsOf(confusion);
    const [ofPredicted, ofGold] = spreads;
    const value = mcc.aggregate(confusion);
    return (row, column) => {
      const given = predicted[column] ?? unparsed;
      const more = right + n * Number(row === column) - predicted[row]! - (gold[column] ?? 0);
      const wider = (n - given) / ofPredicted + (n - gold[row]!) / ofGold;
      return value + n * (more / Math.sqrt(ofPredicted * ofGold) - value * wider);
    };
  },
};

/** `agreement`: n * correct - gold . predicted; `spreads`: n^2 - |predicted|^2 and n^2 - |gold|^2. */
function sumsOf(confusion: Confusion) {
  const { gold, predicted, correct, n } = marginals(confusion);
  const unparsed = n - predicted.reduce((sum, count) => sum + count, 0);
  const squares = (counts: Float64Array) => counts.reduce((sum, count) => sum + count * count, 0);
  const right = correct.reduce((sum, count) => sum + count, 0);
  const agreement = n * right - gold.reduce((sum, count, k) => sum + count * predicted[k]!, 0);
  const spreads = [n * n - squares(predicted) - unparsed ** 2, n * n - squares(gold)] as const;
  return { gold, predicted, unparsed, right, n, agreement, spreads };
}
