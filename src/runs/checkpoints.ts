/**
 * @file Checkpoints of a run: folders that are there whole or not at all, and one index that says which of them count.
 *
 *     checkpoints/
 *       last.json     newest checkpoint with the digests of its files, and the best so far: the only truth
 *       best.json     the best alone, copied from last.json for readers that want no more
 *       step-<n>/     the files
 *
 * A commit is: fill a temp folder, sync, rename, write last.json, write best.json, remove what neither names. Killed between any two of
 * these, the index still names complete checkpoints, and the next commit clears what was left over.
 */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { CheckpointError } from "../base/errors.ts";
import { makeFolder, removeQuietly, sha256OfFile, syncFolder, writeError } from "../formats/files.ts";
import type { TrainSpec } from "../specs/types.ts";
import { readRecord, runPaths, writeJson } from "./run-dir.ts";
import { type CheckpointIndex, type CheckpointRecord, checkpointIndexSchema } from "./schemas.ts";

export type { CheckpointRecord } from "./schemas.ts";

/** Holds AdamW's moments; not needed once a run is done. */
export const OPTIMIZER_FILE = "optimizer.safetensors";

/** Fills an empty folder with files (no folders) and returns the digests it knows, by file name; the others are taken from the files. */
export type WriteFiles = (folder: string) => Record<string, string>;

export interface CommitOptions {
  /** Whether this is the best checkpoint so far: then it is kept until a better one is committed. */
  best: boolean;
  /** Mean dev loss over the mixture's tasks at this step, where it was measured. */
  devLoss?: number;
}

/** A committed checkpoint whose files were found to be as they were written. */
export interface Checkpoint extends CheckpointRecord {
  /** Absolute or as `dir` was: the folder with the files. */
  path: string;
}

/**
 * Commits a checkpoint. Older ones that are neither last nor best go, after the new one is safe.
 * @throws {WorkerError|DataError} it cannot be written; everything committed before stays as it was
 */
export function commitCheckpoint(dir: string, step: number, writeFiles: WriteFiles, options: CommitOptions): void {
  for (const _ of commitSteps(dir, step, writeFiles, options));
}

/** {@link commitCheckpoint}, pausing after each change on disk: tests stop at any of them, as a kill would. */
export function* commitSteps(
  dir: string,
  step: number,
  writeFiles: WriteFiles,
  { best, devLoss }: CommitOptions,
): Generator<string> {
  const root = runPaths.checkpoints(dir);
  const folder = `step-${step}`;
  const temp = join(root, `.${folder}.tmp`);
  const before = readIndex(dir);
  let record: CheckpointRecord;
  try {
    makeFolder(root);
    removeQuietly(temp);
    mkdirSync(temp);
    yield "temp folder";
    record = { step, folder, files: fill(temp, writeFiles), ...(devLoss === undefined ? {} : { dev_loss: devLoss }) };
    yield "files";
    if (namedBy(before).includes(folder)) {
      assertSame(recordOf(before, folder), record, root);
      removeQuietly(temp);
    } else {
      removeQuietly(join(root, folder));
      yield "place made free";
      renameSync(temp, join(root, folder));
      syncFolder(root);
    }
    yield "folder";
  } catch (error) {
    removeQuietly(temp);
    throw writeError(join(root, folder), error);
  }
  const nowBest = best ? record : before?.best;
  const index: CheckpointIndex = { ...record, ...(nowBest === undefined ? {} : { best: nowBest }) };
  writeJson(join(root, "last.json"), index);
  yield "last.json";
  if (nowBest !== undefined) writeJson(join(root, "best.json"), nowBest);
  yield "best.json";
  removeOthers(root, index);
}

function fill(temp: string, writeFiles: WriteFiles): Record<string, string> {
  const known = writeFiles(temp);
  const files: Record<string, string> = {};
  for (const name of readdirSync(temp).sort()) {
    const path = join(temp, name);
    const fd = openSync(path, "r+");
    fsyncSync(fd);
    closeSync(fd);
    files[name] = known[name] ?? sha256OfFile(path);
  }
  syncFolder(temp);
  return files;
}

/** A step is only committed twice by a run that does the same work again, and the same work gives the same bits. */
function assertSame(before: CheckpointRecord, now: CheckpointRecord, root: string): void {
  if (JSON.stringify(before.files) === JSON.stringify(now.files)) return;
  throw new CheckpointError({
    place: join(root, now.folder),
    expected: "the same files as when this step was committed before",
    got: "different ones",
    remedy: "Delete the run's folder and run it again: something that belongs to the run has changed under it.",
  });
}

/**
 * The last or best checkpoint, its files compared with their digests; absent if none was committed.
 * @throws {CheckpointError} a file that is missing or not what was written, by name
 */
export function readCheckpoint(dir: string, which: "last" | "best" = "last"): Checkpoint | undefined {
  const index = readIndex(dir);
  const record = which === "last" ? index : index?.best;
  if (record === undefined) return undefined;
  const path = join(runPaths.checkpoints(dir), record.folder);
  for (const [name, digest] of Object.entries(record.files)) checkFile(join(path, name), digest);
  const { step, folder, files, dev_loss } = record;
  return { step, folder, files, path, ...(dev_loss === undefined ? {} : { dev_loss }) };
}

function checkFile(path: string, digest: string): void {
  const got = existsSync(path) ? sha256OfFile(path) : undefined;
  if (got === digest) return;
  throw new CheckpointError({
    place: path,
    expected: `the file with SHA-256 ${digest.slice(0, 12)}…`,
    got: got === undefined ? "no file" : `SHA-256 ${got.slice(0, 12)}…`,
    remedy:
      "Restore the file, or delete the run's folder and start the study again: the run is then trained from its beginning.",
  });
}

/**
 * What stays of a finished run (product.md `keep`): the last checkpoint, the best one (the last where none was measured), both (`weights`), or
 * none. The optimiser's moments go in any case. To be called once status.json says `done`: what is left cannot be trained on. May be repeated.
 */
export function keepCheckpoints(dir: string, keep: TrainSpec["keep"]): void {
  const root = runPaths.checkpoints(dir);
  const index = readIndex(dir);
  if (index === undefined) return;
  if (keep === "none") {
    removeQuietly(join(root, "last.json"));
    removeQuietly(join(root, "best.json"));
    removeOthers(root, undefined);
    return;
  }
  const { best, ...last } = index;
  const kept: CheckpointIndex =
    keep === "best"
      ? { ...withoutMoments(best ?? last), ...(best === undefined ? {} : { best: withoutMoments(best) }) }
      : { ...withoutMoments(last), ...(best === undefined || keep === "last" ? {} : { best: withoutMoments(best) }) };
  writeJson(join(root, "last.json"), kept);
  if (kept.best === undefined) removeQuietly(join(root, "best.json"));
  else writeJson(join(root, "best.json"), kept.best);
  removeOthers(root, kept);
  for (const folder of namedBy(kept)) removeQuietly(join(root, folder, OPTIMIZER_FILE));
}

function withoutMoments({ files, ...record }: CheckpointRecord): CheckpointRecord {
  return { ...record, files: Object.fromEntries(Object.entries(files).filter(([name]) => name !== OPTIMIZER_FILE)) };
}

/** The record that says which checkpoints of a run count, with the digests of their files. */
export function checkpointIndexPath(dir: string): string {
  return join(runPaths.checkpoints(dir), "last.json");
}

/** The checkpoints that count, by what the record says: no file is looked at. */
export function keptCheckpoints(dir: string): CheckpointRecord[] {
  const index = readIndex(dir);
  return index === undefined ? [] : [index, ...(index.best === undefined ? [] : [index.best])];
}

function readIndex(dir: string): CheckpointIndex | undefined {
  return readRecord(checkpointIndexPath(dir), checkpointIndexSchema);
}

function recordOf(index: CheckpointIndex | undefined, folder: string): CheckpointRecord {
  return (index?.folder === folder ? index : index?.best) as CheckpointRecord;
}

function namedBy(index: CheckpointIndex | undefined): string[] {
  return index === undefined ? [] : [index.folder, ...(index.best === undefined ? [] : [index.best.folder])];
}

function removeOthers(root: string, index: CheckpointIndex | undefined): void {
  const named = namedBy(index);
  for (const name of readdirSync(root))
    if (/^\.?step-/.test(name) && !named.includes(name)) removeQuietly(join(root, name));
}
