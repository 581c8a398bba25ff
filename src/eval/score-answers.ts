/** @file What a model answered, judged: every asked reading of labels side by side. Pure, so that stored answers can be judged again. */

import { sha256 } from "../base/digest.ts";
import type { Example, LoadedTask } from "../data/types.ts";
import { LABEL_METRICS } from "../metrics/label-metrics.ts";
import { type LabelReader, lenientReader, strictReader } from "../metrics/label-text.ts";
import { scoreAnswer } from "../metrics/score-answer.ts";
import { type ItemScores, scoreItems } from "../metrics/score-items.ts";
import { scoreSplit } from "../metrics/score-split.ts";
import type { MetricInterval } from "../metrics/with-intervals.ts";
import type { Prediction, SplitScores } from "../runs/types.ts";
import type { Gold } from "../specs/gold.ts";
import type { AnswerSpec, LabelMetricName, MetricName, Scoring } from "../specs/types.ts";
import { bestLabel } from "./score.ts";

/** An example's identity and gold answer, and what a model gave for it. */
export type Answered = Omit<Prediction, "output" | "parsed" | "scores"> & {
  output?: string;
  /** Of the gold answer, mean over its tokens. */
  answer_logprob?: number;
  /** What the gold answer's text does not say. */
  facts?: Gold;
};

/** What is known of an example before it is asked. @param rendered  the prompt as the model sees it */
export function itemOf({ id, answer, group, gold }: Example, rendered: string): Omit<Answered, "output"> {
  return { id, prompt_digest: sha256(rendered), gold: answer, group, ...(gold && { facts: gold }) };
}

/**
 * Number of the scorers, kept with every score. Raised whenever a change of the code may give stored answers another score: a test of fixed answers
 * says when.
 */
export const SCORERS = 1;

export interface SplitResult {
  predictions: Prediction[];
  scores: SplitScores;
}

/** The one reading of answers that are no labels. */
const GENERATED = "generated";

/** Seed of the bootstrap over items: fixed, so that judging again gives the same interval. */
const BOOTSTRAP_SEED = 1;

/** All label metrics, the task's own first. */
function metricsOf(own: MetricName): LabelMetricName[] {
  const all = Object.keys(LABEL_METRICS) as LabelMetricName[];
  return all.toSorted((a, b) => Number(b === own) - Number(a === own));
}

/**
 * Judges a model's answers to one split.
 *
 * Labels: `metrics` are those of the first scoring; `constrained` needs log-probabilities, `strict` and `lenient` need text.
 * Without text the likeliest label stands as the output. Other answers are scored by their kind (score-answer.ts), and by the log-probability of
 * gold where it is known.
 */
export function scoreAnswers(
  answers: readonly Answered[],
  { answer, metric }: Pick<LoadedTask, "answer" | "metric">,
  scoring: readonly Scoring[],
): SplitResult {
  const { predictions, scores } =
    answer.kind === "label"
      ? scoreLabelAnswers(answers, answer.labels, metric, scoring)
      : scoreOtherAnswers(answers, answer.kind, metric);
  return { predictions, scores: { ...scores, scorers: SCORERS } };
}

/** Generated answers, each by its kind; without text the likelihood of gold is all there is. */
function scoreOtherAnswers(
  answers: readonly Answered[],
  kind: Exclude<AnswerSpec["kind"], "label">,
  metric: MetricName,
): SplitResult {
  const predictions = answers.map(({ answer_logprob, facts, ...item }): Prediction => {
    const likelihood: ItemScores = answer_logprob === undefined ? {} : { answer_logprob };
    const { output } = item;
    if (output === undefined || kind === "document") return { ...item, output: "", parsed: null, scores: likelihood };
    const gold = { answer: item.gold, ...(facts && { gold: facts }) };
    const { parsed, scores } = scoreAnswer(kind, gold, output, item.constrained_output);
    return { ...item, output, parsed, scores: { ...scores, ...likelihood } };
  });
  const scores = scoreItems(predictions, metric, { seed: BOOTSTRAP_SEED, scoring: GENERATED });
  const isGenerated = answers.every(({ output }) => output !== undefined);
  const valid = (i: number) => predictions[i]!.scores.format_valid === 1;
  return { predictions, scores: { ...scores, ...(isGenerated ? { outputs: countOutputs(answers, valid) } : {}) } };
}

function scoreLabelAnswers(
  answers: readonly Answered[],
  labels: readonly string[],
  metric: MetricName,
  scoring: readonly Scoring[],
): SplitResult {
  const strict = strictReader(labels);
  const readText =
    (read: LabelReader) =>
    ({ output }: Answered) =>
      read(output!);
  const readings: Record<Scoring, (answered: Answered) => string | null> = {
    constrained: ({ label_logprobs }) => likeliest(labels, label_logprobs!),
    strict: readText(strict),
    lenient: readText(lenientReader(labels)),
  };
  const read = scoring.map((name) => ({ name, parsed: answers.map(readings[name]) }));
  const predictions = answers.map((answered, i): Prediction => {
    const { facts: _facts, answer_logprob: _logprob, ...item } = answered;
    const parsed = read[0]!.parsed[i]!;
    const right = (label: string | null) => (label === answered.gold ? 1 : 0);
    const byReading = Object.fromEntries(read.map(({ name, parsed: all }) => [name, right(all[i]!)]));
    const output = answered.output ?? parsed!;
    return { ...item, output, parsed, scores: { accuracy: right(parsed), ...byReading } };
  });
  const scored = read.map(({ name, parsed }) => {
    const items = answers.map(({ gold, group }, i) => ({ gold, pred: parsed[i]!, group }));
    return [name, scoreSplit(items, labels, metricsOf(metric), { seed: BOOTSTRAP_SEED })] as const;
  });
  const { n, n_groups, metrics } = scored[0]![1];
  const byScoring = Object.fromEntries(
    scored.map(([name, split]): [string, Record<string, MetricInterval>] => [name, split.metrics]),
  );
  const top_answer = topAnswer(
    read[0]!.parsed,
    answers.map(({ gold }) => gold),
  );
  const outputs = answers.every(({ output }) => output !== undefined)
    ? { outputs: countOutputs(answers, (i) => strict(answers[i]!.output!) !== null) }
    : {};
  return { predictions, scores: { n, n_groups, metrics, scoring: byScoring, ...top_answer, ...outputs } };
}

function topAnswer(parsed: readonly (string | null)[], gold: readonly string[]): Pick<SplitScores, "top_answer"> {
  const counts = new Map<string, number>();
  for (const label of parsed) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [top] = [...counts].toSorted(([, a], [, b]) => b - a);
  if (top === undefined) return {};
  const [label, given] = top;
  return { top_answer: { label, given, gold: gold.filter((answer) => answer === label).length } };
}

/** The likeliest label; ties go to the earlier one, a label without a log-probability is never chosen. */
function likeliest(labels: readonly string[], logprobs: Record<string, number>): string {
  const scores = Float64Array.from(labels, (label) => logprobs[label] ?? Number.NEGATIVE_INFINITY);
  return labels[bestLabel(scores)]!;
}

function countOutputs(
  answers: readonly Answered[],
  isValid: (i: number) => boolean,
): NonNullable<SplitScores["outputs"]> {
  const count = (holds: (answered: Answered, i: number) => boolean) => answers.filter(holds).length;
  return {
    valid: count((_, i) => isValid(i)),
    empty: count(({ output }) => output!.trim() === ""),
    cut: count(({ finish_reason }) => finish_reason === "length"),
  };
}
