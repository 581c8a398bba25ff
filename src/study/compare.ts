/** @file Two scored models or mixtures on the same items, task by task: paired differences with intervals, and what was not comparable. */

import { differences, type KeyDifference } from "../base/differences.ts";
import { DataError } from "../base/errors.ts";
import { type ItemScores, itemScoresOf } from "../runs/item-scores.ts";
import { isLabelMetric, isLabelScoring, METRICS } from "../specs/metrics.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import { clusters } from "../stats/clusters.ts";
import { holm, SIGNIFICANT } from "../stats/corrections.ts";
import { meanOfSeeds, type SeedScores, seedVariance } from "../stats/difference.ts";
import { alignedTo, commonItems, type LeftOut, poolOf } from "./common-items.ts";
import { itemScoreName, partsOf, readerOf } from "./item-parts.ts";
import { type PairDifference, pairDifference } from "./pair-difference.ts";
import type { ScoredAnswers, SideAnswers } from "./side-answers.ts";

/** An item that the two answer with different success; outputs one a seed. */
export interface DisagreeingItem {
  id: string;
  gold: string;
  better: "a" | "b";
  a: string[];
  b: string[];
}

/** One task: A against B, in the metric's own unit. */
export interface TaskComparison extends PairDifference {
  task: string;
  metric: MetricName;
  /** How labels were read; absent where answers are no labels. */
  reading?: Scoring;
  n: number;
  groups: number;
  numSeeds: { a: number; b: number };
  /** Holm's over the tasks compared. */
  pAdjusted: number;
  verdict: "above" | "below" | "not distinguishable";
  /** Items on which one scores higher than the other, by its mean over seeds; of single models with right and wrong answers: right where the other is wrong. */
  aBetter: number;
  bBetter: number;
  leftOut: LeftOut[];
  /** In the order of A's file. */
  disagreeing: DisagreeingItem[];
}

/** A whole comparison. */
export interface SideComparison {
  a: string;
  b: string;
  split: "dev" | "test";
  tasks: TaskComparison[];
  /** p values that Holm's correction is over. */
  familySize: number;
  notCompared: { task: string; reason: string }[];
  remarks: string[];
  /** Keys of the two records that differ; undefined where the two have no record of the same kind. */
  differingKeys?: { file: string; keys: KeyDifference[] };
}

/** `tasks`: default all that either has. */
export interface CompareOptions {
  split: "dev" | "test";
  tasks?: readonly string[];
}

/**
 * Compares what both sides have. Reading recorded scores opens no test split.
 * @throws {DataError} no task can be compared: says why of each
 */
export function compareSides(a: SideAnswers, b: SideAnswers, { split, tasks }: CompareOptions): SideComparison {
  const remarks: string[] = [];
  const notCompared: SideComparison["notCompared"] = [];
  const found: Uncorrected[] = [];
  for (const task of tasks ?? [...new Set([...a.tasks(), ...b.tasks()])]) {
    const one = compareTask(task, split, a, b, (text) => remarks.push(`${task}: ${text}`));
    if ("reason" in one) notCompared.push({ task, reason: one.reason });
    else found.push(one);
  }
  if (found.length === 0) {
    throw new DataError({
      place: `${a.name} and ${b.name}`,
      expected: `a task whose ${split} items both have answered`,
      got:
        notCompared.length === 0
          ? "no scores at all"
          : notCompared.map((one) => `${one.task}: ${one.reason}`).join("; "),
      remedy:
        "mixtune eval scores a model on more tasks and splits; options.split and options.tasks choose among those there are.",
    });
  }
  const { pValues, familySize } = holm(found.map(({ pValue }) => pValue));
  const compared = found.map((one, i): TaskComparison => {
    const pAdjusted = pValues[i]!;
    const verdict = pAdjusted < SIGNIFICANT ? (one.difference > 0 ? "above" : "below") : "not distinguishable";
    return { ...one, pAdjusted, verdict };
  });
  const differingKeys = keysOf(a, b);
  return {
    a: a.name,
    b: b.name,
    split,
    tasks: compared,
    familySize,
    notCompared,
    remarks,
    ...(differingKeys && { differingKeys }),
  };
}

function keysOf({ record: a }: SideAnswers, { record: b }: SideAnswers): SideComparison["differingKeys"] {
  if (a === undefined || b === undefined || a.file !== b.file) return undefined;
  return { file: a.file, keys: differences(a.content, b.content) };
}

type Uncorrected = Omit<TaskComparison, "pAdjusted" | "verdict">;

/** What the two sides have of one task and split. */
interface Both {
  sideA: SideAnswers;
  sideB: SideAnswers;
  a: ScoredAnswers[];
  b: ScoredAnswers[];
}

/** Why a task cannot be compared. */
interface Refusal {
  reason: string;
}

type Remark = (text: string) => void;

function compareTask(
  task: string,
  split: "dev" | "test",
  sideA: SideAnswers,
  sideB: SideAnswers,
  remark: Remark,
): Uncorrected | Refusal {
  const both = { sideA, sideB, a: sideA.of(task, split), b: sideB.of(task, split) };
  const { a, b } = both;
  const refusal = refusalOf(both, split, remark);
  if (refusal !== undefined) return refusal;
  const measure = measureOf(task, both, remark);
  if ("reason" in measure) return measure;
  const { metric, reading, itemScore } = measure;
  const { items, leftOut } = commonItems(a, b, itemScore, { a: sideA.name, b: sideB.name }, remark);
  if (items.length === 0) {
    return { reason: `no item in common: ${leftOut.map(({ reason, ids }) => `${ids.length} ${reason}`).join(", ")}` };
  }
  const aligned = { a: a.map((one) => alignedTo(items, one)), b: b.map((one) => alignedTo(items, one)) };
  const read = (one: ScoredAnswers) => columnsOf(one, measure);
  const parts = (runs: readonly ScoredAnswers[]): SeedScores => runs.map((one) => partsOf(read(one), metric, reading));
  const { groups } = read(aligned.a[0]!);
  const pool = poolOf(task, split, items, itemScore, [sideA, sideB], remark);
  const basis = { metric, groups, seeds: seedVariance(pool.map(parts), groups) };
  const shareOf = ({ kind }: SideAnswers, numSeeds: number) => (kind === "mixture" ? 1 / numSeeds : 0);
  const weight = shareOf(sideA, a.length) + shareOf(sideB, b.length);
  const tested = pairDifference(parts(aligned.a), parts(aligned.b), basis, weight);
  if (weight > 0 && tested.method !== "t over seeds") {
    remark(
      "no mixture has a second seed: interval and p are of these trained models, and training again may give another result",
    );
  }
  const disagreeing = disagreeingItems(aligned, itemScore);
  const aBetter = disagreeing.filter(({ better }) => better === "a").length;
  return {
    task,
    metric,
    ...(reading && { reading }),
    n: items.length,
    groups: clusters(groups).length,
    numSeeds: { a: a.length, b: b.length },
    ...tested,
    aBetter,
    bBetter: disagreeing.length - aBetter,
    leftOut,
    disagreeing,
  };
}

/** Why the answers cannot be compared by any metric; what may surprise about them is remarked. */
function refusalOf({ sideA, sideB, a, b }: Both, split: "dev" | "test", remark: Remark): Refusal | undefined {
  for (const [side, scored] of [[sideA, a] as const, [sideB, b] as const]) {
    if (scored.length === 0) return { reason: `${side.name} has no ${split} answers of it` };
    const missing = side.numPlanned - scored.length;
    if (missing > 0) remark(`${side.name} has scores of ${scored.length} of its ${side.numPlanned} seeds`);
  }
  const all = [...a, ...b];
  const doubled = all.find(({ answers }) => new Set(answers.map(({ id }) => id)).size < answers.length);
  if (doubled !== undefined) return { reason: `${doubled.dir} has two answers to one item` };
  for (const { dir, scores, answers } of all) {
    if (scores.n !== answers.length) remark(`${dir} has ${answers.length} answers, its scores count ${scores.n}`);
  }
  const scorers = [...new Set(all.map(({ scores }) => scores.scorers ?? 0))].sort();
  if (scorers.length <= 1) return undefined;
  return {
    reason: `judged by scorers of different numbers (${scorers.join(", ")}); mixtune rescore DIR judges stored answers by today's`,
  };
}

/** By what the answers are compared. */
interface Measure {
  metric: MetricName;
  reading: Scoring | undefined;
  /** Says which of two answers to an item is better. */
  itemScore: string;
  labels: string[] | undefined;
}

function measureOf(task: string, { sideA, sideB, a, b }: Both, remark: Remark): Measure | Refusal {
  const all = [...a, ...b];
  const metric = sideA.metric(task, a[0]!.scores);
  const other = sideB.metric(task, b[0]!.scores);
  if (METRICS[metric] === undefined) return { reason: `${metric} is no metric of this version` };
  if (other !== metric)
    remark(`${sideA.name} is ranked by ${metric}, ${sideB.name} by ${other}: compared by ${metric}`);
  const isLabel = isLabelMetric(metric);
  const reading = isLabel ? readingOf(all, sideA.scoring ?? sideB.scoring) : undefined;
  if (isLabel && reading === undefined) {
    const said = (scored: readonly ScoredAnswers[]) => readingsOf(scored).join(", ") || "not at all";
    return { reason: `labels are read ${said(a)} in ${sideA.name} and ${said(b)} in ${sideB.name}` };
  }
  const isMean = METRICS[metric].item === metric;
  const labels = sideA.labels(task) ?? sideB.labels(task) ?? labelsAsked(all);
  if (reading !== undefined && !isMean && labels === undefined && !all.every((one) => isKept(one, reading))) {
    return { reason: `${metric} of ${reading} answers needs the task's labels, which neither side names` };
  }
  return { metric, reading, itemScore: itemScoreName(metric, reading), labels };
}

/** Scores and labels of a model's answers, labels by the reading that is compared. */
function columnsOf(one: ScoredAnswers, { reading, labels }: Measure): ItemScores {
  if (reading === undefined || isKept(one, reading)) return itemScoresOf(one.answers);
  return itemScoresOf(one.answers, readerOf(reading, labels ?? []));
}

/** Items that one side answers better, by the mean of its item score over seeds. */
function disagreeingItems({ a, b }: Pick<Both, "a" | "b">, itemScore: string): DisagreeingItem[] {
  const scores = (runs: readonly ScoredAnswers[]) =>
    runs.map(({ answers }) => answers.map((one) => one.scores[itemScore]!));
  const [meanA, meanB] = [meanOfSeeds(scores(a)), meanOfSeeds(scores(b))];
  return a[0]!.answers.flatMap(({ id, gold }, i): DisagreeingItem[] => {
    if (meanA[i] === meanB[i]) return [];
    const outputs = (runs: readonly ScoredAnswers[]) => runs.map(({ answers }) => answers[i]!.output);
    return [{ id, gold, better: meanA[i]! > meanB[i]! ? "a" : "b", a: outputs(a), b: outputs(b) }];
  });
}

/** The reading whose labels the answers keep is the first. */
function isKept({ scores }: ScoredAnswers, reading: Scoring): boolean {
  return Object.keys(scores.scoring)[0] === reading;
}

/** Every label has a log-probability in a constrained answer. */
function labelsAsked(all: readonly ScoredAnswers[]): string[] | undefined {
  const asked = all.map(({ answers }) => answers[0]?.label_logprobs).find((one) => one !== undefined);
  return asked && Object.keys(asked);
}

/** Readings that all have made. */
function readingsOf(scored: readonly ScoredAnswers[]): Scoring[] {
  const [first, ...others] = scored.map(({ scores }) => Object.keys(scores.scoring).filter(isLabelScoring));
  return (first ?? []).filter((name) => others.every((one) => one.includes(name))) as Scoring[];
}

/** The study's own reading where all have it, else the first of those that all have. */
function readingOf(all: readonly ScoredAnswers[], wanted: Scoring | undefined): Scoring | undefined {
  const common = readingsOf(all);
  return common.find((name) => name === wanted) ?? common[0];
}
