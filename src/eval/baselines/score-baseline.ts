/** @file The baselines that read text only, scored into the same files as a model's. */

import { attempt } from "../../base/attempt.ts";
import { evaluatedSubset } from "../../data/splits/splits.ts";
import type { Example, LoadedTask } from "../../data/types.ts";
import { isAnswered } from "../../runs/damage.ts";
import { readScores, writeSplit } from "../../runs/run-dir.ts";
import type { EvalSpec } from "../../specs/types.ts";
import { type Answered, itemOf, scoreAnswers } from "../score-answers.ts";
import type { Baseline } from "./baseline.ts";
import { fitMajority } from "./majority.ts";
import { fitNgram } from "./ngram.ts";

/** Fits a baseline on a task's training examples, if it has any, and scores it on the splits asked for, unless that is done. */
export function scoreTextBaseline(kind: "majority" | "ngram", dir: string, task: LoadedTask, spec: EvalSpec): void {
  const scores = attempt(() => readScores(dir)) ?? { tasks: {} };
  const missing = spec.splits.filter((split) => !isAnswered(dir, scores, { task: task.name, split }, spec.scoring));
  if (missing.length === 0 || task.answer.kind !== "label") return;
  const { train, dev } = task.splits;
  if (train.length === 0) return; // a benchmark: there is nothing to fit on
  const fitted = kind === "majority" ? fitMajority(train) : fitNgram(train, dev);
  for (const split of missing) {
    const examples = evaluatedSubset(task.splits[split], split, spec);
    const judged = scoreAnswers(answersOf(fitted, examples), task, spec.scoring);
    writeSplit(dir, scores, { task: task.name, split }, judged);
  }
}

function answersOf(fitted: Baseline, examples: readonly Example[]): Answered[] {
  const outputs = fitted.predict(examples.map(({ prompt }) => prompt));
  return examples.map((example, i) => {
    const { label, logprobs } = outputs[i]!;
    return { ...itemOf(example, example.prompt), output: label, label_logprobs: logprobs };
  });
}
