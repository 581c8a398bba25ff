/** @file A recorded study of which one run is still to be done, and that run's coming and going as its process would write them. */

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { appendMetrics, openRunDir, writeStatus } from "../../src/runs/run-dir.ts";
import { appendLedger } from "../../src/study/ledger.ts";
import { runDir } from "../../src/study/scored.ts";
import { type RecordedStudy, recordStudy } from "./recorded-study.ts";

export interface UnfinishedStudy {
  dir: string;
  /** Of the run that is to be done: the last of the plan. */
  run: string;
  /** Its mixture. */
  mixture: string;
  starts(): void;
  /** Writes a step of 40. */
  steps(step: number): void;
  finishes(): void;
  fails(reason: string): void;
}

export const STUDY: RecordedStudy = {
  tasks: ["alpha", "beta", "gamma"],
  evaluatedOnly: ["general"],
  design: "[singles, pairs, all]",
  seeds: [1, 2],
  numItems: 120,
  chance: (task, mixture) => (mixture === undefined ? 0.5 : task in mixture.ingredients ? 0.8 : 0.55),
  spread: 0.02,
};

/** @param folder  to be filled: the study in `study`, what is held back beside it */
export function unfinishedStudy(folder: string, study: RecordedStudy = STUDY): UnfinishedStudy {
  const dir = join(folder, "study");
  const lock = recordStudy(dir, study);
  const { id: run, mixture } = lock.runs.at(-1)!;
  const [at, aside] = [runDir(dir, run), join(folder, "aside")];
  mkdirSync(folder, { recursive: true });
  cpSync(at, aside, { recursive: true });
  rmSync(at, { recursive: true });
  const clock = Date.now;
  const self = () => ({ pid: process.pid, host: hostname(), beat: new Date().toISOString() });
  return {
    dir,
    run,
    mixture: mixture.name,
    starts: () => {
      openRunDir(at);
      writeStatus(at, { state: "running", ...self() });
      appendLedger(dir, clock, { event: "started", run });
    },
    steps: (step) => {
      const rest = { grad_norm: 1, learning_rate: 1e-3, tokens: 900 };
      appendMetrics(at, { step, loss: 2 / step, loss_per_task: { alpha: 2 / step }, ...rest, seconds: 0.25 });
      writeStatus(at, { state: "running", ...self(), step, num_steps: 40 });
    },
    finishes: () => {
      rmSync(at, { recursive: true, force: true });
      cpSync(aside, at, { recursive: true });
      appendLedger(dir, clock, { event: "finished", run });
    },
    fails: (reason) => {
      writeStatus(at, { state: "failed", reason });
      appendLedger(dir, clock, { event: "failed", run, detail: { reason } });
    },
  };
}
