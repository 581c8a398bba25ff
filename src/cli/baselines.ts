/** @file The baselines that read text only, scored into the same files as a model's. */

import { sha256 } from "../base/digest.ts";
import { subsetByHash } from "../data/splits.ts";
import type { Example, LoadedTask } from "../data/types.ts";
import type { Baseline } from "../eval/baselines/baseline.ts";
import { fitMajority } from "../eval/baselines/majority.ts";
import { fitNgram } from "../eval/baselines/ngram.ts";
import { metricsOf } from "../eval/evaluate.ts";
import { scoreSplit } from "../metrics/score-split.ts";
import { readScores, writePredictions, writeScores } from "../runs/run-dir.ts";
import type { Prediction, Scores } from "../runs/types.ts";
import type { EvalSpec } from "../specs/types.ts";

/** Resampling for intervals is drawn from this; the same for every baseline. */
const BOOTSTRAP_SEED = 1;

/** Fits a baseline on a task's training examples and scores it on the splits asked for, unless that is done. */
export function scoreTextBaseline(kind: "majority" | "ngram", dir: string, task: LoadedTask, spec: EvalSpec): void {
  const scores = readScores(dir);
  if (scores.tasks[task.name] !== undefined || task.answer.kind !== "label") return;
  const { train, dev } = task.splits;
  const fitted = kind === "majority" ? fitMajority(train) : fitNgram(train, dev);
  const bySplit: Scores["tasks"][string] = {};
  for (const split of spec.splits) {
    const examples = subsetByHash(task.splits[split], split === "dev" ? spec.max_dev : spec.max_test);
    const predictions = predictionsOf(fitted, examples);
    writePredictions(dir, task.name, split, predictions);
    bySplit[split] = scored(predictions, task);
  }
  writeScores(dir, { tasks: { ...scores.tasks, [task.name]: bySplit } });
}

function scored(predictions: readonly Prediction[], task: LoadedTask): ReturnType<typeof scoreSplit> {
  const labels = task.answer.kind === "label" ? task.answer.labels : [];
  const items = predictions.map(({ gold, parsed, group }) => ({ gold, pred: parsed, group }));
  return scoreSplit(items, labels, metricsOf(task.metric), { seed: BOOTSTRAP_SEED });
}

function predictionsOf(fitted: Baseline, examples: readonly Example[]): Prediction[] {
  const outputs = fitted.predict(examples.map(({ prompt }) => prompt));
  return examples.map(({ id, prompt, answer, group }, i) => {
    const { label, logprobs } = outputs[i]!;
    return {
      id,
      prompt_digest: sha256(prompt),
      gold: answer,
      output: label,
      parsed: label,
      label_logprobs: logprobs,
      scores: { accuracy: label === answer ? 1 : 0 },
      group,
    };
  });
}
