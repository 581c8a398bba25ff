/** @file Scores of examples that are no longer those of the study: taken out of the runs that stay, so that they are made again. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../base/attempt.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { removeQuietly } from "../formats/files.ts";
import { readScores, runPaths, writeScores } from "../runs/run-dir.ts";
import type { StudyLock } from "./lock-file.ts";
import { askedOf } from "./subject.ts";

/** A task's split that is scored on other examples than before. */
export interface ChangedSplit {
  task: string;
  split: "dev" | "test";
}

/** Which splits of tasks are asked otherwise than when the last lock was written: other examples, labels, or a longer answer. */
export function changedSplits(before: StudyLock, after: StudyLock): ChangedSplit[] {
  const scoredOn = (lock: StudyLock, task: string, split: "dev" | "test") =>
    canonicalJson([
      askedOf(lock.tasks[task]?.digests[split] ?? "", split, lock.study.eval),
      lock.study.tasks[task]?.answer ?? null,
    ]);
  return Object.keys(after.study.tasks).flatMap((task) =>
    (["dev", "test"] as const)
      .filter(
        (split) => before.tasks[task] !== undefined && scoredOn(before, task, split) !== scoredOn(after, task, split),
      )
      .map((split) => ({ task, split })),
  );
}

/** Takes the scores of changed splits out of every run and baseline. To be called before the new lock is written: a kill in between repeats it. */
export function forgetScores(studyDir: string, changed: readonly ChangedSplit[]): void {
  if (changed.length === 0) return;
  for (const dir of [...foldersIn(studyDir, "runs"), ...foldersIn(studyDir, "baselines")]) {
    const scores = attempt(() => readScores(dir)) ?? { tasks: {} };
    for (const { task, split } of changed) {
      delete scores.tasks[task]?.[split];
      removeQuietly(runPaths.indexOf(dir, task, split)); // note: what it vouches for answers other questions
    }
    if (existsSync(runPaths.scores(dir))) writeScores(dir, scores);
  }
}

function foldersIn(studyDir: string, part: "runs" | "baselines"): string[] {
  const folder = join(studyDir, part);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
