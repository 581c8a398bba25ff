/** @file The metrics that may rank models on a task: of which answers each is, which score says of single items who is right, and what it means. */

import type { AnswerSpec, LabelMetricName, MetricName, Scoring } from "./types.ts";

interface MetricFacts {
  /** Kinds of answers that may be ranked by it. Empty: only a task of the catalogue that names it. */
  kinds: readonly AnswerSpec["kind"][];
  /** The score that says which of two answers to an item is better: the metric itself where it is a mean of such scores. */
  item: string;
  /** For people, under tables; absent where the name says it. */
  meaning?: string;
}

/** Every metric. Of those of one kind of answer the first is its default. */
export const METRICS: Readonly<Record<MetricName, MetricFacts>> = {
  weighted_f1: { kinds: ["label"], item: "accuracy" },
  accuracy: { kinds: ["label"], item: "accuracy" },
  macro_f1: { kinds: ["label"], item: "accuracy" },
  mcc: { kinds: ["label"], item: "accuracy" },
  number_accuracy: {
    kinds: ["number"],
    item: "number_accuracy",
    meaning: "the answer is one number, equal to gold at gold's precision",
  },
  entity_f1: { kinds: ["spans"], item: "exact_match", meaning: "F1 of entities, text and type, over all items" },
  relation_f1: { kinds: ["spans"], item: "exact_match", meaning: "F1 of relations with both ends, over all items" },
  token_f1: { kinds: ["text"], item: "token_f1", meaning: "F1 of words shared with gold, mean over items" },
  exact_match: { kinds: ["text"], item: "exact_match" },
  rouge_l: { kinds: ["text"], item: "rouge_l" },
  chrf: { kinds: ["text"], item: "chrf" },
  instruction_accuracy: {
    kinds: [],
    item: "prompt_accuracy",
    meaning: "share of all instructions that were followed",
  },
  answer_logprob: {
    kinds: ["number", "spans", "text", "document"],
    item: "answer_logprob",
    meaning: "mean nats a token of the gold answer, higher is better",
  },
};

/** All names, in order. */
export const METRIC_NAMES = Object.keys(METRICS) as [MetricName, ...MetricName[]];

/** The metrics that answers of a kind may be ranked by, the default first. */
export function metricsOfKind(kind: AnswerSpec["kind"]): MetricName[] {
  return METRIC_NAMES.filter((name) => METRICS[name].kinds.includes(kind));
}

export function isLabelMetric(name: MetricName): name is LabelMetricName {
  return METRICS[name].kinds.includes("label");
}

const LABEL_SCORINGS: readonly string[] = ["constrained", "strict", "lenient"] satisfies Scoring[];

/** Whether it is a way to read labels; other kinds of answer have scorers of other names. */
export function isLabelScoring(name: string): boolean {
  return LABEL_SCORINGS.includes(name);
}
