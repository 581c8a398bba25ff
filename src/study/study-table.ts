/** @file A study's results as plain data, and what they are read from. analyse.ts makes the table, words.ts talks about it. */

import type { ItemScores } from "../runs/item-scores.ts";
import type { Prediction, Scores } from "../runs/types.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import type { LockedBaseline } from "./lock-file.ts";

/** What analysis reads of a run or baseline directory. */
export interface ScoredRun {
  scores: Scores | undefined;
  /** The scores of its predictions; undefined where there are none. */
  items(task: string, split: "dev" | "test"): ItemScores | undefined;
  /** Its answers, with their texts: slower by far. */
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

/** A row: a baseline, a mixture (with its factor values), or a control, which is a mixture that is no candidate. */
export interface Row {
  kind: LockedBaseline["kind"] | "mixture" | "control";
  name: string;
  model?: string;
  /** Values of the study's factors, without sizes of tasks that its mixture does not hold where its runs are the same under all of them. */
  factors: Record<string, unknown>;
  /** Combinations of all factors that it stands for: one, or one for each of those sizes. Of a baseline none. */
  combinations: readonly Record<string, unknown>[];
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
  /** The task's own. */
  metric: string;
  difference: number;
  /** 95 % over items and seeds; NaN where it cannot be estimated. */
  low: number;
  high: number;
  /** Two-sided, of no difference; and Holm's over the family, which is every comparison of the study that could be tested. */
  pValue: number;
  pAdjusted: number;
  familySize: number;
  /** By the adjusted p value at 5 %. */
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
