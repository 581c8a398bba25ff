/** @file Does what a study still lacks, baselines first, then runs, and returns how each ended. */

import { join } from "node:path";
import { attempt } from "../../base/attempt.ts";
import { scoreTextBaseline } from "../../eval/baselines/score-baseline.ts";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import { damageOf, describeDamage } from "../../runs/damage.ts";
import { openRunDir, readStatus, removeLeftovers, writeStatus } from "../../runs/run-dir.ts";
import { changedSplits, forgetScores } from "../../study/changed-scores.ts";
import { whileClaimed } from "../../study/claim.ts";
import { executeJobs, type JobEvent } from "../../study/execute.ts";
import { appendLedger, readLedger } from "../../study/ledger.ts";
import { changedSince, findStudyLock, writeStudyLock } from "../../study/lock-file.ts";
import { baselineDir, isComplete, runDir } from "../../study/scored.ts";
import type { ExecuteJob, Job, PlannedRun } from "../../study/types.ts";
import { refuseDivided } from "../../workers/gpus.ts";
import type { Workspace } from "../workspace.ts";
import { refuseFullDisk } from "./disk.ts";
import { scoreHostedBaselines } from "./hosted/baselines.ts";
import { mustBePaid, sayEndings } from "./hosted/bill.ts";
import { type JobUnderWay, jobsUnderWay } from "./hosted/jobs-under-way.ts";
import { startHosted } from "./hosted/start.ts";
import { jobsOf } from "./jobs.ts";
import { MOST_AT_ONCE, openRay, type RayPlace, settingsOfRay } from "./open-ray.ts";
import { knownPace, queueAt } from "./pace.ts";
import { placesOf } from "./places.ts";
import type { PlannedStudy } from "./planned-study.ts";
import { refuseFullMemory } from "./refusals.ts";
import { openTorch, startWorker } from "./start-worker.ts";
import type { JobSummary, StudyEvent } from "./study-events.ts";

export interface RunOptions {
  /**
   * Runs at a time. Default: as many as cores and memory allow; with PyTorch one on each GPU; 4 where a service trains them; on a cluster all
   * of them. No result follows from it.
   */
  concurrency?: number | undefined;
  /** The cluster of `worker: ray`, already looked at with {@link openRay}, before any data was loaded. Default: looked at now. */
  ray?: RayPlace | undefined;
  /** Called as things happen. */
  onEvent?: ((event: StudyEvent) => void) | undefined;
}

/** How a call of {@link runStudy} ended: ids of runs and baselines. */
export interface StudyOutcome {
  /** The study's directory, which `studyResults` reads. */
  dir: string;
  done: string[];
  /** Complete before this call. */
  doneBefore: string[];
  failed: { id: string; reason: string; stack?: string }[];
  /** The same call again resumes them. */
  interrupted: string[];
  /** Still running on a cluster. */
  left: string[];
  /** Hosted baselines that nobody allowed to be asked: their rows are empty. */
  notSent: { baseline: string; requests: number; base_url: string }[];
  /** Jobs that a fine-tuning service is still working on. */
  underWay: JobUnderWay[];
}

/**
 * Does what is not done yet. A run that fails is recorded with its reason, and the others are done. The signal of the workspace stops it at the
 * next safe point; the same call resumes it.
 * @throws {SpecError} too little disk or memory, another process in the directory, hosted work without consent
 * @throws {WorkerError} no PyTorch, a cluster that does not answer
 */
export async function runStudy(
  planned: PlannedStudy,
  workspace: Workspace,
  { concurrency, ray: given, onEvent = () => {} }: RunOptions = {},
): Promise<StudyOutcome> {
  const { dir, lock, plan, input } = planned;
  const { torch: torchOptions } = planned.workerOptions;
  const { kind } = lock.worker;
  refuseFullDisk(planned);
  const ray = given ?? (await openRay(planned.workerOptions, input.study.name, workspace));
  const torch = kind === "torch" && ray === undefined ? openTorch(workspace.settings, torchOptions) : undefined;
  refuseDivided(ray?.numGpus ?? torch?.settings.ranks ?? 1, plan);
  if (ray === undefined) refuseFullMemory(planned, torch?.memory);
  if (kind === "hosted") {
    await mustBePaid(planned, workspace);
    await sayEndings(planned, workspace);
  }
  for (const model of Object.values(planned.models)) await model.fetchWeights();
  makeFolder(dir);
  return whileClaimed(dir, workspace, async () => {
    removeLeftovers(dir);
    writeStudyFiles(planned, workspace);
    sayDamage(planned, workspace);
    const ownPace = torch?.settings.isGpu ? torch.settings.gpus.length : placesOf(planned);
    const atOnce = concurrency ?? (ray === undefined ? ownPace : MOST_AT_ONCE);
    const elsewhere = { torch: torch?.settings, ray: ray && settingsOfRay(ray, planned) };
    let worker = kind === "hosted" ? undefined : startWorker(workspace, elsewhere);
    try {
      await scoreTextBaselines(planned, onEvent, workspace);
      const hosted = await scoreHostedBaselines(planned, workspace);
      worker ??= startHosted(planned, hosted.spent, workspace);
      const jobs = await executeAll(planned, worker.execute, atOnce, onEvent, workspace);
      return {
        dir,
        done: idsOf(jobs.done),
        doneBefore: idsOf(jobs.skipped),
        failed: [...hosted.failed, ...jobs.failed.map(({ job, ...why }) => ({ id: job.id, ...why }))],
        interrupted: [...idsOf(jobs.interrupted), ...hosted.interrupted],
        left: idsOf(jobs.left),
        notSent: hosted.notSent,
        underWay: jobsUnderWay(dir, idsOf(plan)),
      };
    } finally {
      await worker?.close();
    }
  });
}

function writeStudyFiles({ input, dir, lock, plan }: PlannedStudy, workspace: Workspace): void {
  const before = findStudyLock(dir);
  if (before !== undefined) {
    const keys = changedSince(before, lock);
    if (keys.length > 0) {
      workspace.note(`Since the last call these have changed: ${keys.join(", ")}. New runs are added, old ones kept.`);
    }
    forgetScores(dir, changedSplits(before, lock));
  }
  writeWhole(join(dir, "study.yaml"), input.text);
  writeStudyLock(dir, lock);
  const known = new Set(readLedger(dir).flatMap(({ event, run }) => (event === "planned" ? [run] : [])));
  for (const { id, mixture, model, seed } of plan) {
    if (!known.has(id))
      appendLedger(dir, workspace.clock, { event: "planned", run: id, detail: { mixture: mixture.name, model, seed } });
  }
}

/** Finished runs and baselines of which something is gone or was changed: they are worked on again. */
function sayDamage({ dir, lock, plan, input }: PlannedStudy, { note }: Workspace): void {
  const folders = [...lock.baselines.map(({ id }) => baselineDir(dir, id)), ...plan.map(({ id }) => runDir(dir, id))];
  for (const folder of folders) {
    if (attempt(() => readStatus(folder))?.state !== "done") continue;
    const damage = damageOf(folder, Object.keys(input.study.tasks));
    if (damage.length === 0) continue;
    const mended = damage.every(({ part }) => part === "weights") ? "" : " What can be made again is.";
    note(`${folder} is damaged: ${describeDamage(damage, folder)}.${mended}`);
  }
}

async function scoreTextBaselines(
  planned: PlannedStudy,
  onEvent: (event: StudyEvent) => void,
  workspace: Workspace,
): Promise<void> {
  for (const { id, kind } of planned.lock.baselines) {
    if (kind === "base" || kind === "hosted") continue;
    const dir = baselineDir(planned.dir, id);
    const job = { dir, eval_tasks: Object.keys(planned.input.study.tasks), eval: planned.input.study.eval };
    if (isComplete(job)) continue;
    openRunDir(dir);
    appendLedger(planned.dir, workspace.clock, { event: "started", run: id });
    if (job.eval.splits.includes("test")) {
      appendLedger(planned.dir, workspace.clock, { event: "test_opened", run: id, detail: { tasks: job.eval_tasks } });
    }
    for (const task of job.eval_tasks) {
      // note: fitting blocks this thread; between tasks a signal is heard
      await new Promise((resolve) => setImmediate(resolve));
      if (workspace.signal.aborted) return;
      onEvent({ kind: "baseline", baseline: kind, task });
      scoreTextBaseline(kind, dir, planned.tasks[task]!, job.eval);
    }
    writeStatus(dir, { state: "done" });
    appendLedger(planned.dir, workspace.clock, { event: "finished", run: id });
  }
}

function executeAll(
  planned: PlannedStudy,
  execute: ExecuteJob,
  concurrency: number,
  onEvent: (event: StudyEvent) => void,
  workspace: Workspace,
) {
  const queue = queueAt(jobsOf(planned), knownPace(planned, workspace));
  const runs = new Map(planned.plan.map((run) => [run.id, run]));
  const summaries = new Map(
    queue.map(({ job, seconds }): [string, JobSummary] => {
      const run = runs.get(job.id);
      if (run === undefined) return [job.id, { id: job.id, label: `${job.model} untuned`, seconds }];
      return [job.id, { id: job.id, label: labelOf(run, planned), seconds, memoryBytes: run.estimate.memory_bytes }];
    }),
  );
  const todo = queue.filter(({ job }) => !isComplete(job)).map(({ job }) => summaries.get(job.id)!);
  onEvent({ kind: "planned", jobs: todo, concurrency });
  return executeJobs(queue, {
    execute,
    concurrency,
    signal: workspace.signal,
    isComplete,
    record: (entry) => appendLedger(planned.dir, workspace.clock, entry),
    onEvent: (event) => onEvent(studyEvent(event, summaries.get(event.job.id)!)),
  });
}

function studyEvent(event: JobEvent, job: JobSummary): StudyEvent {
  if (event.kind === "started") return { kind: "started", job, index: event.index, total: event.total };
  if (event.kind === "progress") {
    const { progress } = event;
    if (progress.note !== undefined) return { kind: "note", job, text: progress.note };
    return { kind: progress.phase === "train" ? "step" : "scored", job, progress };
  }
  const { outcome } = event;
  if (outcome.state === "failed") return { kind: "failed", job, reason: outcome.reason };
  if (outcome.state !== "done") return { kind: outcome.state, job };
  return { kind: "done", job, seconds: attempt(() => readStatus(event.job.dir))?.seconds };
}

function idsOf(all: readonly Pick<Job | PlannedRun, "id">[]): string[] {
  return all.map(({ id }) => id);
}

function labelOf(run: PlannedRun, { input }: PlannedStudy): string {
  const model = input.study.models.length > 1 ? `${run.model} ` : "";
  const factors = Object.entries(run.factors).map(([key, value]) => ` ${key.replace(/^train\./, "")}=${String(value)}`);
  return `${model}${run.mixture.name} seed ${run.seed}${factors.join("")}`;
}
