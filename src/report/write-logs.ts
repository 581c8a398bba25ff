/** @file Writes the runs of a study for another tracker. */

import { dirname, join, resolve } from "node:path";
import { makeFolder, writeWhole } from "../formats/files.ts";
import { readStudyLock } from "../study/lock-file.ts";
import { exportedRuns, runEvents, runsJsonl } from "./exported-runs.ts";

export interface LogOptions {
  /** jsonl has wandb's names of fields. */
  to: "jsonl" | "tensorboard";
  /** Holds a folder of that name; default exports in the study's directory. */
  out?: string | undefined;
  /** Receives what a damaged file leaves out. */
  onProblem?: (message: string) => void;
}

/**
 * Settings, numbers by step and scores of every run that has begun to train.
 * @throws {SpecError} no study in the directory
 */
export function writeLogs(
  dir: string,
  { to, out, onProblem = () => {} }: LogOptions,
): { folder: string; runs: number } {
  const study = resolve(dir);
  const runs = exportedRuns(study, readStudyLock(study), onProblem);
  const folder = join(resolve(out ?? join(study, "exports")), to);
  const files: [string, string | Uint8Array][] =
    to === "jsonl"
      ? [[join(folder, "runs.jsonl"), runsJsonl(runs)]]
      : runs.map((run) => [join(folder, run.name, "events.out.tfevents.mixtune"), runEvents(run)]);
  for (const [path, content] of files) {
    makeFolder(dirname(path));
    writeWhole(path, content);
  }
  return { folder, runs: runs.length };
}
