/** @file What the finished runs of a study show: mixture x task, which mixture dev chooses, and whether test can tell it from its alternative. */

import type { Scores, SplitScores } from "../runs/types.ts";
import { tableScoring } from "../specs/hosted.ts";
import { isLabelScoring } from "../specs/metrics.ts";
import type { Scoring } from "../specs/types.ts";
import { holm, SIGNIFICANT } from "../stats/corrections.ts";
import { mean, standardDeviation } from "../stats/moments.ts";
import { sizedTask } from "./factors.ts";
import { type ModelItems, studyItems, variedIngredients } from "./items.ts";
import type { LockedBaseline, LockedRun, StudyLock } from "./lock-file.ts";
import { candidateRows } from "./offer.ts";
import { ofMixtures, rowDifference } from "./pair-difference.ts";
import type { Cell, Comparison, ReadScored, Row, StudyTable } from "./study-table.ts";
import { sentenceOf } from "./words.ts";

/**
 * Reads what is scored and puts it together. Unfinished runs leave empty cells.
 * @returns the table, and what its comparisons are made of: the test items of every task under every model
 */
export function analyseStudy(lock: StudyLock, read: ReadScored): { table: StudyTable; items: ModelItems[] } {
  const tasks = Object.keys(lock.study.tasks).map((name) => ({ name, metric: lock.tasks[name]!.metric }));
  const scoring = tableScoring(lock.study.eval, lock.study.models);
  const isControl = ({ control }: LockedRun) => control !== undefined;
  const groups = [...groupRuns(lock.runs.filter((run) => !isControl(run))), ...groupRuns(lock.runs.filter(isControl))];
  const rows = [
    ...lock.baselines.map((baseline): Row => {
      const { kind, model } = baseline;
      const cells = cellsOf(tasks, [read("baseline", baseline.id).scores], scoring);
      const ofModel = kind === "base" && model ? { model } : {};
      return {
        kind,
        name: baselineName(baseline),
        ...ofModel,
        factors: {},
        combinations: [],
        runs: [],
        baseline: baseline.id,
        cells,
      };
    }),
    ...groups.map(({ runs, factors, combinations }): Row => {
      const { mixture, model, control } = runs[0]!;
      const cells = cellsOf(
        tasks,
        runs.map((run) => read("run", run.id).scores),
        scoring,
      );
      const kind = control === undefined ? "mixture" : "control";
      return { kind, name: mixture.name, model, factors, combinations, runs: runs.map((run) => run.id), cells };
    }),
  ];
  const models = [...new Set(lock.runs.map((run) => run.model))];
  const chosen = Object.fromEntries(models.map((model) => [model, chosenOnDev(rows, model, tasks, lock)]));
  const items = studyItems({ rows, tasks, scoring }, models, lock, read);
  const compared = items.flatMap((one) => {
    const index = chosen[one.model]?.[one.task];
    return index === undefined ? [] : compare(rows, index, one, lock);
  });
  const comparisons = judged(compared);
  const ids = [...new Set(lock.runs.map(({ id }) => id))];
  const isDone = (id: string) => tasks.every(({ name }) => read("run", id).scores?.tasks[name] !== undefined);
  const numDone = ids.filter(isDone).length;
  const table = { name: lock.study.name, tasks, rows, chosen, comparisons, scoring, numRuns: ids.length, numDone };
  return { table: { ...table, sentence: sentenceOf(table, lock.study.seeds.length) }, items };
}

/** A baseline's row, for people. */
export function baselineName({ kind, model, few_shot }: LockedBaseline): string {
  const shots = few_shot === undefined ? "" : `, ${few_shot}-shot`;
  if (kind === "base") return `${model ?? ""} (untuned${shots})`.trim();
  return kind === "hosted" ? model! : kind;
}

/** What a row is made of. */
export interface RunGroup extends Pick<Row, "factors" | "combinations"> {
  /** One a seed. */
  runs: LockedRun[];
}

/** The runs of each row: one mixture under one model and one value of each factor; those of any size of a task that it does not hold are the same. */
export function groupRuns(runs: readonly LockedRun[]): RunGroup[] {
  const arms = groupedBy(runs, ({ model, mixture, factors }) => [model, mixture.name, factors]);
  const alike = groupedBy(arms, ([run]) => [run!.model, run!.mixture.name, touching(run!)]);
  return alike.flatMap((same): RunGroup[] => {
    const idsOf = (arm: readonly LockedRun[]) => arm.map(({ id }) => id).join();
    const isOne = same.every((arm) => idsOf(arm) === idsOf(same[0]!));
    const combinations = same.map(([run]) => run!.factors);
    if (isOne) return [{ runs: same[0]!, factors: touching(same[0]![0]!), combinations }];
    return same.map((arm, k) => ({ runs: arm, factors: combinations[k]!, combinations: [combinations[k]!] }));
  });
}

/** The factors of a run without sizes of tasks that its mixture does not hold. */
function touching({ factors, mixture }: LockedRun): Record<string, unknown> {
  const isTouched = (key: string) => {
    const task = sizedTask(key);
    return task === undefined || mixture.ingredients[task] !== undefined;
  };
  return Object.fromEntries(Object.entries(factors).filter(([key]) => isTouched(key)));
}

function groupedBy<T>(all: readonly T[], keyOf: (one: T) => unknown): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = JSON.stringify(keyOf(one));
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

function cellsOf(tasks: StudyTable["tasks"], scores: readonly (Scores | undefined)[], scoring: Scoring): Row["cells"] {
  return Object.fromEntries(
    tasks.map(({ name, metric }) => {
      const cell = (split: "dev" | "test") =>
        cellOf(
          scores.map((one) => one?.tasks[name]?.[split]),
          metric,
          scoring,
        );
      return [name, { dev: cell("dev"), test: cell("test") }];
    }),
  );
}

function cellOf(splits: readonly (SplitScores | undefined)[], metric: string, scoring: Scoring): Cell {
  const scored = splits.flatMap((split) => {
    const value = split && metricsUnder(split, scoring)[metric];
    return split !== undefined && value !== undefined ? [{ n: split.n, ...value }] : [];
  });
  const values = scored.map(({ value }) => value);
  const only = scored.length === 1 ? scored[0] : undefined;
  return {
    mean: mean(values),
    sd: standardDeviation(values),
    values,
    n: scored[0]?.n ?? 0,
    ...(only?.low !== undefined && only.high !== undefined ? { low: only.low, high: only.high } : {}),
  };
}

/** Highest mean on dev of the mixtures that may be chosen; ties to the earlier row. Tasks without a dev score are left out. */
function chosenOnDev(
  rows: readonly Row[],
  model: string,
  tasks: StudyTable["tasks"],
  lock: StudyLock,
): Record<string, number> {
  const chosen = tasks.flatMap(({ name }): [string, number][] => {
    const dev = (row: number) => rows[row]!.cells[name]!.dev.mean;
    const candidates = candidateRows(rows, model, name, lock, (row) => !Number.isNaN(dev(row)));
    const [best] = candidates.toSorted((a, b) => dev(b) - dev(a) || a - b);
    return best === undefined ? [] : [[name, best]];
  });
  return Object.fromEntries(chosen);
}

/** Whether two rows stand for the same combination of factors. */
export function shareCombination(a: Pick<Row, "combinations">, b: Pick<Row, "combinations">): boolean {
  const keys = new Set(a.combinations.map((one) => JSON.stringify(one)));
  return b.combinations.some((one) => keys.has(JSON.stringify(one)));
}

/**
 * Indices of the rows that train on the task alone with the same model and factors, best on dev first; more than one where the task comes in several
 * sizes and the mixture does without it.
 */
export function aloneRows(rows: readonly Row[], like: Row, task: string, lock: StudyLock): number[] {
  const dev = (index: number) => rows[index]!.cells[task]!.dev.mean;
  return rows
    .flatMap((row, index) => {
      const isAlone = row.kind === "mixture" && row.model === like.model && holdsOnly(row, task, lock);
      return isAlone && shareCombination(row, like) ? [index] : [];
    })
    .sort((a, b) => dev(b) - dev(a) || a - b);
}

/** The chosen mixture against training on the task alone with the same factors, on the same test items; nothing where either is not scored. */
function compare(
  rows: readonly Row[],
  chosen: number,
  items: ModelItems,
  lock: StudyLock,
): Omit<Comparison, "pAdjusted" | "familySize" | "verdict">[] {
  const { task, model, metric } = items;
  const [alone] = aloneRows(rows, rows[chosen]!, task, lock);
  if (alone === undefined) return [];
  const common = {
    task,
    metric,
    model,
    chosen: rows[chosen]!.name,
    reference: rows[alone]!.name,
  };
  const none = { low: Number.NaN, high: Number.NaN, pValue: Number.NaN };
  if (alone === chosen) return [{ ...common, difference: 0, ...none }];
  const found = rowDifference(items, chosen, alone, rows);
  if (found === undefined) return [];
  const { difference, low, high, pValue } = ofMixtures(found);
  return [{ ...common, difference, low, high, pValue }];
}

/** Comparisons with p values that allow for their number. */
function judged(compared: readonly Omit<Comparison, "pAdjusted" | "familySize" | "verdict">[]): Comparison[] {
  const family = compared.filter(({ pValue }) => !Number.isNaN(pValue));
  const { pValues, familySize } = holm(family.map(({ pValue }) => pValue));
  return compared.map((one): Comparison => {
    const at = family.indexOf(one);
    const pAdjusted = at === -1 ? Number.NaN : pValues[at]!;
    const isSame = one.chosen === one.reference;
    const verdict = isSame
      ? "same"
      : pAdjusted < SIGNIFICANT
        ? one.difference > 0
          ? "above"
          : "below"
        : "not distinguishable";
    return { ...one, pAdjusted, familySize, verdict };
  });
}

/** Of the study's tasks the mixture holds this one only; mixers that every mixture has do not count. */
function holdsOnly(row: Row, task: string, lock: StudyLock): boolean {
  const held = variedIngredients(row, lock);
  return held.length === 1 && held[0] === task;
}

/** The metrics of a reading of labels, none where it was not made; those there are where the answer is no label. */
function metricsUnder(split: SplitScores, scoring: Scoring): SplitScores["metrics"] {
  const isLabel = Object.keys(split.scoring).some(isLabelScoring);
  return split.scoring[scoring] ?? (isLabel ? {} : split.metrics);
}
