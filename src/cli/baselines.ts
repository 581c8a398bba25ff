/** @file The baselines that read text only, scored into the same files as a model's. */

import { sha256 } from "../base/digest.ts";
import { subsetByHash } from "../data/splits.ts";
import type { Example, LoadedTask } from "../data/types.ts";
import type { Baseline } from "../eval/baselines/baseline.ts";
import { fitMajority } from "../eval/baselines/majority.ts";
import { fitNgram } from "../eval/baselines/ngram.ts";
import { metricsOf } from "../eval/evaluate.ts";
import { scoreSplit } from "../metrics/score-split.ts";
import { writePredictions, writeScores, writeStatus } from "../runs/run-dir.ts";
import type { Prediction, Scores } from "../runs/types.ts";
import type { EvalSpec } from "../specs/types.ts";

/** Resampling for intervals is drawn from this; the same for every baseline. */
const BOOTSTRAP_SEED = 1;

/** Fits a baseline on each task's training examples and scores it on the splits asked for. */
export function scoreTextBaseline(
  kind: "majority" | "ngram",
  job: { dir: string; eval_tasks: string[]; eval: EvalSpec },
  tasks: Record<string, LoadedTask>,
): void {
  const scores: Scores = { tasks: {} };
  for (const name of job.eval_tasks) {
    const task = tasks[name]!;
    const fitted = kind === "majority" ? fitMajority(task.splits.train) : fitNgram(task.splits.train, task.splits.dev);
    scores.tasks[name] = {};
    for (const split of job.eval.splits) {
      const examples = subsetByHash(task.splits[split], split === "dev" ? job.eval.max_dev : job.eval.max_test);
      const predictions = predictionsOf(fitted, examples);
      writePredictions(job.dir, name, split, predictions);
      scores.tasks[name][split] = scored(predictions, task);
    }
  }
  writeScores(job.dir, scores);
  writeStatus(job.dir, { state: "done" });
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
