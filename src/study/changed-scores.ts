/** @file Scores of examples that are no longer those of the study: taken out of the runs that stay, so that they are made again. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson } from "../base/canonical-json.ts";
import { readScores, runPaths, writeScores } from "../runs/run-dir.ts";
import type { StudyLock } from "./lock-file.ts";
import { runDir } from "./scored.ts";

/** A task's split that is scored on other examples than before. */
export interface ChangedSplit {
  task: string;
  split: "dev" | "test";
}

/** Which splits of tasks have other examples, or another subset of them, than when the last lock was written. */
export function changedSplits(before: StudyLock, after: StudyLock): ChangedSplit[] {
  const scoredOn = (lock: StudyLock, task: string, split: "dev" | "test") =>
    canonicalJson([
      lock.tasks[task]?.digests[split] ?? null,
      split === "dev" ? lock.study.eval.max_dev : lock.study.eval.max_test,
    ]);
  return Object.keys(after.study.tasks).flatMap((task) =>
    (["dev", "test"] as const)
      .filter(
        (split) => before.tasks[task] !== undefined && scoredOn(before, task, split) !== scoredOn(after, task, split),
      )
      .map((split) => ({ task, split })),
  );
}

/** Takes the scores of changed splits out of every run. To be called before the new lock is written: a kill in between repeats it. */
export function forgetScores(studyDir: string, changed: readonly ChangedSplit[]): void {
  const runs = join(studyDir, "runs");
  if (changed.length === 0 || !existsSync(runs)) return;
  for (const id of readdirSync(runs)) {
    const dir = runDir(studyDir, id);
    if (!existsSync(runPaths.scores(dir))) continue;
    const scores = readScores(dir);
    for (const { task, split } of changed) delete scores.tasks[task]?.[split];
    writeScores(dir, scores);
  }
}
