/** @file Counts of gold label against predicted label: all that the label metrics need. */

import assert from "node:assert";

/**
 * Counts [K, K + 1], row-major: rows are gold labels, columns predicted labels; the last column counts answers that are no label
 * (unparsed). An unparsed answer is wrong, and never dropped.
 */
export interface Confusion {
  numLabels: number;
  counts: Float64Array;
}

/** A gold label and what was predicted; null where the output is none of the labels. */
export interface Verdict {
  gold: string;
  pred: string | null;
}

/** The cell of each item in {@link Confusion.counts}. Gold must be one of the labels; a prediction that is not counts as null. */
export function confusionCells(items: readonly Verdict[], labels: readonly string[]): Int32Array {
  const index = new Map(labels.map((label, k) => [label, k]));
  return Int32Array.from(items, ({ gold, pred }) => {
    const row = index.get(gold);
    assert(row !== undefined, `metrics: gold answer ${JSON.stringify(gold)} is none of the labels`);
    const column = pred === null ? undefined : index.get(pred);
    return row * (labels.length + 1) + (column ?? labels.length);
  });
}

/** Counts the cells of the chosen items, with repeats. */
export function countCells(cells: Int32Array, items: Iterable<number>, numLabels: number): Confusion {
  const counts = new Float64Array(numLabels * (numLabels + 1));
  for (const item of items) {
    const cell = cells[item] as number;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return { numLabels, counts };
}

/** Row and column sums and the diagonal, per label, and the number of items. */
export function marginals({ numLabels, counts }: Confusion) {
  const gold = new Float64Array(numLabels);
  const predicted = new Float64Array(numLabels);
  const correct = new Float64Array(numLabels);
  let n = 0;
  counts.forEach((count, cell) => {
    const row = Math.floor(cell / (numLabels + 1));
    const column = cell % (numLabels + 1);
    n += count;
    gold[row] = (gold[row] as number) + count;
    if (column < numLabels) predicted[column] = (predicted[column] as number) + count;
    if (row === column) correct[row] = count;
  });
  return { gold, predicted, correct, n };
}
