/** @file A prepared study to its table: baselines, runs, records, and what is said at the end. What demo, run and train have in common. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { visible } from "../../base/visible.ts";
import type { Context } from "../../cli/context.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED } from "../../cli/exit.ts";
import { refuseDivided } from "../../cli/gpus.ts";
import type { TorchOptions } from "../../cli/options/torch.ts";
import { type ProgressLine, progressLine } from "../../cli/screen/progress.ts";
import { StudyProgress } from "../../cli/screen/study-progress.ts";
import { scoreTextBaseline } from "../../eval/baselines/score-baseline.ts";
import { makeFolder, writeWhole } from "../../formats/files.ts";
import { reportHtml } from "../../report/html.ts";
import { reportText } from "../../report/report-text.ts";
import { openRunDir, readReceipt, removeLeftovers, runPaths, writeStatus } from "../../runs/run-dir.ts";
import { changedSplits, forgetScores } from "../../study/changed-scores.ts";
import { whileClaimed } from "../../study/claim.ts";
import { executeJobs, type StudyOutcome } from "../../study/execute.ts";
import { appendLedger, readLedger } from "../../study/ledger.ts";
import { differingKeys, findStudyLock, writeStudyLock } from "../../study/lock-file.ts";
import type { ReportData } from "../../study/report-data.ts";
import { reportOf } from "../../study/report-of.ts";
import { type StudyResults, studyResults } from "../../study/results.ts";
import { baselineDir, isComplete, runDir } from "../../study/scored.ts";
import type { ExecuteJob, PlannedRun } from "../../study/types.ts";
import { concurrencyFor } from "../../workers/threads.ts";
import { refuseFullDisk } from "./disk.ts";
import { type HostedOutcome, scoreHostedBaselines } from "./hosted/baselines.ts";
import { mustBePaid } from "./hosted/bill.ts";
import { describeUnderWay, jobNames, jobsUnderWay } from "./hosted/jobs-under-way.ts";
import { JOBS_AT_A_TIME, startHosted } from "./hosted/start.ts";
import { MOST_AT_ONCE, type RayPlace, settingsOfRay } from "./open-ray.ts";
import { jobsOf, type PreparedStudy, refuseFullMemory } from "./prepare-study.ts";
import { openTorch, startWorker } from "./start-worker.ts";

/** What is no part of a study, whose results do not follow from it. */
export interface How {
  /** Runs at a time; default as many as cores and memory allow, one on each GPU, a few where a service trains them, on a cluster all of them. */
  concurrency?: number | undefined;
  /** What PyTorch on this machine does. */
  torch?: TorchOptions;
  /** The cluster that trains; absent: none. */
  ray?: RayPlace | undefined;
}

/**
 * Does what is not done yet: baselines, then runs; then prints the table. A hosted baseline that nobody allowed is said to be missing: all that
 * was asked for is done without it.
 * @returns exit status
 */
export async function runStudy(
  prepared: PreparedStudy,
  context: Context,
  { concurrency, torch: options, ray }: How = {},
): Promise<number> {
  const { dir, lock } = prepared;
  const { kind } = lock.worker;
  refuseFullDisk(prepared);
  const torch = kind === "torch" && ray === undefined ? openTorch(context.settings, options) : undefined;
  refuseDivided(ray?.numGpus ?? torch?.settings.ranks ?? 1, prepared.plan);
  if (ray === undefined) refuseFullMemory(prepared, torch?.memory);
  if (kind === "hosted") await mustBePaid(prepared, context);
  for (const model of Object.values(prepared.models)) await model.fetchWeights();
  makeFolder(dir);
  return whileClaimed(dir, context, async () => {
    removeLeftovers(dir);
    writeStudyFiles(prepared, context);
    const line = progressLine(context);
    const note = (text: string) => line.say(visible(text));
    const ownPace = torch?.settings.isGpu ? torch.settings.gpus.length : defaultConcurrency(prepared);
    const atOnce = concurrency ?? (ray === undefined ? ownPace : MOST_AT_ONCE);
    let outcome: StudyOutcome;
    let hosted: HostedOutcome;
    const elsewhere = { torch: torch?.settings, ray: ray && settingsOfRay(ray, prepared) };
    let worker = kind === "hosted" ? undefined : startWorker({ ...context, note }, elsewhere);
    try {
      await scoreTextBaselines(prepared, context);
      hosted = await scoreHostedBaselines(prepared, context);
      worker ??= startHosted(prepared, hosted.spent, context);
      outcome = await executeAll(prepared, worker.execute, atOnce, line, context);
    } finally {
      await worker?.close();
    }
    return conclude(prepared, outcome, hosted, studyResults(dir), context);
  });
}

/**
 * Writes report.html and report.json beside the runs.
 * @param texts  whether outputs of single items are in them
 * @returns what they show
 */
export function writeReport(results: StudyResults, texts = true): ReportData {
  const all = reportOf(results);
  const data = texts ? all : { ...all, disagreements: [], remarks: [...all.remarks, NO_TEXTS] };
  writeWhole(join(results.dir, "report.json"), `${JSON.stringify(data, null, 1)}\n`);
  writeWhole(reportPage(results.dir), reportHtml(data));
  return data;
}

const NO_TEXTS = "Outputs of single test items were left out when this was written (--no-texts).";

/** Where the report's page lies. */
export function reportPage(dir: string): string {
  return join(dir, "report.html");
}

function writeStudyFiles({ input, dir, lock, plan }: PreparedStudy, context: Context): void {
  const before = findStudyLock(dir);
  if (before !== undefined) {
    const keys = differingKeys(before, lock);
    if (keys.length > 0) {
      context.note(`Since the last call these have changed: ${keys.join(", ")}. New runs are added, old ones kept.`);
    }
    forgetScores(dir, changedSplits(before, lock));
  }
  writeWhole(join(dir, "study.yaml"), input.text);
  writeStudyLock(dir, lock);
  const known = new Set(readLedger(dir).flatMap(({ event, run }) => (event === "planned" ? [run] : [])));
  for (const { id, mixture, model, seed } of plan) {
    if (!known.has(id))
      appendLedger(dir, context.clock, { event: "planned", run: id, detail: { mixture: mixture.name, model, seed } });
  }
}

async function scoreTextBaselines(prepared: PreparedStudy, context: Context): Promise<void> {
  for (const { id, kind } of prepared.lock.baselines) {
    if (kind === "base" || kind === "hosted") continue;
    const dir = baselineDir(prepared.dir, id);
    const job = { dir, eval_tasks: Object.keys(prepared.input.study.tasks), eval: prepared.input.study.eval };
    if (isComplete(job)) continue;
    openRunDir(dir);
    appendLedger(prepared.dir, context.clock, { event: "started", run: id });
    if (job.eval.splits.includes("test")) {
      appendLedger(prepared.dir, context.clock, { event: "test_opened", run: id, detail: { tasks: job.eval_tasks } });
    }
    for (const task of job.eval_tasks) {
      // note: fitting blocks this thread; between tasks a signal is heard
      await new Promise((resolve) => setImmediate(resolve));
      if (context.signal.aborted) return;
      context.note(`baseline ${kind}: ${task}`);
      scoreTextBaseline(kind, dir, prepared.tasks[task]!, job.eval);
    }
    writeStatus(dir, { state: "done" });
    appendLedger(prepared.dir, context.clock, { event: "finished", run: id });
  }
}

function defaultConcurrency({ plan, lock }: PreparedStudy): number {
  if (lock.worker.kind === "hosted") return JOBS_AT_A_TIME;
  return concurrencyFor(lock.worker.threads, Math.max(...plan.map(({ estimate }) => estimate.memory_bytes)));
}

async function executeAll(
  prepared: PreparedStudy,
  execute: ExecuteJob,
  concurrency: number,
  line: ProgressLine,
  context: Context,
): Promise<StudyOutcome> {
  const queue = jobsOf(prepared);
  const names = new Map(prepared.plan.map((run) => [run.id, labelOf(run, prepared)]));
  const toDo = queue.filter(({ job }) => !isComplete(job));
  const untuned = new Map(queue.map(({ job }) => [job.id, `${job.model} untuned`]));
  const progress = new StudyProgress(
    toDo,
    concurrency,
    new Map(prepared.plan.map(({ id, estimate }) => [id, estimate.memory_bytes])),
    (id) => names.get(id) ?? untuned.get(id)!,
    line,
    context.clock,
  );
  try {
    return await executeJobs(queue, {
      execute,
      concurrency,
      signal: context.signal,
      isComplete,
      record: (entry) => appendLedger(prepared.dir, context.clock, entry),
      onEvent: (event) => progress.onEvent(event),
    });
  } finally {
    progress.close();
  }
}

function labelOf(run: PlannedRun, { input }: PreparedStudy): string {
  const model = input.study.models.length > 1 ? `${run.model} ` : "";
  const factors = Object.entries(run.factors).map(([key, value]) => ` ${key.replace(/^train\./, "")}=${String(value)}`);
  return `${model}${run.mixture.name} seed ${run.seed}${factors.join("")}`;
}

function conclude(
  prepared: PreparedStudy,
  outcome: StudyOutcome,
  hosted: HostedOutcome,
  results: StudyResults,
  context: Context,
): number {
  const { dir, plan } = prepared;
  const { table } = results;
  const { notSent } = hosted;
  const failures = [...hosted.failed, ...outcome.failed.map(({ job, ...why }) => ({ id: job.id, ...why }))];
  const failed = failures.map(({ id, reason }) => ({ id, reason }));
  const interrupted = outcome.interrupted.length + hosted.interrupted;
  const left = outcome.left.length;
  const ids = plan.map(({ id }) => id);
  const goingOn = jobsUnderWay(dir, ids);
  const counts = {
    done: outcome.done.length,
    done_before: outcome.skipped.length,
    failed,
    interrupted,
    ...(notSent.length > 0 && { not_sent: notSent }),
    ...(goingOn.length > 0 && { going_on: jobNames(goingOn) }),
    ...(left > 0 && { left }),
  };
  const next = "the same command goes on where this stopped.";
  const isScored = table.tasks.length > 0;
  const lines = [
    isScored ? reportText(table, writeReport(results)) : "Nothing was scored: no task has labels.",
    "",
    `Results are in ${dir} (mixtune report ${dir} prints this again).`,
    ...(isScored ? [`With charts: ${reportPage(dir)}, which opens in any browser.`] : []),
    ...(plan.length === 1 ? modelText(runDir(dir, plan[0]!.id)) : []),
    ...otherRuns(prepared),
    ...failed.map(({ id, reason }) => `failed: ${id}: ${reason}`),
    ...(context.options.debug ? failures.map(({ stack }) => stack ?? "") : []),
    ...(failed.length > 0 ? [`${failed.length} failed. Put the reason right; ${next}`] : []),
    ...(interrupted > 0 ? [`Interrupted with ${interrupted} to do; ${next}`] : []),
    ...(left > 0
      ? [`${left} left to the cluster: the same command fetches what is done, or waits without --detach.`]
      : []),
    ...describeUnderWay(dir, goingOn),
    ...notSent.map(
      ({ baseline, requests, base_url }) =>
        `Nothing was sent to ${baseline}: its row is empty. Add --allow-hosted for ${requests} requests to ${base_url}.`,
    ),
  ];
  context.result({ dir, ...counts, table }, lines.join("\n"));
  if (interrupted > 0) return EXIT_INTERRUPTED;
  return failed.length > 0 ? EXIT_FAILED : EXIT_DONE;
}

/** Where the model of a single run is. */
function modelText(dir: string): string[] {
  const tuned = readReceipt(dir)?.hosted?.fine_tuned_model;
  if (tuned !== undefined) return [`The model is openai:${tuned}: mixtune eval takes that name.`];
  return existsSync(runPaths.hostedJob(dir)) ? [] : [`The model is in ${dir}: mixtune predict takes that folder.`];
}

/** Runs of earlier calls that the study as it now stands does not hold. */
function otherRuns({ dir, lock }: PreparedStudy): string[] {
  const planned = new Set(lock.runs.map(({ id }) => id));
  const runs = join(dir, "runs");
  const others = existsSync(runs) ? readdirSync(runs).filter((id) => !planned.has(id)) : [];
  return others.length === 0 ? [] : [`Other runs, of earlier calls, are kept: ${others.join(", ")}.`];
}
