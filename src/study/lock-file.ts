/** @file study.lock.json: what a study file resolved to, with digests, so that a table can be rebuilt and a changed answer noticed. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { differences } from "../base/differences.ts";
import { DataError } from "../base/errors.ts";
import { readText, writeWhole } from "../formats/files.ts";
import type { MetricName, MixtureSpec, ModelIdentity, RunControl, RunSpec, Split, StudySpec } from "../specs/types.ts";

/** A task as it was loaded. */
export interface LockedTask {
  metric: MetricName;
  licence: string;
  source: string;
  num_examples: Record<Split, number>;
  digests: Record<Split, string>;
}

/** A run of the plan, without what its own spec.json says. A run that stands for several combinations of factors is here once for each. */
export interface LockedRun {
  id: string;
  model: string;
  mixture: MixtureSpec;
  seed: number;
  factors: Record<string, unknown>;
  /** Absent: a run like any other. */
  control?: RunControl;
}

/** A reference row: `base` is the untuned model. */
export interface LockedBaseline {
  id: string;
  kind: "majority" | "ngram" | "base" | "hosted";
  /** As the study names it. */
  model?: string;
  /** Of a hosted model: where it is asked, and through which interface. */
  base_url?: string;
  api?: string;
  /** Of an untuned model: training examples shown before each question. */
  few_shot?: number;
}

/** A repository of the hub: commit, and the digest of each file that was used. */
export interface LockedRepo {
  repo: string;
  revision: string;
  files: Record<string, string>;
}

/** Content of study.lock.json. */
export interface StudyLock {
  format: 1;
  mixtune: string;
  study: StudySpec;
  /** By ingredient name: targets and mixers. */
  tasks: Record<string, LockedTask>;
  models: Record<string, ModelIdentity>;
  /** Weights of each local model. Absent: an earlier version wrote this. */
  parameters?: Record<string, number>;
  /** What came from the hub: models by name, datasets as `datasets/<repo>`. Later calls stay at these revisions. */
  hub?: Record<string, LockedRepo>;
  worker: RunSpec["worker"];
  runs: LockedRun[];
  baselines: LockedBaseline[];
}

/** Writes the lock whole. */
export function writeStudyLock(studyDir: string, lock: StudyLock): void {
  writeWhole(lockPath(studyDir), `${JSON.stringify(lock, null, 2)}\n`);
}

/** The lock of a study directory, or undefined where there is none. */
export function findStudyLock(studyDir: string): StudyLock | undefined {
  return existsSync(lockPath(studyDir)) ? readStudyLock(studyDir) : undefined;
}

/** The study directory that a folder is, or is a run or baseline of. */
export function studyAround(folder: string): string | undefined {
  return [folder, join(folder, "..", "..")].find((dir) => existsSync(lockPath(dir)));
}

/**
 * The lock of a study directory.
 * @throws {DataError} no study directory, or a damaged lock
 */
export function readStudyLock(studyDir: string): StudyLock {
  const path = lockPath(studyDir);
  const isThere = existsSync(path);
  const text = isThere ? readText(path) : "";
  try {
    const lock = JSON.parse(text) as StudyLock;
    if (lock.format === 1) return lock;
  } catch {
    // note: said below together with a format that is not ours.
  }
  throw new DataError({
    place: path,
    expected: "the directory of a study that was started by mixtune run",
    got: isThere ? "a file that is not a study lock of this version" : "no such file",
    remedy:
      "Give the folder that mixtune run printed (studies/<name> beside the study file, unless options.out said otherwise).",
  });
}

/**
 * What differs between two locks: keys of the study file, dotted, and in words what the files behind them hold. Runs and the program's version are
 * left out.
 */
export function changedSince(before: StudyLock, after: StudyLock): string[] {
  const changed = <T>(of: (lock: StudyLock) => T) => differences(of(before), of(after)).map(({ key }) => key);
  const tasks = Object.keys(after.tasks).flatMap((name) => {
    const keys = changed(({ tasks }) => tasks[name] ?? {});
    return keys.flatMap((key) => {
      const [, split] = /^digests\.(.+)$/.exec(key) ?? [];
      if (split !== undefined) return [`${split} rows of ${name}`];
      return key.startsWith("num_examples.") ? [] : [`${key} of ${name}`]; // as other rows have other numbers
    });
  });
  const models = Object.keys(after.models).flatMap((name) =>
    changed(({ models }) => models[name] ?? {}).flatMap((key) =>
      key === "name" ? [] : [`${MODEL_PARTS[key] ?? key} of ${name}`],
    ),
  );
  return [...changed(({ study, worker }) => ({ ...study, worker })), ...tasks, ...models];
}

const MODEL_PARTS: Readonly<Record<string, string>> = {
  weights_digest: "weights",
  tokenizer_digest: "tokenizer",
  template_digest: "chat template",
};

function lockPath(studyDir: string): string {
  return join(studyDir, "study.lock.json");
}

/** Each run of the plan once, where several rows share it as the first of them has it. */
export function runsOnce({ runs }: StudyLock): LockedRun[] {
  const first = new Map<string, LockedRun>();
  for (const run of runs) if (!first.has(run.id)) first.set(run.id, run);
  return [...first.values()];
}
