/**
 * @file All that a study's report shows, as plain JSON: made from the study directory alone (report-of.ts), drawn by report/html.
 * Numbers that do not exist are null. Differences and effects are of the task's own metric. Names, outputs and messages in it are hostile text.
 */

import type { Receipt } from "../runs/types.ts";
import type { MetricName } from "../specs/types.ts";

export interface ReportData {
  format: 1;
  name: string;
  /** Of the program that trained and scored, as receipts and lock say; each once. */
  versions: string[];
  /** Hints that a reader must see: damaged or missing files, scores by different scorers, unfinished runs. */
  remarks: string[];
  /** Settings that cannot learn and models that have not learned, each with the change to try. */
  hints: LearningHint[];
  numRuns: number;
  numDone: number;
  seeds: number[];
  models: string[];
  tasks: ReportTask[];
  /** Baselines first, then mixtures, then controls: order of the table. */
  rows: ReportRow[];
  /** One sentence on all of it. */
  sentence: string;
  answers: TaskAnswer[];
  take: TakenMixture[];
  /** Every mixture against training on the task alone, by model and task: the exploratory family. */
  differences: MixtureDifference[];
  effects: IngredientEffects[];
  /** Doses and sizes: any number that varies between mixtures otherwise alike. */
  curves: DoseCurve[];
  /** Best of so many tried mixtures, expected: by model and task. */
  expectedMaximum: ExpectedMaximumCurve[];
  /** What mixtures cost in general ability: tasks that are only evaluated, against the untuned model. */
  retention: MixtureDifference[];
  aggregate: AggregateScore[];
  losses: RunLosses[];
  disagreements: ItemDisagreements[];
  runs: ReportRun[];
  ledger: {
    testOpened: number;
    candidates: number;
    events: { time: string; event: string; run: string; detail: string }[];
    leftOut: number;
  };
  cost: { seconds: number; tokens: number; flops: number; peakMemoryBytes: number };
  /** Paragraphs: how each number came to be. */
  methods: { title: string; text: string }[];
}

/** Something that keeps models from learning, or shows that they did not. */
export interface LearningHint {
  /** A sentence. */
  text: string;
  /** What to try, as `key=value` of a study; never empty. */
  change: string[];
}

export interface ReportTask {
  name: string;
  metric: MetricName;
  role: "target" | "evaluated only";
  n: { dev: number; test: number };
  groups: { dev: number; test: number };
  /** Units of values: points are hundredths. */
  unit: "points" | "nats a token";
  licence: string;
  source: string;
  /** Smallest difference that such a test set finds in four of five cases; null before there is anything to estimate it from. */
  detectable: number | null;
}

export interface ReportCell {
  mean: number | null;
  sd: number | null;
  /** One a seed. */
  values: number[];
  n: number;
  low: number | null;
  high: number | null;
}

export interface ReportRow {
  kind: "majority" | "ngram" | "base" | "hosted" | "mixture" | "control";
  name: string;
  model: string | null;
  /** Values of the study's factors, as text. */
  factors: Record<string, string>;
  /** By ingredient how much of it, as people write it: "all", "500 rows", "0.5". */
  ingredients: Record<string, string>;
  runs: string[];
  /** By task. */
  cells: Record<string, { dev: ReportCell; test: ReportCell }>;
  /** Names of the tasks for which dev chooses this row. */
  chosenFor: string[];
}

/** What to take for a task under a model. */
export interface TakenMixture {
  task: string;
  model: string;
  /** Whether it is worth taking: false where something that needs no training is better. */
  isOffered: boolean;
  /** What dev and test say of it, in words. */
  text: string;
  /** Behind the study's directory and a colon it names the mixture: STUDY_DIR:NAME. */
  name: string;
  /** Ids, one a seed. */
  runs: string[];
}

/**
 * What to take. `mixture`: it beats what is there for nothing; `either`: it cannot be told from the n-gram baseline; `ngram` and `untuned`: these are
 * better, or as good where the mixture shows no gain; `nothing`: no mixture has learned the task, nor has the n-gram baseline; `unchecked`: there is
 * nothing to hold it against.
 */
export type OfferVerdict = "mixture" | "either" | "ngram" | "untuned" | "nothing" | "unchecked";

/** The declared primary question, one a task and model: the mixture that dev chooses against training on the task alone. */
export interface TaskAnswer {
  task: string;
  model: string;
  /** Indices into rows. */
  chosen: number;
  reference: number | null;
  difference: number | null;
  low: number | null;
  high: number | null;
  pValue: number | null;
  /** Holm, over all tasks and models. */
  pAdjusted: number | null;
  familySize: number;
  verdict: "above" | "below" | "not distinguishable" | "same" | "no reference";
  /** What to take, by dev: see study/offer.ts. */
  offer: { verdict: OfferVerdict; text: string };
  /** Chance that a mixture is the best of its model on this task's test, by row index; the largest first, those above 1 %. */
  chanceOfBest: { row: number; chance: number }[];
  /** Best on test, whatever dev says, with an interval that allows for its having been picked. */
  selected: {
    row: number;
    estimate: number | null;
    low: number | null;
    high: number | null;
    candidates: number;
  } | null;
  /** In words, for people. */
  text: string;
}

export interface MixtureDifference {
  task: string;
  model: string;
  row: number;
  reference: number;
  difference: number;
  low: number | null;
  high: number | null;
  pValue: number | null;
  /** Benjamini-Hochberg over the family. */
  pAdjusted: number | null;
  familySize: number;
  /** By the adjusted p value at 5 %. */
  mark: "above" | "below" | "none";
}

export interface IngredientEffects {
  task: string;
  model: string;
  /** Of having the ingredient in the mixture; `term` is an ingredient, or two with " x " between. */
  effects: {
    term: string;
    effect: number;
    low: number | null;
    high: number | null;
    pValue: number | null;
    pAdjusted: number | null;
  }[];
  notEstimable: string[];
  numRuns: number;
  text: string;
}

export interface DoseCurve {
  task: string;
  model: string;
  /** What varies: a mixer's dose, `<task> rows`, a training option. */
  of: string;
  /** One line for each rest of the mixture, named in words. */
  series: DoseSeries[];
  text: string;
}

export interface DoseSeries {
  name: string;
  /** Intervals are over seeds, on the same test items. */
  points: { x: number; values: number[]; mean: number; low: number | null; high: number | null }[];
  /** Where the mean is highest, and where else it may as well be; null where no seed repeats. */
  optimum: { x: number; alike: number[] | null };
}

export interface ExpectedMaximumCurve {
  task: string;
  model: string;
  curves: { name: string; points: { k: number; expected: number; low: number | null; high: number | null }[] }[];
  equalTrials: EqualTrials;
}

/** A search of the task alone (over seeds and factors) against one of mixtures that hold more, at equal numbers of trials. A trial is a run. */
export interface EqualTrials {
  numAlone: number;
  numMixtures: number;
  /** Test score of the trial that dev picks out of k, expected over all choices of k; as far as both have so many. */
  tries: { k: number; alone: number; mixtures: number }[];
}

/** Interquartile mean over tasks of (score - majority) / (1 - majority). */
export interface AggregateScore {
  row: number;
  iqm: number;
  low: number | null;
  high: number | null;
  numTasks: number;
}

/** One run's metrics.jsonl, thinned to at most 200 points, of many runs to fewer; the methods say how many. */
export interface RunLosses {
  run: string;
  steps: number[];
  loss: (number | null)[];
  /** By ingredient; null where a step had none of it. */
  perTask: Record<string, (number | null)[]>;
  dev: { step: number; losses: Record<string, number> }[];
}

/** What test items ask: by the digest of a task's test split, then by the item's id. */
export type Questions = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Test items that two rows answer with different success; at most 200 in all of a report. */
export interface ItemDisagreements {
  task: string;
  a: number;
  b: number;
  onlyA: number;
  onlyB: number;
  items: {
    id: string;
    /** The row's own words, without the instruction around them. Null: the data is not there, or has changed since. */
    question: string | null;
    gold: string;
    a: string;
    b: string;
    aRight: boolean;
    scores: Record<string, [number | null, number | null]>;
  }[];
  leftOut: number;
}

export interface ReportRun {
  id: string;
  row: number;
  seed: number;
  state: "planned" | "running" | "interrupted" | "done" | "failed";
  reason: string | null;
  cost: Receipt["cost"] | null;
  /** Dotted keys of spec.json that differ between runs of the study, with this run's value. */
  differs: Record<string, string>;
}

/** Numbers that do not exist are null. */
export function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
