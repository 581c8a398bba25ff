/** @file Two scored models or mixtures on the same items, task by task: paired differences with intervals, and what was not comparable. */

import { differences, type KeyDifference } from "../base/differences.ts";
import { DataError } from "../base/errors.ts";
import { isLabelScoring } from "../runs/run-dir.ts";
import { isLabelMetric, METRICS } from "../specs/metrics.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import { clusters } from "../stats/clusters.ts";
import { holm, SIGNIFICANT } from "../stats/corrections.ts";
import { meanOfSeeds } from "../stats/difference.ts";
import { alignedTo, commonItems, type LeftOut, poolOf } from "./common-items.ts";
import { type Compared, meansTested, statisticTested, type TestedDifference } from "./paired-tests.ts";
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
export interface TaskComparison extends TestedDifference {
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

function compareTask(
  task: string,
  split: "dev" | "test",
  sideA: SideAnswers,
  sideB: SideAnswers,
  remark: (text: string) => void,
): Uncorrected | { reason: string } {
  const [a, b] = [sideA.of(task, split), sideB.of(task, split)];
  for (const [side, scored] of [
    [sideA, a],
    [sideB, b],
  ] as const) {
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
  if (scorers.length > 1) {
    return {
      reason: `judged by scorers of different numbers (${scorers.join(", ")}); mixtune rescore DIR judges stored answers by today's`,
    };
  }
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
  // a metric that is no mean of item scores needs one for the counts of who is better
  const itemScore = reading ?? METRICS[metric].item;
  const isMean = METRICS[metric].item === metric;
  const labels = sideA.labels(task) ?? sideB.labels(task) ?? labelsAsked(all);
  if (reading !== undefined && !isMean && labels === undefined && !all.every((one) => isKept(one, reading))) {
    return { reason: `${metric} of ${reading} answers needs the task's labels, which neither side names` };
  }
  const { items, leftOut } = commonItems(a, b, itemScore, { a: sideA.name, b: sideB.name }, remark);
  if (items.length === 0) {
    return { reason: `no item in common: ${leftOut.map(({ reason, ids }) => `${ids.length} ${reason}`).join(", ")}` };
  }
  const of: Compared<ScoredAnswers> = {
    a: a.map((one) => alignedTo(items, one)),
    b: b.map((one) => alignedTo(items, one)),
    pool: poolOf(task, split, items, itemScore, [sideA, sideB], remark),
  };
  const groups = of.a[0]!.answers.map(({ group }) => group);
  const scoresOf = ({ answers }: ScoredAnswers) => answers.map(({ scores }) => scores[itemScore]!);
  const scores: Compared<number[]> = {
    a: of.a.map(scoresOf),
    b: of.b.map(scoresOf),
    pool: of.pool.map((runs) => runs.map(scoresOf)),
  };
  const shareOf = ({ kind }: SideAnswers, numSeeds: number) => (kind === "mixture" ? 1 / numSeeds : 0);
  const weight = shareOf(sideA, a.length) + shareOf(sideB, b.length);
  const tested = isMean
    ? meansTested(scores, groups, weight)
    : statisticTested(of, groups, weight, { metric, reading, labels });
  if (weight > 0 && !tested.method.endsWith("over seeds")) {
    remark("no mixture has a second seed: the interval is of these models, and says nothing of training them again");
  }
  const [meanA, meanB] = [meanOfSeeds(scores.a), meanOfSeeds(scores.b)];
  const disagreeing = items.flatMap((id, i): DisagreeingItem[] => {
    if (meanA[i] === meanB[i]) return [];
    const outputs = (runs: readonly ScoredAnswers[]) => runs.map(({ answers }) => answers[i]!.output);
    const better = meanA[i]! > meanB[i]! ? "a" : "b";
    return [{ id, gold: of.a[0]!.answers[i]!.gold, better, a: outputs(of.a), b: outputs(of.b) }];
  });
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
