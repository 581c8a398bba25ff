/** @file Every row's parts of a task's metric on the same items, side by side, so that rows can be compared item by item. */

import { type ItemScores, itemScoresOf } from "../runs/item-scores.ts";
import { METRICS } from "../specs/metrics.ts";
import { isTrainedOn } from "../specs/tasks.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import { type SeedScores, type SeedVariance, seedVariance } from "../stats/difference.ts";
import { itemScoreName, partsBeyondGuessing, partsOf, readerOf } from "./item-parts.ts";
import type { StudyLock } from "./lock-file.ts";
import type { ReadScored, Row, ScoredRun, StudyTable } from "./study-table.ts";

export interface TaskItems {
  /** [n] */
  ids: string[];
  /** [n] the group of each item. */
  groups: string[];
  /** By row index, [seeds][n] parts of the task's metric: their mean is the metric. Rows without predictions are absent. */
  scores: ReadonlyMap<number, SeedScores>;
  /** Rows that gave one and the same label to every item, in all their seeds, and which. */
  oneAnswer: ReadonlyMap<number, string>;
  /** By row index, [seeds][n] parts of what labels have beyond guessing (item-parts.ts); empty where answers are none. */
  beyondGuessing: ReadonlyMap<number, SeedScores>;
  /** Rows whose predictions are of other items than those of the first row: not compared. */
  odd: number[];
  /** Rows for which the metric is not defined (MCC of a single answer): not compared. */
  undefinedFor: number[];
  /** Items that the metric says nothing of under some row (instructions that cannot be checked): left out of all. */
  leftOut: number;
}

/** The items of one task under the mixtures and untuned model of one model and the baselines, and the spread over seeds. */
export interface ModelItems extends TaskItems {
  task: string;
  metric: MetricName;
  model: string;
  seeds: SeedVariance;
}

/** Lays out every task under every model's rows, once for all comparisons. Effects are read on test, choices made on dev. */
export function studyItems(
  { rows, tasks, scoring }: Pick<StudyTable, "rows" | "tasks" | "scoring">,
  models: readonly string[],
  lock: StudyLock,
  read: ReadScored,
  split: "dev" | "test" = "test",
): ModelItems[] {
  return models.flatMap((model) =>
    tasks.map(({ name, metric }): ModelItems => {
      const { answer } = lock.study.tasks[name] ?? {};
      const labels = answer?.kind === "label" ? answer.labels : [];
      const look = { task: name, metric, scoring, labels, split, read };
      const items = taskItems(rows, rowsBeside(rows, model), look);
      return { ...items, task: name, metric, model, seeds: seedVarianceOf(rows, items, name, lock) };
    }),
  );
}

/** Indices of a model's mixtures, then of what they are held against. */
function rowsBeside(rows: readonly Row[], model: string): number[] {
  const isOf = (row: Row) => row.model === model || row.kind === "majority" || row.kind === "ngram";
  const order = (kind: Row["kind"]) => ["mixture", "base", "majority", "ngram"].indexOf(kind);
  return [...rows.keys()]
    .filter((i) => isOf(rows[i]!) && order(rows[i]!.kind) >= 0)
    .sort((a, b) => order(rows[a]!.kind) - order(rows[b]!.kind) || a - b);
}

interface Look {
  task: string;
  metric: MetricName;
  scoring: Scoring;
  /** Those of the task, where they are known. */
  labels: readonly string[];
  split: "dev" | "test";
  read: ReadScored;
}

/** Lays out the items of a task under the given rows (indices into `rows`), mixtures first. */
function taskItems(rows: readonly Row[], among: readonly number[], look: Look): TaskItems {
  const { metric, scoring, read } = look;
  const name = itemScoreName(metric, scoring);
  const answered = among.flatMap((index) => {
    const seeds = sourcesOf(rows[index]!, read).flatMap((one) => answersOf(one, look) ?? []);
    return seeds.length === 0 ? [] : [{ index, seeds }];
  });
  const { ids = [], groups = [] } = answered[0]?.seeds[0] ?? {};
  const isSame = (other: ItemScores) =>
    other.ids === ids || (other.ids.length === ids.length && other.ids.every((id, i) => id === ids[i]));
  const isKnownIn = ({ scores }: ItemScores, i: number) => !Number.isNaN(scores[name]?.[i] ?? Number.NaN);
  const same = answered.filter(({ seeds }) => seeds.every(isSame));
  const isModel = ({ index }: { index: number }) => rows[index]!.model !== undefined;
  const models = same.filter(isModel);
  const isKnown = ids.map((_, i) => models.every(({ seeds }) => seeds.every((one) => isKnownIn(one, i))));
  // a baseline that says nothing of some items takes them from nobody
  const complete = same.filter(
    (row) => isModel(row) || row.seeds.every((one) => isKnown.every((known, i) => !known || isKnownIn(one, i))),
  );
  const kept = <T>(values: readonly T[]) => values.filter((_, i) => isKnown[i]);
  const laidOut = complete.map(({ index, seeds }) => {
    const ofItems = seeds.map((one) => only(one, isKnown));
    const beyond = ofItems.flatMap(({ labels }) => (labels === undefined ? [] : [partsBeyondGuessing(labels)]));
    return { index, answer: oneAnswerOf(ofItems), parts: ofItems.map((one) => partsOf(one, metric, scoring)), beyond };
  });
  const isDefined = ({ parts }: { parts: SeedScores }) => parts.every((seed) => !seed.some(Number.isNaN));
  return {
    ids: kept(ids),
    groups: kept(groups),
    scores: new Map(laidOut.filter(isDefined).map(({ index, parts }) => [index, parts])),
    oneAnswer: new Map(
      laidOut.flatMap(({ index, answer }) => (answer === undefined ? [] : [[index, answer] as const])),
    ),
    beyondGuessing: new Map(
      laidOut.flatMap(({ index, beyond }) => (beyond.length === 0 ? [] : [[index, beyond] as const])),
    ),
    odd: answered.filter((one) => !same.includes(one)).map(({ index }) => index),
    undefinedFor: laidOut.filter((one) => !isDefined(one)).map(({ index }) => index),
    leftOut: isKnown.filter((known) => !known).length,
  };
}

/** What a run or baseline answered, labels as the table reads them; undefined where it answered nothing. */
function answersOf(run: ScoredRun, { task, metric, scoring, labels, split }: Look): ItemScores | undefined {
  const items = run.items(task, split);
  if (items === undefined || items.ids.length === 0) return undefined;
  const [kept = scoring] = Object.keys(run.scores?.tasks[task]?.[split]?.scoring ?? {});
  const isMean = METRICS[metric].item === metric;
  if (isMean || items.labels === undefined || kept === scoring) return items;
  return itemScoresOf(run.predictions(task, split), readerOf(scoring, labels));
}

function only(items: ItemScores, isKnown: readonly boolean[]): ItemScores {
  if (isKnown.every(Boolean)) return items;
  const kept = <T>(values: readonly T[]) => values.filter((_, i) => isKnown[i]);
  const { ids, groups, scores, labels } = items;
  return {
    ids: kept(ids),
    groups: kept(groups),
    scores: Object.fromEntries(Object.entries(scores).map(([name, values]) => [name, kept(values)])),
    ...(labels && { labels: { ...labels, gold: kept(labels.gold), given: kept(labels.given) } }),
  };
}

/** The one label that every seed gave to every item; of seeds with one label each, all of them. */
function oneAnswerOf(seeds: readonly ItemScores[]): string | undefined {
  const given = seeds.map(({ labels }) =>
    [...new Set(labels?.given)].map((k) => labels?.names[k] ?? "nothing readable"),
  );
  return given.every((names) => names.length === 1) ? [...new Set(given.flat())].join(" or ") : undefined;
}

/**
 * Over the mixtures that hold the task's own data, as others vary over seeds otherwise (docs/calibration.md); over all where the task is never
 * trained on. Each run once: a run may stand in the rows of several budgets.
 */
function seedVarianceOf(
  rows: readonly Row[],
  { scores, groups }: TaskItems,
  task: string,
  lock: StudyLock,
): SeedVariance {
  const once = new Map<string, SeedScores>();
  const isTarget = isTrainedOn(lock.study.tasks[task]);
  for (const [index, seeds] of scores) {
    const row = rows[index]!;
    if (row.kind !== "mixture" || (isTarget && !variedIngredients(row, lock).includes(task))) continue;
    once.set(row.runs.join(), seeds);
  }
  return seedVariance([...once.values()], groups);
}

/** Ingredients of a row that the study varies: mixers that every mixture has are none. */
export function variedIngredients(row: Row, lock: StudyLock): string[] {
  const { mixture } = lock.runs.find(({ id }) => id === row.runs[0])!;
  return Object.keys(mixture.ingredients).filter((name) => lock.study.mixers[name]?.role !== "always");
}

/** What was scored for a row: its runs, or its baseline. */
export function sourcesOf(row: Row, read: ReadScored): ReturnType<ReadScored>[] {
  if (row.baseline !== undefined) return [read("baseline", row.baseline)];
  return row.runs.map((id) => read("run", id));
}
