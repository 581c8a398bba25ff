/** @file Is a run directory what it says? Cheap enough to run on every run before its numbers are used. */

import { basename } from "node:path";
import { MixtuneError } from "../base/errors.ts";
import type { RunSpec } from "../specs/types.ts";
import { readCheckpoint } from "./checkpoints.ts";
import { listPredictions, readMetrics, readPredictions, readScores, readSpec, readStatus } from "./run-dir.ts";

/**
 * Everything that is wrong with a run, in sentences; empty if nothing is.
 *
 * @param runIdOf  digest of a RunSpec: the directory must be named so
 */
export function verifyRun(dir: string, runIdOf: (spec: RunSpec) => string): string[] {
  const problems: string[] = [];
  const attempt = (look: () => void): void => {
    try {
      look();
    } catch (error) {
      if (!(error instanceof MixtuneError)) throw error;
      problems.push(error.message);
    }
  };
  attempt(() => {
    const id = runIdOf(readSpec(dir));
    if (id !== basename(dir)) problems.push(`${dir}: spec.json belongs to run ${id}`);
  });
  attempt(() => {
    const steps = readMetrics(dir).map(({ step }) => step);
    const gap = steps.findIndex((step, i) => step !== i + 1);
    if (gap >= 0) problems.push(`${dir}: metrics.jsonl has step ${steps[gap]} where step ${gap + 1} belongs`);
    const last = readCheckpoint(dir, "last");
    if (last !== undefined && steps.length < last.step) {
      problems.push(`${dir}: metrics.jsonl ends at step ${steps.length}, before the checkpoint of step ${last.step}`);
    }
  });
  attempt(() => readCheckpoint(dir, "best"));
  attempt(() => {
    const { tasks } = readScores(dir);
    for (const { task, split } of listPredictions(dir)) {
      const n = readPredictions(dir, task, split).length;
      const scored = tasks[task]?.[split]?.n;
      if (scored !== undefined && scored !== n)
        problems.push(`${dir}: ${task}.${split} has ${n} predictions, scores.json counts ${scored}`);
    }
  });
  attempt(() => readStatus(dir));
  return problems;
}
