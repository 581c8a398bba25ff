/** @file F1 of each label: harmonic mean of precision and recall. Shared by weighted-f1.ts and macro-f1.ts. */

import { type Confusion, marginals } from "./confusion.ts";

/** What {@link f1PerLabel} finds, [K] each. */
export interface LabelF1 {
  f1: Float64Array;
  /** How often each label is gold. */
  gold: Float64Array;
  /** How F1 of a label changes with the weight of an item of a cell; 0 for a label that is neither its gold nor its prediction. */
  change(label: number, row: number, column: number): number;
}

/**
 * 2 tp / (gold + predicted) per label; NaN for a label that is neither gold nor predicted anywhere (scikit-learn leaves such a label out
 * of its averages unless it is asked for, and then gives 0). A label never predicted, or never gold, has 0: there it is defined.
 */
export function f1PerLabel(confusion: Confusion): LabelF1 {
  const { gold, predicted, correct } = marginals(confusion);
  const total = gold.map((count, k) => count + predicted[k]!);
  const f1 = correct.map((tp, k) => (2 * tp) / total[k]!);
  return {
    f1,
    gold,
    change: (label, row, column) => {
      const isGold = Number(label === row);
      const isPredicted = Number(label === column);
      if (isGold + isPredicted === 0) return 0;
      return (2 * isGold * isPredicted - f1[label]! * (isGold + isPredicted)) / total[label]!;
    },
  };
}
