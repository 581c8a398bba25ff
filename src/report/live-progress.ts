/** @file How far a study is, as the live page shows it. */

import { existsSync } from "node:fs";
import { attempt } from "../base/attempt.ts";
import { readMetrics, runPaths } from "../runs/run-dir.ts";
import { failures, readLedger } from "../study/ledger.ts";
import { runsOnce, type StudyLock } from "../study/lock-file.ts";
import { type Asker, type JobProgress, jobProgress } from "../study/progress.ts";
import { baselineDir, runDir } from "../study/scored.ts";
import type { LiveJob, LiveNews } from "./live-data.ts";

/** Steps over which the rate is taken. */
const RATE_STEPS = 20;

/** Reads status files, and the metrics of what runs. A damaged status counts as planned: the report's remarks name it. */
export function liveProgress(dir: string, lock: StudyLock, asker: Asker): Pick<LiveNews, "counts" | "jobs"> {
  const tasks = Object.keys(lock.study.tasks);
  const reasons = failures(attempt(() => readLedger(dir)) ?? []);
  const progressOf = (folder: string, id: string): JobProgress =>
    attempt(() => jobProgress(folder, tasks, reasons.get(id), asker)) ?? { state: "planned" };
  const runs = runsOnce(lock).map((run) => {
    const folder = runDir(dir, run.id);
    const model = Object.keys(lock.models).length > 1 ? [run.model] : [];
    const factors = Object.entries(run.factors).map(([key, value]) => `${key}=${String(value)}`);
    const name = `${[...model, run.mixture.name, ...factors].join(" ")}, seed ${run.seed}`;
    return { id: run.id, name, folder, progress: progressOf(folder, run.id) };
  });
  const baselines = lock.baselines.map(({ id, kind, model }) => {
    const folder = baselineDir(dir, id);
    const name = kind === "base" ? `${model} untuned` : (model ?? kind);
    return { id, name, folder, progress: progressOf(folder, id) };
  });
  const counts: LiveNews["counts"] = { done: 0, running: 0, failed: 0, interrupted: 0, damaged: 0, planned: 0 };
  for (const { progress } of runs) counts[progress.state]++;
  return { counts, jobs: [...baselines, ...runs].flatMap(jobOf) };
}

function jobOf({
  id,
  name,
  folder,
  progress,
}: {
  id: string;
  name: string;
  folder: string;
  progress: JobProgress;
}): LiveJob[] {
  const { state, reason = null, step = null, numSteps = null } = progress;
  if (state === "done" || state === "planned") return [];
  const lines = state === "running" && existsSync(runPaths.metrics(folder)) ? attempt(() => readMetrics(folder)) : [];
  const recent = lines?.slice(-RATE_STEPS) ?? [];
  const last = recent.at(-1);
  return [
    {
      id,
      name,
      state,
      reason,
      step: last?.step ?? step,
      numSteps,
      loss: last?.loss ?? null,
      secondsPerStep: last === undefined ? null : recent.reduce((sum, { seconds }) => sum + seconds, 0) / recent.length,
    },
  ];
}
