/** @file Precision, recall and F1 of every label: where a model is right, and which label it prefers. */

import { type Confusion, marginals } from "./confusion.ts";
import { f1PerLabel } from "./f1.ts";

/** One label's row. A share with nothing below the line is NaN: precision of a label never predicted, recall of one never gold. */
export interface LabelRow {
  label: string;
  precision: number;
  recall: number;
  f1: number;
  /** Items whose gold answer it is. */
  support: number;
  /** Items that were given it. */
  predicted: number;
}

/**
 * A row for each label, in the order of the labels.
 * Golden test/golden/metrics/label-table (scikit-learn precision_recall_fscore_support, zero_division NaN).
 */
export function labelTable(confusion: Confusion, labels: readonly string[]): LabelRow[] {
  const { gold, predicted, correct } = marginals(confusion);
  const { f1 } = f1PerLabel(confusion);
  return labels.map((label, k) => ({
    label,
    precision: correct[k]! / predicted[k]!,
    recall: correct[k]! / gold[k]!,
    f1: f1[k]!,
    support: gold[k]!,
    predicted: predicted[k]!,
  }));
}
