/** @file F1 of each label: harmonic mean of precision and recall. Shared by weighted-f1.ts and macro-f1.ts. */

import { type Confusion, marginals } from "./confusion.ts";

/**
 * 2 tp / (gold + predicted) per label; NaN for a label that is neither gold nor predicted anywhere (scikit-learn leaves such a label out
 * of its averages unless it is asked for, and then gives 0). A label never predicted, or never gold, has 0: there it is defined.
 */
export function f1PerLabel(confusion: Confusion): { f1: Float64Array; gold: Float64Array } {
  const { gold, predicted, correct } = marginals(confusion);
  return { f1: correct.map((tp, k) => (2 * tp) / ((gold[k] as number) + (predicted[k] as number))), gold };
}
