/** @file How far a study is, from what its directory says; nobody is asked. */

import { resolve } from "node:path";
import { failures, readLedger, type TestOpenings, testOpenings } from "../../study/ledger.ts";
import { readStudyLock, runsOnce } from "../../study/lock-file.ts";
import { type JobProgress, jobProgress } from "../../study/progress.ts";
import { baselineDir, runDir } from "../../study/scored.ts";
import type { Workspace } from "../workspace.ts";
import { type JobUnderWay, jobsUnderWay } from "./hosted/jobs-under-way.ts";

/** A run of a study as it stands. */
export interface RunStanding extends JobProgress {
  id: string;
  mixture: string;
  model: string;
  seed: number;
}

/** A study as it stands. */
export interface StudyStatus {
  runs: RunStanding[];
  failedBaselines: { id: string; reason: string }[];
  /** Done, with files that are missing or were changed. */
  damagedBaselines: { id: string; reason: string }[];
  testOpenings: TestOpenings;
  /** Jobs that a fine-tuning service is still working on. */
  underWay: JobUnderWay[];
}

/** @throws {SpecError|DataError} no study in the directory, or damaged records */
export function studyStatus(dir: string, { clock, self }: Pick<Workspace, "clock" | "self">): StudyStatus {
  const folder = resolve(dir);
  const lock = readStudyLock(folder);
  const ledger = readLedger(folder);
  const reasons = failures(ledger);
  const planned = runsOnce(lock);
  const tasks = Object.keys(lock.study.tasks);
  const asker = { now: clock(), host: self.host };
  return {
    runs: planned.map(({ id, mixture, model, seed }) => ({
      ...{ id, mixture: mixture.name, model, seed },
      ...jobProgress(runDir(folder, id), tasks, reasons.get(id), asker),
    })),
    failedBaselines: lock.baselines.flatMap(({ id }) => (reasons.has(id) ? [{ id, reason: reasons.get(id)! }] : [])),
    damagedBaselines: lock.baselines.flatMap(({ id }) => {
      const { state, reason } = jobProgress(baselineDir(folder, id), tasks, undefined, asker);
      return state === "damaged" ? [{ id, reason: reason! }] : [];
    }),
    testOpenings: testOpenings(ledger),
    underWay: jobsUnderWay(
      folder,
      planned.map(({ id }) => id),
    ),
  };
}
