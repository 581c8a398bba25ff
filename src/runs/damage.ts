/**
 * @file What of a run that says `done` is not as its records have it. Cheap enough for every look at a study: a file is read only if it was touched
 * after the record that holds its digest was written.
 */

import { existsSync, statSync, utimesSync } from "node:fs";
import { join, relative } from "node:path";
import { attempt } from "../base/attempt.ts";
import { sha256OfFile } from "../formats/files.ts";
import type { Scoring } from "../specs/types.ts";
import { checkpointIndexPath, keptCheckpoints, OPTIMIZER_FILE } from "./checkpoints.ts";
import { isScored, listPredictions, readReceipt, readScores, readSpec, runPaths } from "./run-dir.ts";
import type { Scores } from "./types.ts";

/** A file of a run that is gone or was changed. */
export interface Damage {
  part: "scores" | "predictions" | "weights";
  path: string;
  is: "missing" | "changed";
}

/** A file, and its SHA-256 where a record has it. */
interface VouchedFile {
  path: string;
  digest?: string | undefined;
}

/**
 * Everything that a finished run or baseline should hold and does not; empty if all is there. In folders of earlier versions, whose scores hold no
 * digests, predictions and scores that are missing are found and changed ones are not.
 *
 * @param tasks  that the study asks for: others are not looked at
 */
export function damageOf(dir: string, tasks: readonly string[]): Damage[] {
  return [...damagedScores(dir, tasks), ...damagedWeights(dir)];
}

/** Whether a split is scored, labels by every reading asked for, and the predictions behind its scores are as they were. */
export function isAnswered(
  dir: string,
  scores: Scores,
  { task, split }: { task: string; split: "dev" | "test" },
  scoring: readonly Scoring[],
): boolean {
  const file = { path: runPaths.predictionsOf(dir, task, split), digest: scores.tasks[task]?.[split]?.predictions };
  return isScored(scores, task, split, scoring) && stateOf(file, ctimeOf(runPaths.scores(dir))) === "whole";
}

/** A sentence's worth: the files, by name. */
export function describeDamage(damage: readonly Damage[], from: string): string {
  return damage
    .map(({ path, is }) => `${relative(from, path)} ${is === "missing" ? "is missing" : "was changed"}`)
    .join(", ");
}

function damagedScores(dir: string, tasks: readonly string[]): Damage[] {
  const path = runPaths.scores(dir);
  if (!existsSync(path)) {
    const wasScored = tasks.length > 0 && (existsSync(runPaths.receipt(dir)) || listPredictions(dir).length > 0);
    return wasScored ? [{ part: "scores", path, is: "missing" }] : [];
  }
  const scores = attempt(() => readScores(dir));
  if (scores === undefined) return [{ part: "scores", path, is: "changed" }];
  const files = Object.entries(scores.tasks).flatMap(([task, splits]) =>
    (["dev", "test"] as const).flatMap((split) => {
      const scored = splits[split];
      if (scored === undefined) return [];
      return [{ task, path: runPaths.predictionsOf(dir, task, split), digest: scored.predictions }];
    }),
  );
  const asked = new Set(files.flatMap(({ task, path }) => (tasks.includes(task) ? [path] : [])));
  return damagedFiles("predictions", path, files).filter(({ path: file }) => asked.has(file));
}

/** Of the weights that a run keeps; a run of a service has none here. */
export function damagedWeights(dir: string): Damage[] {
  const receipt = attempt(() => readReceipt(dir));
  if (receipt === undefined || receipt.hosted !== undefined) return [];
  if (attempt(() => readSpec(dir))?.train.keep === "none") return [];
  const record = checkpointIndexPath(dir);
  const kept = attempt(() => keptCheckpoints(dir)) ?? [];
  if (kept.length === 0) return [{ part: "weights", path: record, is: existsSync(record) ? "changed" : "missing" }];
  const files = kept.flatMap(({ folder, files }) =>
    Object.entries(files)
      .filter(([name]) => name !== OPTIMIZER_FILE)
      .map(([name, digest]) => ({ path: join(runPaths.checkpoints(dir), folder, name), digest })),
  );
  return damagedFiles("weights", record, files);
}

/**
 * Which of the files that a record vouches for are not as it says. Where some had to be read and all are whole, as in a study that was copied, the
 * record is touched, if the folder lets it be, so that the next look need not read them.
 */
function damagedFiles(part: Damage["part"], record: string, files: readonly VouchedFile[]): Damage[] {
  const since = ctimeOf(record);
  const found = files.map((file) => ({ ...file, is: stateOf(file, since) }));
  const damaged = found.flatMap(({ path, is }) => (is === "whole" ? [] : [{ part, path, is }]));
  if (damaged.length === 0 && files.some(({ path }) => ctimeOf(path) > since)) touch(record);
  return damaged;
}

/** @param since  when the record that holds the digest was written, in milliseconds */
function stateOf({ path, digest }: VouchedFile, since: number): Damage["is"] | "whole" {
  const touched = ctimeOf(path);
  if (Number.isNaN(touched)) return "missing";
  if (digest === undefined || touched <= since) return "whole";
  return attempt(() => sha256OfFile(path)) === digest ? "whole" : "changed";
}

/** When a file's content or place last changed: no copying tool can set it. NaN: there is no such file. */
function ctimeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.NaN;
}

/** Leaves the times that can be set as they are: the one that cannot is now. */
function touch(path: string): void {
  try {
    const { atime, mtime } = statSync(path);
    utimesSync(path, atime, mtime);
  } catch {}
}
