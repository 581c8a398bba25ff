/** @file What the finished runs of a study show: mixture x task, which mixture dev chooses, and whether test can tell it from its alternative. */

import type { Prediction, Scores, SplitScores } from "../runs/types.ts";
import { METRICS } from "../specs/metrics.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import { pooledVariance, seededDifference } from "../stats/difference.ts";
import { mean, standardDeviation } from "../stats/moments.ts";
import type { LockedRun, StudyLock } from "./lock-file.ts";

/** What analysis reads of a run or baseline directory. */
export interface ScoredRun {
  scores: Scores | undefined;
  predictions(task: string, split: "dev" | "test"): Prediction[];
}

/** Reads a run or baseline directory by id. */
export type ReadScored = (kind: "run" | "baseline", id: string) => ScoredRun;

/** Mean over seeds of a task's headline metric; NaN where no seed has one. */
export interface Cell {
  mean: number;
  /** Standard deviation over seeds (divisor n - 1); NaN below two seeds. */
  sd: number;
  /** One per seed that is scored. */
  values: number[];
  /** Examples scored. */
  n: number;
  /** Of one seed's items, where there is only one value. */
  low?: number;
  high?: number;
}

/** A row: a mixture (with its factor values), or a baseline. */
export interface Row {
  kind: "majority" | "ngram" | "base" | "mixture";
  name: string;
  model?: string;
  factors: Record<string, unknown>;
  runs: string[];
  /** Id of a baseline. */
  baseline?: string;
  cells: Record<string, { dev: Cell; test: Cell }>;
}

/** A difference on test items, mixture chosen on dev minus its reference. */
export interface Comparison {
  task: string;
  model: string;
  chosen: string;
  reference: string;
  /** What differs: accuracy, or the task's own metric where its answers are no labels. */
  metric: string;
  difference: number;
  /** 95 % over items and seeds; NaN where it cannot be estimated. */
  low: number;
  high: number;
  verdict: "above" | "below" | "not distinguishable" | "same";
}

/** A study's results. */
export interface StudyTable {
  name: string;
  tasks: { name: string; metric: MetricName }[];
  rows: Row[];
  /** By model, then task: index into rows of the mixture that dev chooses. */
  chosen: Record<string, Record<string, number>>;
  comparisons: Comparison[];
  /** How labels were read. */
  scoring: Scoring;
  numRuns: number;
  numDone: number;
  sentence: string;
}

/** Reads what is scored and puts it together. Unfinished runs leave empty cells. */
export function analyseStudy(lock: StudyLock, read: ReadScored): StudyTable {
  const tasks = Object.keys(lock.study.tasks).map((name) => ({ name, metric: lock.tasks[name]!.metric }));
  const scoring = lock.study.eval.scoring[0]!; // one table compares one kind of scoring
  const groups = groupRuns(lock.runs);
  const rows = [
    ...lock.baselines.map((baseline): Row => {
      const shots = baseline.few_shot === undefined ? "" : `, ${baseline.few_shot}-shot`;
      const name = baseline.kind === "base" ? `${baseline.model ?? ""} (untuned${shots})`.trim() : baseline.kind;
      const cells = cellsOf(tasks, [read("baseline", baseline.id).scores], scoring);
      return {
        kind: baseline.kind,
        name,
        ...(baseline.model ? { model: baseline.model } : {}),
        factors: {},
        runs: [],
        baseline: baseline.id,
        cells,
      };
    }),
    ...groups.map((runs): Row => {
      const { mixture, model, factors } = runs[0]!;
      const cells = cellsOf(
        tasks,
        runs.map((run) => read("run", run.id).scores),
        scoring,
      );
      return { kind: "mixture", name: mixture.name, model, factors, runs: runs.map((run) => run.id), cells };
    }),
  ];
  const models = [...new Set(lock.runs.map((run) => run.model))];
  const chosen = Object.fromEntries(models.map((model) => [model, chosenOnDev(rows, model, tasks)]));
  const comparisons = models.flatMap((model) =>
    tasks.flatMap(({ name, metric }) => {
      const index = chosen[model]?.[name];
      return index === undefined
        ? []
        : compare(rows, rows[index]!, { task: name, metric: itemMetric(metric), model }, lock, read);
    }),
  );
  const ids = [...new Set(lock.runs.map(({ id }) => id))];
  const isDone = (id: string) => tasks.every(({ name }) => read("run", id).scores?.tasks[name] !== undefined);
  const numDone = ids.filter(isDone).length;
  const table = { name: lock.study.name, tasks, rows, chosen, comparisons, scoring, numRuns: ids.length, numDone };
  return { ...table, sentence: sentenceOf(table, lock.study.seeds.length) };
}

function groupRuns(runs: readonly LockedRun[]): LockedRun[][] {
  const groups = new Map<string, LockedRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.model, run.mixture.name, run.factors]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
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

/** Highest mean on dev; ties to the earlier row. Tasks without a dev score are left out. */
function chosenOnDev(rows: readonly Row[], model: string, tasks: StudyTable["tasks"]): Record<string, number> {
  const chosen: Record<string, number> = {};
  for (const { name } of tasks) {
    rows.forEach((row, i) => {
      const best = chosen[name];
      const dev = row.cells[name]!.dev.mean;
      if (row.kind !== "mixture" || row.model !== model || Number.isNaN(dev)) return;
      if (best === undefined || dev > rows[best]!.cells[name]!.dev.mean) chosen[name] = i;
    });
  }
  return chosen;
}

/** The chosen mixture against training on the task alone with the same factors, on the same test items; nothing where either is not scored. */
function compare(
  rows: readonly Row[],
  chosen: Row,
  { task, metric, model }: Pick<Comparison, "task" | "metric" | "model">,
  lock: StudyLock,
  read: ReadScored,
): Comparison[] {
  const isAlone = (row: Row) =>
    row.kind === "mixture" &&
    row.model === model &&
    JSON.stringify(row.factors) === JSON.stringify(chosen.factors) &&
    holdsOnly(row, task, lock);
  const alone = rows.find(isAlone);
  if (alone === undefined) return [];
  const common = { task, metric, model, chosen: chosen.name, reference: alone.name };
  if (alone === chosen) return [{ ...common, difference: 0, low: Number.NaN, high: Number.NaN, verdict: "same" }];
  const scoring = lock.study.eval.scoring[0]!;
  const item = metric === "accuracy" ? scoring : metric; // labels: whether this reading was right
  const a = itemScores(chosen, task, item, read);
  const b = itemScores(alone, task, item, read);
  const groups = groupsOf(chosen, task, read);
  if (a.length === 0 || b.length === 0 || [...a, ...b].some((seed) => seed.length !== groups.length)) return [];
  // Items that a metric says nothing of (instructions that cannot be checked) are left out of both sides.
  const known = groups.flatMap((_, i) => ([...a, ...b].some((seed) => Number.isNaN(seed[i])) ? [] : [i]));
  if (known.length === 0) return [];
  const only = (seeds: readonly number[][]) => seeds.map((seed) => known.map((i) => seed[i]!));
  const trained = rows.filter((row) => row.kind === "mixture" && row.model === model);
  const once = new Map(trained.map((row) => [row.runs.join(), row])); // a run may stand in the rows of several budgets
  const seedMeans = [...once.values()].map((row) => seedValues(row, task, metric, scoring, read));
  const { difference, low, high } = seededDifference(
    only(a),
    only(b),
    known.map((i) => groups[i]!),
    pooledVariance(seedMeans),
  );
  const verdict = low > 0 ? "above" : high < 0 ? "below" : "not distinguishable";
  return [{ ...common, difference, low, high, verdict }];
}

/** Of the study's tasks the mixture holds this one only; mixers that every mixture has do not count. */
function holdsOnly(row: Row, task: string, lock: StudyLock): boolean {
  const mixture = lock.runs.find((run) => run.id === row.runs[0])!.mixture;
  const counted = Object.keys(mixture.ingredients).filter((name) => lock.study.mixers[name]?.role !== "always");
  return counted.length === 1 && counted[0] === task;
}

/** The metric to compare on: a mean of one number an item. F1 and MCC are none. */
function itemMetric(metric: MetricName): string {
  return METRICS[metric].item;
}

/** Test value of each scored seed. */
function seedValues(row: Row, task: string, metric: string, scoring: Scoring, read: ReadScored): number[] {
  return row.runs.flatMap((id) => {
    const split = read("run", id).scores?.tasks[task]?.test;
    return (split && metricsUnder(split, scoring)[metric]?.value) ?? [];
  });
}

/** The metrics of a reading of labels; those there are where the answer is no label. */
function metricsUnder(split: SplitScores, scoring: Scoring): SplitScores["metrics"] {
  return split.scoring[scoring] ?? split.metrics;
}

/** Per scored seed the score of each item, ordered by item id. */
function itemScores(row: Row, task: string, item: string, read: ReadScored): number[][] {
  const seeds = row.runs.map((id) => sortedPredictions(id, task, read)).filter((items) => items.length > 0);
  return seeds.map((items) => items.map(({ scores }) => scores[item] ?? Number.NaN));
}

function groupsOf(row: Row, task: string, read: ReadScored): string[] {
  const scored = row.runs.map((id) => sortedPredictions(id, task, read)).find((items) => items.length > 0) ?? [];
  return scored.map(({ group }) => group);
}

function sortedPredictions(id: string, task: string, read: ReadScored): Prediction[] {
  return read("run", id)
    .predictions(task, "test")
    .toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** One sentence on what the table shows, saying no more than the intervals allow. */
export function sentenceOf(table: Omit<StudyTable, "sentence">, numSeeds: number): string {
  const { comparisons, numDone, numRuns } = table;
  const prefix = numDone < numRuns ? `With ${numDone} of ${numRuns} runs done, ` : "";
  const text =
    comparisons.length === 0
      ? "there is nothing to compare yet: no task has both a chosen mixture and training on the task alone"
      : claims(comparisons, numSeeds);
  const whole = `${prefix}${text}${versusNgram(table)}.`;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}

function claims(comparisons: readonly Comparison[], numSeeds: number): string {
  const label = (one: Comparison) =>
    new Set(comparisons.map(({ model }) => model)).size > 1 ? `${one.task} (${one.model})` : one.task;
  const named = (verdict: Comparison["verdict"], show: (one: Comparison) => string) =>
    comparisons.filter((one) => one.verdict === verdict).map(show);
  const withInterval = (one: Comparison) =>
    `${label(one)} by ${amount(one.difference, one.metric)} ${unit(one.metric)} (${one.chosen}, 95 % interval ${amount(one.low, one.metric)} to ${amount(one.high, one.metric)})`;
  const parts = [
    claim(named("above", withInterval), "the mixture chosen on dev is above training on the task alone for"),
    claim(named("below", withInterval), "the mixture chosen on dev is below training on the task alone for"),
    claim(
      named("not distinguishable", label),
      `the mixture chosen on dev is not distinguishable from training on the task alone with ${numSeeds} ${numSeeds === 1 ? "seed" : "seeds"} for`,
    ),
    claim(named("same", label), "dev chooses training on the task alone for"),
  ];
  return `on test ${listed([...new Set(comparisons.map(({ metric }) => metric))])} ${parts.filter((part) => part !== "").join("; ")}`;
}

function claim(names: string[], text: string): string {
  return names.length === 0 ? "" : `${text} ${listed(names)}`;
}

/** How the chosen mixtures stand to the n-gram row, as bare means: said as such. */
function versusNgram(table: Omit<StudyTable, "sentence">): string {
  const ngram = table.rows.find((row) => row.kind === "ngram");
  if (ngram === undefined) return "";
  const chosen = Object.values(table.chosen).flatMap((byTask) => Object.entries(byTask));
  const comparable = chosen
    .map(([task, index]) => table.rows[index]!.cells[task]!.test.mean - ngram.cells[task]!.test.mean)
    .filter((difference) => !Number.isNaN(difference));
  if (comparable.length === 0) return "";
  const above = comparable.filter((difference) => difference > 0).length;
  return `; its mean is above the n-gram baseline on ${above} of ${comparable.length} tasks`;
}

function listed(names: readonly string[]): string {
  return names.length <= 1 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function amount(difference: number, metric: string): string {
  return metric === "answer_logprob" ? difference.toFixed(3) : (difference * 100).toFixed(1);
}

function unit(metric: string): string {
  return metric === "answer_logprob" ? "nats a token" : "points";
}
