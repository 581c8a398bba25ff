/**
 * @file The run directory: the one place that knows its layout, reads it and writes it. Checkpoints: checkpoints.ts.
 *
 *     <run id>/
 *       spec.json  status.json  receipt.json  scores.json    written whole
 *       job.json                                             written whole; of a run that a service fine-tunes
 *       metrics.jsonl                                        append-only, cut on resume
 *       predictions/<task>.<split>.jsonl                     written whole
 *       predictions/<task>.<split>.index.jsonl               their scores alone, made again where it does not fit them: item-scores.ts
 *       judgements/<task>.<split>.jsonl                      written whole
 *       earlier/<n>/                                         scores and predictions as judged before mixtune rescore
 *       checkpoints/                                         see checkpoints.ts
 */

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/digest.ts";
import { DataError } from "../base/errors.ts";
import {
  decodeUtf8,
  makeFolder,
  readBytes,
  readText,
  removeQuietly,
  sha256OfFile,
  syncFolder,
  writeWhole,
} from "../formats/files.ts";
import { appendLog, formatJsonl, type JsonlLine, parseJsonl, readLog, withoutNonFinite } from "../formats/jsonl.ts";
import { isLabelScoring } from "../specs/metrics.ts";
import type { RunSpec, Scoring, Split } from "../specs/types.ts";
import { formatItemIndex, type ItemScores, itemScoresOf, type KnownItems, parseItemIndex } from "./item-scores.ts";
import {
  hostedJobSchema,
  judgementSchema,
  metricsLineSchema,
  predictionSchema,
  receiptSchema,
  scoresSchema,
  statusSchema,
  subjectSchema,
} from "./schemas.ts";
import type {
  HostedJob,
  Judgement,
  MetricsLine,
  MetricValue,
  Prediction,
  Receipt,
  RunStatus,
  Scores,
  SplitScores,
  Subject,
} from "./types.ts";

/** Where things lie in a run directory. */
export const runPaths = {
  spec: (dir: string): string => join(dir, "spec.json"),
  status: (dir: string): string => join(dir, "status.json"),
  receipt: (dir: string): string => join(dir, "receipt.json"),
  hostedJob: (dir: string): string => join(dir, "job.json"),
  metrics: (dir: string): string => join(dir, "metrics.jsonl"),
  scores: (dir: string): string => join(dir, "scores.json"),
  subject: (dir: string): string => join(dir, "subject.json"),
  earlier: (dir: string): string => join(dir, "earlier"),
  checkpoints: (dir: string): string => join(dir, "checkpoints"),
  predictions: (dir: string): string => join(dir, "predictions"),
  predictionsOf: (dir: string, task: string, split: Split): string =>
    join(dir, "predictions", `${task}.${split}.jsonl`),
  indexOf: (dir: string, task: string, split: Split): string =>
    join(dir, "predictions", `${task}.${split}.index.jsonl`),
  judgements: (dir: string): string => join(dir, "judgements"),
  judgementsOf: (dir: string, task: string, split: Split): string => join(dir, "judgements", `${task}.${split}.jsonl`),
} as const;

/**
 * Makes a run directory ready to be written to, for the one process that runs it: its folders, and nothing half-written left from a killed one.
 * @returns the directory
 */
export function openRunDir(dir: string): string {
  for (const folder of [dir, runPaths.checkpoints(dir), runPaths.predictions(dir)]) {
    makeFolder(folder);
    removeLeftovers(folder);
  }
  return dir;
}

/** Removes what a killed process left half-written in a folder that nobody else writes to. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) if (isLeftover(name)) removeQuietly(join(folder, name));
}

/** Temp files and folders are named `.<name>.<…>tmp` by every writer of this project. */
function isLeftover(name: string): boolean {
  return name.startsWith(".") && name.endsWith(".tmp");
}

/** spec.json; written once: the directory's name is the digest of it. */
export function writeSpec(dir: string, spec: RunSpec): void {
  writeJson(runPaths.spec(dir), spec);
}

/** The RunSpec of a run; its digest is what vouches for it ({@link ./verify.ts}). */
export function readSpec(dir: string): RunSpec {
  return parseJson(runPaths.spec(dir)) as RunSpec;
}

/** status.json */
export function writeStatus(dir: string, status: RunStatus): void {
  writeJson(runPaths.status(dir), status);
}

/** `planned` where no status was written yet. */
export function readStatus(dir: string): RunStatus {
  return readRecord(runPaths.status(dir), statusSchema) ?? { state: "planned" };
}

/** A run whose beat is older than this is taken for dead, even if some process now has its number. A running one beats every few seconds. */
export const STALE_BEAT_MS = 120_000;

/**
 * Whether a run says that it runs, but its process is gone: dead on this host, or silent for {@link STALE_BEAT_MS}.
 *
 * @param now       the clock, in milliseconds since the epoch
 * @param host      this machine's name: a process number means nothing elsewhere
 * @param pidAlive  asked only for processes of this host
 */
export function isInterrupted(
  status: RunStatus,
  { pidAlive, now, host }: { pidAlive: (pid: number) => boolean; now: number; host: string },
): boolean {
  if (status.state !== "running") return false;
  if (status.pid !== undefined && (status.host ?? host) === host && !pidAlive(status.pid)) return true;
  const heard = Date.parse(status.beat ?? status.started ?? "");
  return Number.isNaN(heard) || now - heard > STALE_BEAT_MS;
}

/** Whether a process of this host is there. */
export function isPidAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Adds a line to metrics.jsonl. */
export function appendMetrics(dir: string, line: MetricsLine): void {
  appendLog(runPaths.metrics(dir), line);
}

/** All of metrics.jsonl at once: what a service has said so far. */
export function writeMetrics(dir: string, lines: readonly MetricsLine[]): void {
  writeWhole(runPaths.metrics(dir), formatJsonl(lines));
}

/** All lines of metrics.jsonl that were written to their end. */
export function readMetrics(dir: string): MetricsLine[] {
  const path = runPaths.metrics(dir);
  return readLog(path).map((line) => checkLine(line, metricsLineSchema, path));
}

/** Takes back what was logged after `step`, before work goes on from its checkpoint: the resumed run logs it again. */
export function cutMetrics(dir: string, step: number): void {
  const path = runPaths.metrics(dir);
  if (existsSync(path)) writeWhole(path, formatJsonl(readMetrics(dir).filter((line) => line.step <= step)));
}

/** predictions/<task>.<split>.jsonl, and their index */
export function writePredictions(dir: string, task: string, split: Split, predictions: readonly Prediction[]): void {
  makeFolder(runPaths.predictions(dir));
  const bytes = Buffer.from(formatJsonl(predictions));
  writeWhole(runPaths.predictionsOf(dir, task, split), bytes);
  writeIndex(dir, task, split, itemScoresOf(predictions), sha256(bytes));
}

/** Writes the predictions of a split, then scores.json with what they scored and their digest. @param scores  of the run so far; added to */
export function writeSplit(
  dir: string,
  scores: Scores,
  { task, split }: { task: string; split: "dev" | "test" },
  scored: { predictions: readonly Prediction[]; scores: SplitScores },
): void {
  writePredictions(dir, task, split, scored.predictions);
  keepScores(dir, scores, { task, split }, scored.scores);
}

/** Writes scores.json with what the predictions of a split, as they are on disk, scored. @param scores  of the run so far; added to */
export function keepScores(
  dir: string,
  scores: Scores,
  { task, split }: { task: string; split: "dev" | "test" },
  scored: SplitScores,
): void {
  const predictions = sha256OfFile(runPaths.predictionsOf(dir, task, split));
  scores.tasks[task] = { ...scores.tasks[task], [split]: { ...scored, predictions } };
  writeScores(dir, scores);
}

/** @throws {DataError} no such predictions, or a line that is none */
export function readPredictions(dir: string, task: string, split: Split): Prediction[] {
  const path = runPaths.predictionsOf(dir, task, split);
  return parsePredictions(readBytes(path), path);
}

/**
 * The scores of predictions from their index. Where that is missing, damaged or of other bytes, from the predictions, and the index is written anew
 * if the folder lets it be.
 *
 * @param known  lists of items that other runs had; added to
 * @throws {DataError} as {@link readPredictions}
 */
export function readItemScores(dir: string, task: string, split: Split, known: KnownItems): ItemScores {
  const path = runPaths.predictionsOf(dir, task, split);
  const bytes = readBytes(path);
  const digest = sha256(bytes);
  const indexed = readIndex(dir, task, split, digest, known);
  if (indexed !== undefined) return indexed;
  const made = itemScoresOf(parsePredictions(bytes, path));
  writeIndex(dir, task, split, made, digest);
  return made;
}

/**
 * Predictions that their index vouches for: it holds the digest of just these bytes. For when the scores that had it are gone.
 * @throws {DataError} as {@link readPredictions}
 */
export function readIndexedPredictions(dir: string, task: string, split: Split): Prediction[] | undefined {
  const path = runPaths.predictionsOf(dir, task, split);
  const bytes = readQuietly(path);
  if (bytes === undefined || readIndex(dir, task, split, sha256(bytes), new Map()) === undefined) return undefined;
  return parsePredictions(bytes, path);
}

function readIndex(dir: string, task: string, split: Split, digest: string, known: KnownItems): ItemScores | undefined {
  const index = readQuietly(runPaths.indexOf(dir, task, split));
  return index && parseItemIndex(index, digest, known);
}

function parsePredictions(bytes: Buffer, path: string): Prediction[] {
  return parseJsonl(decodeUtf8(bytes, path), path).map((line) => checkLine(line, predictionSchema, path));
}

/** Nobody needs it: neither a folder that must not be written to nor a kill in the middle, which its digest tells, does harm. */
function writeIndex(dir: string, task: string, split: Split, scores: ItemScores, predictions: string): void {
  try {
    writeFileSync(runPaths.indexOf(dir, task, split), formatItemIndex(scores, predictions));
  } catch {}
}

function readQuietly(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** judgements/<task>.<split>.jsonl */
export function writeJudgements(dir: string, task: string, split: Split, judgements: readonly Judgement[]): void {
  makeFolder(runPaths.judgements(dir));
  writeWhole(runPaths.judgementsOf(dir, task, split), formatJsonl(judgements));
}

/** @throws {DataError} no such judgements, or a line that is none */
export function readJudgements(dir: string, task: string, split: Split): Judgement[] {
  const path = runPaths.judgementsOf(dir, task, split);
  return parseJsonl(readText(path), path).map((line) => checkLine(line, judgementSchema, path));
}

/** Tasks and splits that have predictions, by name. */
export function listPredictions(dir: string): { task: string; split: "dev" | "test" }[] {
  const folder = runPaths.predictions(dir);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const match = /^([a-z0-9][a-z0-9_-]*)\.(dev|test)\.jsonl$/.exec(name);
      return match === null ? [] : [{ task: match[1] as string, split: match[2] as "dev" | "test" }];
    });
}

/** scores.json, without values that do not exist. */
export function writeScores(dir: string, scores: Scores): void {
  const tasks = mapValues(scores.tasks, (splits) => mapValues(splits as Record<string, SplitScores>, existingScores));
  writeJson(runPaths.scores(dir), { ...scores, tasks, digest: digestOfTasks(tasks) });
}

/** Of what stands in the file, whatever the order of its keys. */
function digestOfTasks(tasks: unknown): string {
  return sha256(canonicalJson(JSON.parse(JSON.stringify(tasks, withoutNonFinite))));
}

/** The scores of a split as scores.json keeps them: without values that do not exist. */
export function existingScores(scores: SplitScores): SplitScores {
  const existing = (metrics: Record<string, MetricValue>): Record<string, MetricValue> =>
    Object.fromEntries(Object.entries(metrics).filter(([, { value }]) => Number.isFinite(value)));
  return { ...scores, metrics: existing(scores.metrics), scoring: mapValues(scores.scoring, existing) };
}

/**
 * No tasks where nothing was scored yet.
 * @throws {DataError} a file that is not as it was written
 */
export function readScores(dir: string): Scores {
  const path = runPaths.scores(dir);
  if (!existsSync(path)) return { tasks: {} };
  const record = parseJson(path);
  const { digest, ...scores } = check(record, scoresSchema, path);
  if (digest === undefined || digest === digestOfTasks((record as Scores).tasks)) return scores;
  throw new DataError({
    place: path,
    expected: "the scores as they were written",
    got: "a file that was changed since",
    remedy: "Restore it, or start the study again, which makes the scores again from the predictions.",
  });
}

/**
 * Keeps scores.json and some predictions as they are now under earlier/<n>, counted from 1, whole or not at all.
 * @returns that folder
 */
export function keepEarlier(dir: string, splits: readonly { task: string; split: Split }[]): string {
  const folder = runPaths.earlier(dir);
  makeFolder(folder);
  const numbers = readdirSync(folder).map(Number).filter(Number.isInteger);
  const kept = join(folder, `${Math.max(0, ...numbers) + 1}`);
  const half = join(folder, ".half.tmp");
  removeQuietly(half);
  makeFolder(runPaths.predictions(half));
  writeWhole(runPaths.scores(half), readBytes(runPaths.scores(dir)));
  for (const { task, split } of splits) {
    writeWhole(runPaths.predictionsOf(half, task, split), readBytes(runPaths.predictionsOf(dir, task, split)));
  }
  renameSync(half, kept);
  syncFolder(folder);
  return kept;
}

/** Whether a split is scored, labels by every reading asked for. */
export function isScored(scores: Scores, task: string, split: "dev" | "test", scoring: readonly Scoring[]): boolean {
  const scored = scores.tasks[task]?.[split];
  if (scored === undefined) return false;
  const read = Object.keys(scored.scoring);
  return !read.some(isLabelScoring) || scoring.every((name) => read.includes(name));
}

/** Whether numbers of a split were written freely only. */
export function lacksConstrainedNumbers(scores: Scores, task: string, split: "dev" | "test"): boolean {
  const metrics = scores.tasks[task]?.[split]?.metrics ?? {};
  return metrics.own_strict !== undefined && metrics.own_constrained === undefined;
}

/** subject.json */
export function writeSubject(dir: string, subject: Subject): void {
  writeJson(runPaths.subject(dir), subject);
}

/** Absent in runs, and in baselines of a study. */
export function readSubject(dir: string): Subject | undefined {
  return readRecord(runPaths.subject(dir), subjectSchema);
}

/** receipt.json */
export function writeReceipt(dir: string, receipt: Receipt): void {
  writeJson(runPaths.receipt(dir), receipt);
}

/** Absent until the run has ended. */
export function readReceipt(dir: string): Receipt | undefined {
  return readRecord(runPaths.receipt(dir), receiptSchema);
}

/** job.json */
export function writeHostedJob(dir: string, job: HostedJob): void {
  writeJson(runPaths.hostedJob(dir), job);
}

/** Absent where nothing was sent to a service yet. */
export function readHostedJob(dir: string): HostedJob | undefined {
  return readRecord(runPaths.hostedJob(dir), hostedJobSchema);
}

/** A record, written whole, in lines that people can read. */
export function writeJson(path: string, value: unknown): void {
  writeWhole(path, `${JSON.stringify(value, withoutNonFinite, 2)}\n`);
}

/** A record that was checked; absent if there is no such file. */
export function readRecord<T>(path: string, schema: z.ZodType<T>): T | undefined {
  return existsSync(path) ? check(parseJson(path), schema, path) : undefined;
}

function parseJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(path, "JSON", error instanceof Error ? error.message : String(error));
  }
}

function checkLine<T>({ line, value }: JsonlLine, schema: z.ZodType<T>, path: string): T {
  return check(value, schema, `${path}:${line}`);
}

function check<T>(value: unknown, schema: z.ZodType<T>, place: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw damaged(place, "a record as this project writes it", `${issue?.path.join(".")}: ${issue?.message}`);
}

function damaged(place: string, expected: string, got: string): DataError {
  return new DataError({
    place,
    expected,
    got,
    remedy:
      "The file was damaged or written by something else: restore it, or delete the run's folder and run it again.",
  });
}

function mapValues<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
