/** @file Scores one model on one split of a task and turns likelihoods into predictions and metrics. */

import { sha256 } from "../base/digest.ts";
import { OpError } from "../base/errors.ts";
import type { PromptTemplate } from "../data/chat-template.ts";
import type { PreparedTask } from "../data/prepare.ts";
import { subsetByHash } from "../data/splits.ts";
import type { Example, TokenizedExample } from "../data/types.ts";
import { LABEL_METRICS } from "../metrics/label-metrics.ts";
import { scoreItems } from "../metrics/score-items.ts";
import { scoreSplit } from "../metrics/score-split.ts";
import type { Network } from "../models/network.ts";
import type { Prediction, SplitScores } from "../runs/types.ts";
import type { EvalSpec, LabelMetricName, MetricName } from "../specs/types.ts";
import { bestLabel, scoreAnswers, scoreLabels } from "./score.ts";

export interface SplitResult {
  predictions: Prediction[];
  scores: SplitScores;
}

/** All label metrics, the task's own first. */
export function metricsOf(own: MetricName): LabelMetricName[] {
  const all = Object.keys(LABEL_METRICS) as LabelMetricName[];
  return all.toSorted((a, b) => Number(b === own) - Number(a === own));
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
 * Scores a model on a split: labels by their likelihood (constrained), other answers by the likelihood of the gold answer.
 *
 * @throws {OpError} documents, which have no answer
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
  if (task.answer.kind === "document") {
    throw new OpError({
      place: `task ${task.name}`,
      expected: "a task with prompts and answers",
      got: "kind document",
      remedy: "Use the task as a mixer: documents are trained on, not scored.",
    });
  }
  const subset = evaluationSubset(prepared, split, spec);
  const tokens = subset.map((item) => item.tokens);
  const progress = (done: number) => onProgress(done, tokens.length);
  const common = subset.map(({ example }) => {
    const rendered = template.render(example.prompt);
    const { id, answer: gold, group } = example;
    return { id, prompt_digest: sha256(rendered), gold, group, ...(spec.keep_prompts ? { prompt: rendered } : {}) };
  });
  if (task.answer.kind === "label" && labels !== undefined) {
    const names = task.answer.labels;
    const scores = await scoreLabels(network, parameters, tokens, labels, progress);
    const predictions = common.map((item, i): Prediction => {
      const output = names[bestLabel(scores[i]!)]!;
      const label_logprobs = Object.fromEntries(names.map((name, k) => [name, scores[i]![k]!]));
      return { ...item, output, parsed: output, label_logprobs, scores: { accuracy: output === item.gold ? 1 : 0 } };
    });
    const items = predictions.map(({ gold, parsed, group }) => ({ gold, pred: parsed, group }));
    return { predictions, scores: scoreSplit(items, names, metricsOf(task.metric), { seed: BOOTSTRAP_SEED }) };
  }
  const logprobs = await scoreAnswers(network, parameters, tokens, progress);
  const predictions = common.map((item, i): Prediction => {
    return { ...item, output: "", parsed: null, scores: { answer_logprob: logprobs[i]! } };
  });
  const scores = scoreItems(predictions, "answer_logprob", { seed: BOOTSTRAP_SEED, scoring: "constrained" });
  return { predictions, scores };
}
