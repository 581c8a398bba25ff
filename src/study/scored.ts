/** @file The scored runs and baselines of a study directory, read from disk once each. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../base/attempt.ts";
import { damageOf } from "../runs/damage.ts";
import type { KnownItems } from "../runs/item-scores.ts";
import { isScored, readItemScores, readPredictions, readScores, readStatus, runPaths } from "../runs/run-dir.ts";
import type { ReadScored, ScoredRun } from "./study-table.ts";
import type { Job } from "./types.ts";

/** Where a run lies in a study directory. */
export function runDir(studyDir: string, id: string): string {
  return join(studyDir, "runs", id);
}

/** Where a baseline lies in a study directory. */
export function baselineDir(studyDir: string, id: string): string {
  return join(studyDir, "baselines", id);
}

/**
 * Reads runs and baselines by id; what was read stays in memory.
 *
 * @param onProblem  is told of files that are damaged, which then count as missing
 */
export function scoredReader(studyDir: string, onProblem: (message: string) => void): ReadScored {
  const read = new Map<string, ScoredRun>();
  const known: KnownItems = new Map();
  return (kind, id) => {
    const dir = kind === "run" ? runDir(studyDir, id) : baselineDir(studyDir, id);
    const run = read.get(dir) ?? scoredRun(dir, known, onProblem);
    read.set(dir, run);
    return run;
  };
}

/** True when a job's directory says done, holds a score of every task and split that it should, and nothing in it is damaged. */
export function isComplete(job: Pick<Job, "dir" | "eval_tasks" | "eval">): boolean {
  if (!existsSync(runPaths.status(job.dir)) || readStatus(job.dir).state !== "done") return false;
  if (damageOf(job.dir, job.eval_tasks).length > 0) return false;
  const scores = readScores(job.dir);
  const { splits, scoring } = job.eval;
  return job.eval_tasks.every((task) => splits.every((split) => isScored(scores, task, split, scoring)));
}

function scoredRun(dir: string, knownItems: KnownItems, onProblem: (message: string) => void): ScoredRun {
  const there = <T>(path: string, look: () => T): T | undefined =>
    existsSync(path) ? attempt(look, onProblem) : undefined;
  const scores = there(runPaths.scores(dir), () => readScores(dir));
  /** A look at a predictions file, taken once. */
  const once = <T>(look: (task: string, split: "dev" | "test") => T) => {
    const known = new Map<string, T | undefined>();
    return (task: string, split: "dev" | "test"): T | undefined => {
      const path = runPaths.predictionsOf(dir, task, split);
      if (known.has(path)) return known.get(path);
      if (scores?.tasks[task]?.[split] !== undefined && !existsSync(path))
        onProblem(`${path}: expected the predictions behind its scores, got no file. It is compared with none.`);
      const found = there(path, () => look(task, split));
      known.set(path, found);
      return found;
    };
  };
  const predictions = once((...of) => readPredictions(dir, ...of));
  return {
    scores,
    items: once((...of) => readItemScores(dir, ...of, knownItems)),
    predictions: (...of) => predictions(...of) ?? [],
  };
}
