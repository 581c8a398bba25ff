/** @file Answers that are on disk, judged again by today's scorers. No model is asked. */

import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { canonicalJson } from "../../base/canonical-json.ts";
import { SpecError } from "../../base/errors.ts";
import { loadTask } from "../../data/load-task.ts";
import type { LoadedTask } from "../../data/types.ts";
import { rescoreSplit, storedForm, writeRescored } from "../../eval/rescore.ts";
import { SCORERS } from "../../eval/score-answers.ts";
import {
  existingScores,
  keepEarlier,
  listPredictions,
  readPredictions,
  readScores,
  runPaths,
} from "../../runs/run-dir.ts";
import type { Prediction, SplitScores } from "../../runs/types.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { whileClaimed } from "../../study/claim.ts";
import { findStudyLock, type StudyLock, studyAround } from "../../study/lock-file.ts";
import { tasksOfFolder } from "../../study/subject.ts";
import { fetchHubData } from "../tasks/hub-data.ts";
import { taskNamed } from "../tasks/named-task.ts";
import type { Workspace } from "../workspace.ts";

export interface RescoreOptions {
  /** Tasks of the catalogue that no record of the folder describes, as they were when the model was scored. Default none. */
  tasks?: readonly string[] | undefined;
}

/** A score that came out otherwise. */
export interface ChangedScore {
  dir: string;
  task: string;
  split: "dev" | "test";
  reading: string;
  metric: string;
  before: number | null;
  after: number | null;
}

export interface Rescored {
  /** Numbers of the scorers that the stored scores were made with, 0 for those before they were numbered; and of today's. */
  from: number[];
  to: number;
  /** Splits that were judged. */
  splits: number;
  /** Splits of which something changed. */
  changedSplits: number;
  /** What changed of the metrics. */
  changed: ChangedScore[];
  /** Where the judgements of before are kept. */
  kept: string[];
}

interface Judged {
  task: string;
  split: "dev" | "test";
  before: SplitScores;
  /** As they are on disk. */
  predictions: Prediction[];
  after: { predictions: Prediction[]; scores: SplitScores };
  isChanged: boolean;
}

/**
 * Judges a run, a baseline, a folder that mixtune eval filled, or all of a study again. What comes out otherwise is written; what was before is
 * kept under earlier/.
 *
 * @throws {SpecError} nothing there was scored, or on a task that nothing describes
 * @throws {DataError} predictions that do not belong to the data
 */
export async function rescore(
  dir: string,
  workspace: Workspace,
  { tasks = [] }: RescoreOptions = {},
): Promise<Rescored> {
  const folder = resolve(dir);
  const studyDir = studyAround(folder);
  return whileClaimed(studyDir, workspace, () => rescoreIn(studyDir, folder, tasks, workspace));
}

async function rescoreIn(
  studyDir: string | undefined,
  dir: string,
  asked: readonly string[],
  workspace: Workspace,
): Promise<Rescored> {
  const lock = studyDir === undefined ? undefined : findStudyLock(studyDir);
  const dirs = studyDir === dir ? scoredFolders(dir) : [dir];
  const loaded = new Map<string, Promise<LoadedTask>>();
  const result: Rescored = { from: [], to: SCORERS, splits: 0, changedSplits: 0, changed: [], kept: [] };
  const from = new Set<number>();
  for (const folder of dirs) {
    const specs = specsOf(folder, lock, asked);
    const taskOf = (name: string): Promise<LoadedTask> => {
      const spec = specs(name);
      const key = canonicalJson(spec);
      const known = loaded.get(key) ?? load(spec, lock, workspace);
      loaded.set(key, known);
      return known;
    };
    const judged = await judgeFolder(folder, taskOf);
    for (const { before } of judged) from.add(before.scorers ?? 0);
    const changed = judged.filter(({ isChanged }) => isChanged);
    result.splits += judged.length;
    result.changedSplits += changed.length;
    result.changed.push(...changed.flatMap((one) => changesOf(folder, one)));
    if (changed.length > 0) result.kept.push(store(folder, changed));
  }
  if (result.splits === 0) {
    throw new SpecError({
      place: dir,
      expected: "a run, a study or a folder of mixtune eval with scores",
      got: "none",
      remedy: "Give a folder that holds scores.json, or a study's.",
    });
  }
  return { ...result, from: [...from].toSorted((a, b) => a - b) };
}

/** Runs and baselines of a study that were scored. */
function scoredFolders(studyDir: string): string[] {
  return ["runs", "baselines"].flatMap((part) => {
    const folder = join(studyDir, part);
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    return names.map((name) => join(folder, name)).filter((dir) => existsSync(runPaths.scores(dir)));
  });
}

function specsOf(dir: string, lock: StudyLock | undefined, asked: readonly string[]): (name: string) => TaskSpec {
  const described = tasksOfFolder(dir, lock);
  return (name) => {
    const own = described[name];
    if (own !== undefined) return own;
    if (asked.includes(name)) return taskNamed(name, undefined);
    throw new SpecError({
      place: `${dir}: task ${name}`,
      expected: "a task of its study",
      got: "one that no record here describes",
      remedy: `Add options.tasks ${name} if it is the catalogue's, as it was when the model was scored.`,
    });
  };
}

async function load(spec: TaskSpec, lock: StudyLock | undefined, workspace: Workspace): Promise<LoadedTask> {
  const root = lock?.study.data_root ?? workspace.settings.dataRoot;
  return loadTask(spec, await fetchHubData({ [spec.name]: spec }, root, workspace, lock?.hub));
}

async function judgeFolder(dir: string, taskOf: (name: string) => Promise<LoadedTask>): Promise<Judged[]> {
  const scores = readScores(dir);
  const judged: Judged[] = [];
  for (const { task, split } of listPredictions(dir)) {
    const before = scores.tasks[task]?.[split];
    if (before === undefined) continue; // killed between the two: the next evaluation scores it
    const loaded = await taskOf(task);
    const predictions = readPredictions(dir, task, split);
    const place = runPaths.predictionsOf(dir, task, split);
    const after = rescoreSplit(predictions, before, loaded, loaded.splits[split], place);
    const isChanged =
      storedForm(predictions) !== storedForm(after.predictions) ||
      storedForm({ ...withoutDigest(before), scorers: SCORERS }) !== storedForm(existingScores(after.scores));
    judged.push({ task, split, before, predictions, after, isChanged });
  }
  return judged;
}

function withoutDigest({ predictions: _, ...scores }: SplitScores): SplitScores {
  return scores;
}

function changesOf(dir: string, { task, split, before, after }: Judged): ChangedScore[] {
  return Object.entries(after.scores.scoring).flatMap(([reading, metrics]) =>
    [...new Set([...Object.keys(before.scoring[reading] ?? {}), ...Object.keys(metrics)])].flatMap((metric) => {
      const was = finite(before.scoring[reading]?.[metric]?.value);
      const is = finite(metrics[metric]?.value);
      return was === is ? [] : [{ dir, task, split, reading, metric, before: was, after: is }];
    }),
  );
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** Keeps what was, then writes what is. Killed in between, a second call finds the same changes. */
function store(dir: string, changed: readonly Judged[]): string {
  const kept = keepEarlier(dir, changed);
  const scores = readScores(dir);
  for (const { task, split, predictions, after } of changed) {
    writeRescored(dir, scores, { task, split }, predictions, after);
  }
  return kept;
}
