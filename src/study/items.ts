/** @file Scores of the same items under many rows of a study, side by side, so that rows can be compared item by item. */

import type { ItemScores } from "../runs/item-scores.ts";
import { METRICS } from "../specs/metrics.ts";
import { isTrainedOn } from "../specs/tasks.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import { type SeedScores, type SeedVariance, seedVariance } from "../stats/difference.ts";
import type { StudyLock } from "./lock-file.ts";
import type { ReadScored, Row, StudyTable } from "./study-table.ts";

export interface TaskItems {
  /** [n] */
  ids: string[];
  /** [n] the group of each item. */
  groups: string[];
  /** By row index, [seeds][n]. Rows without predictions are absent. */
  scores: ReadonlyMap<number, SeedScores>;
  /** Rows whose predictions are of other items than those of the first row: not compared. */
  odd: number[];
  /** Items that the metric says nothing of under some row (instructions that cannot be checked): left out of all. */
  leftOut: number;
}

/** The items of one task under the mixtures and untuned model of one model, and the spread over seeds. */
export interface ModelItems extends TaskItems {
  task: string;
  metric: MetricName;
  model: string;
  seeds: SeedVariance;
}

/** The score of an item that differences are of: whether the table's reading was right, or the item's part of a metric that is a mean over items. */
export function itemScoreName(metric: MetricName, scoring: Scoring): string {
  const { item } = METRICS[metric];
  return item === "accuracy" ? scoring : item;
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
      const among = rows.flatMap((row, i) => (row.model === model && isTrainedOrBase(row) ? [i] : []));
      const items = taskItems(rows, among, name, itemScoreName(metric, scoring), split, read);
      return { ...items, task: name, metric, model, seeds: seedVarianceOf(rows, items, name, lock) };
    }),
  );
}

function isTrainedOrBase({ kind }: Row): boolean {
  return kind === "mixture" || kind === "base";
}

/** Lays out the items of a task under the given rows (indices into `rows`). */
function taskItems(
  rows: readonly Row[],
  among: readonly number[],
  task: string,
  name: string,
  split: "dev" | "test",
  read: ReadScored,
): TaskItems {
  const bySource = among.flatMap((index) => {
    const seeds = sourcesOf(rows[index]!, read).flatMap((one) => one.items(task, split) ?? []);
    const answered = seeds.filter(({ ids }) => ids.length > 0);
    return answered.length === 0 ? [] : [{ index, seeds: answered }];
  });
  const { ids = [], groups = [] } = bySource[0]?.seeds[0] ?? {};
  const isSame = (other: ItemScores) =>
    other.ids === ids || (other.ids.length === ids.length && other.ids.every((id, i) => id === ids[i]));
  const same = bySource.filter(({ seeds }) => seeds.every(isSame));
  const isKnown = ids.map(() => true);
  for (const { seeds } of same) {
    for (const { scores } of seeds) {
      isKnown.forEach((_, i) => {
        if (Number.isNaN(scores[name]?.[i] ?? Number.NaN)) isKnown[i] = false;
      });
    }
  }
  const kept = <T>(values: readonly T[]) => values.filter((_, i) => isKnown[i]);
  const scoresOf = ({ scores }: ItemScores) => kept(scores[name] ?? []);
  return {
    ids: kept(ids),
    groups: kept(groups),
    scores: new Map(same.map(({ index, seeds }) => [index, seeds.map(scoresOf)])),
    odd: bySource.filter((one) => !same.includes(one)).map(({ index }) => index),
    leftOut: isKnown.filter((known) => !known).length,
  };
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
