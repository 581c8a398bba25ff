/** @file What is on disk of a side of a comparison: scores, answers, and the records that say what it is. */

import { existsSync } from "node:fs";
import { attempt } from "../base/attempt.ts";
import { readPredictions, readScores, readSpec, readSubject, runPaths } from "../runs/run-dir.ts";
import type { Prediction, Scores, SplitScores } from "../runs/types.ts";
import { tableScoring } from "../specs/hosted.ts";
import { isTrainedOn } from "../specs/tasks.ts";
import type { MetricName, Scoring } from "../specs/types.ts";
import { runDir } from "./scored.ts";
import type { Side } from "./sides.ts";

/** One model's scores and answers of a split. */
export interface ScoredAnswers {
  dir: string;
  scores: SplitScores;
  answers: Prediction[];
}

/** A side as it is read. */
export interface SideAnswers {
  name: string;
  kind: Side["kind"];
  /** Folders: of a mixture as many as it has seeds. */
  numPlanned: number;
  tasks(): string[];
  /** Those of its folders that have the split. */
  of(task: string, split: "dev" | "test"): ScoredAnswers[];
  /** The mixtures of its study that hold the task (all where none is trained on it), with the same model: for the spread over seeds. */
  alike(task: string, split: "dev" | "test"): ScoredAnswers[][];
  /** The task's own metric, where a study says it; else the first of its scores. */
  metric(task: string, scored: SplitScores): MetricName;
  /** Labels of a task, where they are known. */
  labels(task: string): string[] | undefined;
  /** How the study's table reads labels. */
  scoring: Scoring | undefined;
  /** What it is: spec.json of a run (`seed` a list where there are several), else subject.json; undefined: neither is there. */
  record: { file: "spec.json" | "subject.json"; content: Record<string, unknown> } | undefined;
}

/** @param onProblem  is told of files that are missing or damaged: what they hold is left out */
export function readSide(side: Side, onProblem: (message: string) => void): SideAnswers {
  const { name, kind, dirs, study } = side;
  const known = new Map<string, Scores>();
  const scoresOf = (dir: string): Scores => {
    const scores = known.get(dir) ?? attempt(() => readScores(dir), onProblem) ?? { tasks: {} };
    known.set(dir, scores);
    return scores;
  };
  const read = (dir: string, task: string, split: "dev" | "test"): ScoredAnswers[] => {
    const scores = scoresOf(dir).tasks[task]?.[split];
    if (scores === undefined) return [];
    const answers = attempt(() => readPredictions(dir, task, split), onProblem);
    return answers === undefined ? [] : [{ dir, scores, answers }];
  };
  const subject = attempt(() => readSubject(dirs[0]!), onProblem);
  return {
    name,
    kind,
    numPlanned: dirs.length,
    tasks: () => [...new Set(dirs.flatMap((dir) => Object.keys(scoresOf(dir).tasks)))],
    of: (task, split) => dirs.flatMap((dir) => read(dir, task, split)),
    alike: (task, split) =>
      mixturesHolding(task, side).map((mixture) => mixture.flatMap((dir) => read(dir, task, split))),
    metric: (task, scored) =>
      study?.lock.tasks[task]?.metric ?? (Object.keys(scored.metrics)[0] as MetricName | undefined) ?? "accuracy",
    labels: (task) => {
      const { answer } = study?.lock.study.tasks[task] ?? subject?.tasks[task] ?? {};
      return answer?.kind === "label" ? answer.labels : undefined;
    },
    scoring: study && tableScoring(study.lock.study.eval, study.lock.study.models),
    record: attempt(() => recordOf(side), onProblem),
  };
}

/** Folders of mixtures, one list each; every run once. */
function mixturesHolding(task: string, { study, model }: Side): string[][] {
  if (study === undefined) return [];
  const { dir, lock } = study;
  const isTarget = isTrainedOn(lock.study.tasks[task]);
  const mixtures = new Map<string, string[]>();
  const own = lock.runs.filter((run) => run.control === undefined && run.model === model);
  for (const run of own) {
    if (isTarget && run.mixture.ingredients[task] === undefined) continue;
    const key = JSON.stringify([run.mixture.name, run.factors]);
    mixtures.set(key, [...(mixtures.get(key) ?? []), runDir(dir, run.id)]);
  }
  return [...new Map([...mixtures.values()].map((dirs) => [dirs.join(), dirs])).values()];
}

function recordOf({ dirs }: Side): SideAnswers["record"] {
  const specs = dirs.filter((dir) => existsSync(runPaths.spec(dir))).map(readSpec);
  const [first] = specs;
  if (first !== undefined) {
    const seed = specs.length === 1 ? first.seed : specs.map((one) => one.seed);
    return { file: "spec.json", content: { ...first, seed } };
  }
  const subject = readSubject(dirs[0]!);
  return subject && { file: "subject.json", content: { ...subject } };
}
