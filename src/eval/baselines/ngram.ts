/**
 * @file The n-gram baseline: logistic regression on word and character n-grams, one model a frame (frames.ts), C chosen on dev.
 * What a fine-tuned model must beat to have understood more than words. Features in tfidf.ts, regression in logistic.ts.
 */

import assert from "node:assert";
import type { Baseline, BaselinePrediction, LabelledText } from "./baseline.ts";
import { learnFrames } from "./frames.ts";
import { fitLogistic, type LogisticModel, logProbabilities } from "./logistic.ts";
import { fitTfidf } from "./tfidf.ts";

/** Half-decades around scikit-learn's 1; ascending, so that each fit starts from its stronger-penalised neighbour. */
const C_GRID = [0.3, 1, 3, 10, 30];
/** The grid's middle, where there is no dev example to choose by. */
const C_WITHOUT_DEV = 3;

/** The fitted baseline, with what was chosen. */
export interface NgramBaseline extends Baseline {
  /** Inverse penalty, the same for every frame: 0.3, 1, 3, 10 or 30. */
  c: number;
  /** Share of dev examples that are right; NaN without dev examples. */
  devAccuracy: number;
}

/**
 * Fits the baseline. Deterministic. A prompt whose frame training never showed is read by the largest frame's model.
 *
 * @param train  at least one example
 * @param dev    chooses C by log loss, which a few hundred rows tell apart where accuracy ties; may be empty. Not trained on, so that the
 *               baseline has seen what the models saw
 */
export function fitNgram(train: readonly LabelledText[], dev: readonly LabelledText[]): NgramBaseline {
  assert(train.length > 0, "ngram: no training examples");
  const split = learnFrames(train.map((e) => e.prompt));
  const byFrame = new Map<string, LabelledText[]>();
  for (const { prompt, answer } of train) {
    const { frame, text } = split(prompt);
    const rows = byFrame.get(frame);
    if (rows) rows.push({ prompt: text, answer });
    else byFrame.set(frame, [{ prompt: text, answer }]);
  }
  const frames = new Map([...byFrame].map(([frame, rows]) => [frame, prepareFrame(rows)]));
  const [largest] = [...byFrame].reduce((best, entry) => (entry[1].length > best[1].length ? entry : best));

  const fitAt = (c: number): Baseline["predict"] => {
    const readers = new Map([...frames].map(([frame, fitFrame]) => [frame, fitFrame(c)]));
    return (prompts) =>
      prompts.map((prompt) => {
        const { frame, text } = split(prompt);
        return (readers.get(frame) ?? readers.get(largest)!)(text);
      });
  };
  if (dev.length === 0) return { c: C_WITHOUT_DEV, devAccuracy: Number.NaN, predict: fitAt(C_WITHOUT_DEV) };

  let best: (NgramBaseline & { loss: number }) | undefined;
  for (const c of C_GRID) {
    const predict = fitAt(c);
    const found = predict(dev.map((e) => e.prompt));
    const loss = logLoss(found, dev);
    // Loss falls, then rises with C: past its lowest point the dearer fits are not needed.
    if (best && loss >= best.loss) break;
    const numCorrect = found.filter(({ label }, i) => label === dev[i]!.answer).length;
    best = { c, devAccuracy: numCorrect / dev.length, predict, loss };
  }
  const { c, devAccuracy, predict } = best!;
  return { c, devAccuracy, predict };
}

/** Sum over the rows whose answer the model knows; which those are is the same at every C. */
function logLoss(found: readonly BaselinePrediction[], gold: readonly LabelledText[]): number {
  return found.reduce((sum, { logprobs }, i) => sum - (logprobs[gold[i]!.answer] ?? 0), 0);
}

/** Extracts one frame's features once; the result fits at a C, each fit starting from the one before. */
function prepareFrame(rows: readonly LabelledText[]): (c: number) => (text: string) => BaselinePrediction {
  const labels = [...new Set(rows.map((r) => r.answer))];
  if (labels.length === 1) {
    const label = labels[0]!;
    return () => () => ({ label, logprobs: { [label]: 0 } });
  }
  const features = fitTfidf(rows.map((r) => r.prompt));
  const x = features.transform(rows.map((r) => r.prompt));
  const classes = Int32Array.from(rows, (r) => labels.indexOf(r.answer));
  let last: LogisticModel | undefined;
  return (c) => {
    const model = fitLogistic(x, classes, labels.length, c, last);
    last = model;
    return (text) => {
      const logprobs = logProbabilities(model, features.transform([text]))[0]!;
      return {
        label: labels[logprobs.indexOf(Math.max(...logprobs))]!,
        logprobs: Object.fromEntries(labels.map((label, k) => [label, logprobs[k]!])),
      };
    };
  };
}
