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

/** Predictions of one frame's texts at one C. */
type FramePredictor = (texts: readonly string[], c: number) => BaselinePrediction[];

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
  const byFrame = new Map<string, { text: string; answer: string }[]>();
  for (const { prompt, answer } of train) {
    const { frame, text } = split(prompt);
    const rows = byFrame.get(frame);
    if (rows) rows.push({ text, answer });
    else byFrame.set(frame, [{ text, answer }]);
  }
  const [largest] = [...byFrame].reduce((best, entry) => (entry[1].length > best[1].length ? entry : best));
  const predictors = new Map([...byFrame].map(([frame, rows]) => [frame, fitFrame(rows, dev.length > 0)]));

  const predict = (prompts: readonly string[], c: number): BaselinePrediction[] => {
    const out = new Array<BaselinePrediction>(prompts.length);
    const parts = prompts.map(split);
    for (const [frame, predictor] of predictors) {
      const mine = [...parts.keys()].filter((i) => {
        const { frame: wanted } = parts[i]!;
        return (predictors.has(wanted) ? wanted : largest) === frame;
      });
      const found = predictor(
        mine.map((i) => parts[i]!.text),
        c,
      );
      mine.forEach((i, k) => {
        out[i] = found[k]!;
      });
    }
    return out;
  };

  if (dev.length === 0) return { c: C_WITHOUT_DEV, devAccuracy: Number.NaN, predict: (p) => predict(p, C_WITHOUT_DEV) };
  const prompts = dev.map((e) => e.prompt);
  const trials = C_GRID.map((c) => ({ c, found: predict(prompts, c) }));
  const losses = trials.map(({ found }) => logLoss(found, dev));
  const { c, found } = trials[losses.indexOf(Math.min(...losses))]!;
  const numCorrect = found.filter(({ label }, i) => label === dev[i]!.answer).length;
  return { c, devAccuracy: numCorrect / dev.length, predict: (p) => predict(p, c) };
}

/** Sum over the rows whose answer the model knows; which those are is the same at every C. */
function logLoss(found: readonly BaselinePrediction[], gold: readonly LabelledText[]): number {
  return found.reduce((sum, { logprobs }, i) => sum - (logprobs[gold[i]!.answer] ?? 0), 0);
}

/** Fits one frame at every C of the grid, or at the default only. */
function fitFrame(rows: readonly { text: string; answer: string }[], wholeGrid: boolean): FramePredictor {
  const labels = [...new Set(rows.map((r) => r.answer))];
  if (labels.length === 1) {
    const label = labels[0]!;
    return (texts) => texts.map(() => ({ label, logprobs: { [label]: 0 } }));
  }
  const features = fitTfidf(rows.map((r) => r.text));
  const x = features.transform(rows.map((r) => r.text));
  const classes = Int32Array.from(rows, (r) => labels.indexOf(r.answer));
  const models = new Map<number, LogisticModel>();
  let model: LogisticModel | undefined;
  for (const c of wholeGrid ? C_GRID : [C_WITHOUT_DEV]) {
    model = fitLogistic(x, classes, labels.length, c, model);
    models.set(c, model);
  }
  return (texts, c) =>
    logProbabilities(models.get(c)!, features.transform(texts)).map((logprobs) => ({
      label: labels[logprobs.indexOf(Math.max(...logprobs))]!,
      logprobs: Object.fromEntries(labels.map((label, k) => [label, logprobs[k]!])),
    }));
}
