/**
 * @file Multinomial logistic regression on sparse rows with an L2 penalty, as scikit-learn's LogisticRegression defines it:
 * C * sum of log losses + |W|^2 / 2, the intercept not penalised; two classes share one weight vector. Golden test/golden/eval/ngram.
 *
 * Legend: n rows, F features, K classes, M outputs (K, or 1 for two classes).
 */

import { minimise } from "./lbfgs.ts";
import type { SparseRows } from "./tfidf.ts";

/** Largest gradient component of the mean loss at which fitting stops: probabilities are then within 1e-3 of the exact optimum. */
const TOLERANCE = 2e-6;

/** Weights of a fitted model; also the start of the next fit. */
export interface LogisticModel {
  numClasses: number;
  numColumns: number;
  /** [F + 1, M] feature-major, so that a feature's outputs lie together; the last row is the intercept. */
  weights: Float64Array;
}

/**
 * Fits by L-BFGS; the optimum is unique, so the start changes the time and not the answer.
 *
 * @param classes  [n] class of each row, 0 .. K - 1; K >= 2
 * @param c        inverse strength of the penalty
 * @param start    undefined, or a model of the same features and classes, to start from
 */
export function fitLogistic(
  x: SparseRows,
  classes: Int32Array,
  numClasses: number,
  c: number,
  start: LogisticModel | undefined,
): LogisticModel {
  const numOutputs = numClasses === 2 ? 1 : numClasses;
  const numWeights = x.numColumns * numOutputs;
  const weights = start ? start.weights.slice() : new Float64Array(numWeights + numOutputs);
  const penalty = 1 / (c * x.numRows);
  const out = new Float64Array(numOutputs);
  minimise(
    (w, gradient) => {
      gradient.fill(0);
      let loss = 0;
      for (let r = 0; r < x.numRows; r++) {
        scoreRow(x, r, w, out);
        loss += lossAndResidual(out, classes[r] as number);
        addRow(x, r, out, gradient);
      }
      let norm = 0;
      for (let i = 0; i < w.length; i++) gradient[i]! /= x.numRows;
      for (let i = 0; i < numWeights; i++) {
        norm += w[i]! * w[i]!;
        gradient[i]! += penalty * w[i]!;
      }
      return loss / x.numRows + (penalty * norm) / 2;
    },
    weights,
    TOLERANCE,
  );
  return { numClasses, numColumns: x.numColumns, weights };
}

/** Log-probabilities [n][K] of the classes. */
export function logProbabilities(model: LogisticModel, x: SparseRows): Float64Array[] {
  const out = new Float64Array(model.numClasses === 2 ? 1 : model.numClasses);
  return Array.from({ length: x.numRows }, (_, r) => {
    scoreRow(x, r, model.weights, out);
    const logits = model.numClasses === 2 ? Float64Array.of(0, out[0] as number) : out;
    const total = logSumExp(logits);
    return logits.map((v) => v - total);
  });
}

/** out = row r times weights, intercept added. */
function scoreRow(
  { numColumns, rowStart, columns, values }: SparseRows,
  r: number,
  w: Float64Array,
  out: Float64Array,
) {
  const m = out.length;
  for (let k = 0; k < m; k++) out[k] = w[numColumns * m + k]!;
  const end = rowStart[r + 1]!;
  for (let at = rowStart[r]!; at < end; at++) {
    const value = values[at]!;
    const base = columns[at]! * m;
    for (let k = 0; k < m; k++) out[k]! += value * w[base + k]!;
  }
}

/** gradient += row r (outer) residual. */
function addRow(
  { numColumns, rowStart, columns, values }: SparseRows,
  r: number,
  residual: Float64Array,
  gradient: Float64Array,
) {
  const m = residual.length;
  const end = rowStart[r + 1]!;
  for (let at = rowStart[r]!; at < end; at++) {
    const value = values[at]!;
    const base = columns[at]! * m;
    for (let k = 0; k < m; k++) gradient[base + k]! += value * residual[k]!;
  }
  for (let k = 0; k < m; k++) gradient[numColumns * m + k]! += residual[k]!;
}

/** Log loss of one row; turns its outputs into the loss's gradient by them. */
function lossAndResidual(out: Float64Array, gold: number): number {
  if (out.length === 1) {
    const z = out[0] as number;
    const loss = Math.max(z, 0) - gold * z + Math.log1p(Math.exp(-Math.abs(z)));
    out[0] = 1 / (1 + Math.exp(-z)) - gold;
    return loss;
  }
  const total = logSumExp(out);
  const loss = total - (out[gold] as number);
  for (let k = 0; k < out.length; k++) out[k] = Math.exp((out[k] as number) - total) - (k === gold ? 1 : 0);
  return loss;
}

function logSumExp(values: Float64Array): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const v of values) top = Math.max(top, v);
  let sum = 0;
  for (const v of values) sum += Math.exp(v - top);
  return top + Math.log(sum);
}
