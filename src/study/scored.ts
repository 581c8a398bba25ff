/** @file The scored runs and baselines of a study directory, read from disk once each. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { MixtuneError } from "../base/errors.ts";
import type { ItemScores, KnownItems } from "../runs/item-scores.ts";
import { isScored, readItemScores, readPredictions, readScores, readStatus, runPaths } from "../runs/run-dir.ts";
import type { Prediction } from "../runs/types.ts";
import type { ReadScored, ScoredRun } from "./analyse.ts";
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
 * @param onProblem  is told of files that are damaged, which then count as missing; absent: they are thrown
 */
export function scoredReader(studyDir: string, onProblem?: (message: string) => void): ReadScored {
  const read = new Map<string, ScoredRun>();
  const known: KnownItems = new Map();
  return (kind, id) => {
    const dir = kind === "run" ? runDir(studyDir, id) : baselineDir(studyDir, id);
    const run = read.get(dir) ?? scoredRun(dir, known, onProblem);
    read.set(dir, run);
    return run;
  };
}

/** True when a job's directory says done and holds a score of every task and split that it should. */
export function isComplete(job: Pick<Job, "dir" | "eval_tasks" | "eval">): boolean {
  if (!existsSync(runPaths.status(job.dir)) || readStatus(job.dir).state !== "done") return false;
  const scores = readScores(job.dir);
  const { splits, scoring } = job.eval;
  return job.eval_tasks.every((task) => splits.every((split) => isScored(scores, task, split, scoring)));
}

function scoredRun(dir: string, knownItems: KnownItems, onProblem?: (message: string) => void): ScoredRun {
  const attempt = <T>(path: string, look: () => T, missing: T): T => {
    if (!existsSync(path)) return missing;
    try {
      return look();
    } catch (error) {
      if (onProblem === undefined || !(error instanceof MixtuneError)) throw error;
      onProblem(error.message);
      return missing;
    }
  };
  /** A look at a predictions file, taken once. */
  const once = <T>(look: (task: string, split: "dev" | "test") => T, missing: T) => {
    const known = new Map<string, T>();
    return (task: string, split: "dev" | "test"): T => {
      const path = runPaths.predictionsOf(dir, task, split);
      if (!known.has(path))
        known.set(
          path,
          attempt(path, () => look(task, split), missing),
        );
      return known.get(path) as T;
    };
  };
  return {
    scores: attempt(runPaths.scores(dir), () => readScores(dir), undefined),
    items: once<ItemScores | undefined>((...of) => readItemScores(dir, ...of, knownItems), undefined),
    predictions: once<Prediction[]>((...of) => readPredictions(dir, ...of), []),
  };
}
