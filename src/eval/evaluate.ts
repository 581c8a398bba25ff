/** @file Scores one model on one split of a task and turns likelihoods into predictions and metrics. */

import { sha256 } from "../base/digest.ts";
import { OpError } from "../base/errors.ts";
import type { PromptTemplate } from "../data/chat-template.ts";
import type { PreparedTask } from "../data/prepare.ts";
import { subsetByHash } from "../data/splits.ts";
import type { Example, TokenizedExample } from "../data/types.ts";
import { LABEL_METRICS } from "../metrics/label-metrics.ts";
import { scoreSplit } from "../metrics/score-split.ts";
import type { Network } from "../models/network.ts";
import type { Prediction, SplitScores } from "../runs/types.ts";
import type { EvalSpec, MetricName } from "../specs/types.ts";
import { bestLabel, scoreLabels } from "./score.ts";

export interface SplitResult {
  predictions: Prediction[];
  scores: SplitScores;
}

/** All label metrics, the task's own first. */
export function metricsOf(own: MetricName): MetricName[] {
  return [own, ...(Object.keys(LABEL_METRICS) as MetricName[]).filter((name) => name !== own)];
}

/** Seed of the bootstrap over items: fixed, so that rescoring gives the same interval. */
const BOOTSTRAP_SEED = 1;

/** The fixed subset of a split that every model is scored on. */
export function evaluationSubset(
  task: PreparedTask,
  split: "dev" | "test",
  spec: EvalSpec,
): { example: Example; tokens: TokenizedExample }[] {
  const { examples, tokenized } = task.split(split);
  const pairs = examples.map((example, i) => ({ example, tokens: tokenized[i]!, group: example.group }));
  return subsetByHash(pairs, split === "dev" ? spec.max_dev : spec.max_test);
}

/**
 * Constrained scoring of a task whose answer is a label.
 * @throws {OpError} the answer is no label: other kinds need free generation, which this version does not have
 */
export async function evaluateSplit(
  network: Network,
  parameters: Float32Array,
  prepared: PreparedTask,
  split: "dev" | "test",
  spec: EvalSpec,
  template: PromptTemplate,
  onProgress: (done: number, total: number) => Promise<void>,
): Promise<SplitResult> {
  const { task, labels } = prepared;
  if (task.answer.kind !== "label" || labels === undefined) {
    throw new OpError({
      place: `task ${task.name}`,
      expected: "an answer of kind label",
      got: `kind ${task.answer.kind}`,
      remedy: "Use the task as a mixer: answers of this kind cannot be scored yet.",
    });
  }
  const names = task.answer.labels;
  const subset = evaluationSubset(prepared, split, spec);
  const prompts = subset.map(({ tokens }) => tokens);
  const scores = await scoreLabels(network, parameters, prompts, labels, (done) => onProgress(done, prompts.length));
  const predictions = subset.map(({ example }, i): Prediction => {
    const output = names[bestLabel(scores[i]!)]!;
    const rendered = template.render(example.prompt);
    return {
      id: example.id,
      prompt_digest: sha256(rendered),
      gold: example.answer,
      output,
      parsed: output,
      label_logprobs: Object.fromEntries(names.map((name, k) => [name, scores[i]![k]!])),
      scores: { accuracy: output === example.answer ? 1 : 0 },
      group: example.group,
      ...(spec.keep_prompts ? { prompt: rendered } : {}),
    };
  });
  const items = predictions.map(({ gold, parsed, group }) => ({ gold, pred: parsed, group }));
  return { predictions, scores: scoreSplit(items, names, metricsOf(task.metric), { seed: BOOTSTRAP_SEED }) };
}
