/** @file A prepared study to its table: baselines, runs, records, and what is said at the end. What demo, run and train have in common. */

import { existsSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { WorkerError } from "../base/errors.ts";
import { makeFolder, writeWhole } from "../formats/files.ts";
import { formatStudyTable } from "../report/tables.ts";
import { analyseStudy, type StudyTable } from "../study/analyse.ts";
import { claimStudy } from "../study/claim.ts";
import { executeJobs, type StudyOutcome } from "../study/execute.ts";
import { appendLedger, readLedger } from "../study/ledger.ts";
import { differingKeys, findStudyLock, readStudyLock, writeStudyLock } from "../study/lock-file.ts";
import { baselineDir, isComplete, runDir, scoredReader } from "../study/scored.ts";
import type { ExecuteJob, Job, PlannedRun } from "../study/types.ts";
import { scoreTextBaseline } from "./baselines.ts";
import type { Context } from "./context.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED } from "./exit.ts";
import { bytes, duration } from "./numbers.ts";
import { jobsOf, type PreparedStudy } from "./prepare-study.ts";
import { progressLine } from "./progress.ts";
import { startWorker } from "./start-worker.ts";

/**
 * Does what is not done yet: baselines, then runs; then prints the table.
 * @returns exit status
 */
export async function runStudy(prepared: PreparedStudy, context: Context): Promise<number> {
  const { dir, lock, plan } = prepared;
  refuseFullDisk(prepared);
  makeFolder(dir);
  const claim = claimStudy(dir, context.self, context.clock);
  try {
    writeStudyFiles(prepared, context);
    const worker = startWorker(context);
    let outcome: StudyOutcome;
    try {
      scoreTextBaselines(prepared, context);
      outcome = await executeAll(prepared, worker.execute, context);
    } finally {
      await worker.close();
    }
    const table = analyseStudy(lock, scoredReader(dir));
    return conclude(prepared, outcome, table, context);
  } finally {
    claim.release();
    if (plan.length === 0) context.note("The plan holds no runs.");
  }
}

/** The table of a study directory as it stands. */
export function studyTable(dir: string): StudyTable {
  return analyseStudy(readStudyLock(dir), scoredReader(dir));
}

function refuseFullDisk({ dir, plan }: PreparedStudy): void {
  const needed = plan
    .filter(({ id }) => !existsSync(runDir(dir, id)))
    .reduce((sum, run) => sum + run.estimate.disk_bytes, 0);
  let folder = dir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  if (needed <= bavail * bsize) return;
  throw new WorkerError({
    place: dir,
    expected: `${bytes(needed)} free for ${plan.length} runs`,
    got: bytes(bavail * bsize),
    remedy: "Free some space, use --out on another disk, or set train.keep to weights or none.",
  });
}

function writeStudyFiles({ input, dir, lock, plan }: PreparedStudy, context: Context): void {
  const before = findStudyLock(dir);
  if (before !== undefined) {
    const keys = differingKeys(before, lock);
    if (keys.length > 0)
      context.note(`Since the last call these have changed: ${keys.join(", ")}. New runs are added, old ones kept.`);
  }
  writeWhole(join(dir, "study.yaml"), input.text);
  writeStudyLock(dir, lock);
  const known = new Set(readLedger(dir).flatMap(({ event, run }) => (event === "planned" ? [run] : [])));
  for (const { id, mixture, model, seed } of plan) {
    if (!known.has(id))
      appendLedger(dir, context.clock, { event: "planned", run: id, detail: { mixture: mixture.name, model, seed } });
  }
}

function scoreTextBaselines(prepared: PreparedStudy, context: Context): void {
  for (const { id, kind } of prepared.lock.baselines) {
    if (kind === "base") continue;
    const dir = baselineDir(prepared.dir, id);
    const job = { dir, eval_tasks: Object.keys(prepared.input.study.tasks), eval: prepared.input.study.eval };
    if (isComplete(job) || context.signal.aborted) continue;
    context.note(`baseline ${kind}`);
    makeFolder(dir);
    scoreTextBaseline(kind, job, prepared.tasks);
    openedTest(prepared, id, context);
  }
}

async function executeAll(prepared: PreparedStudy, execute: ExecuteJob, context: Context): Promise<StudyOutcome> {
  const queue = jobsOf(prepared);
  const seconds = new Map(queue.map((queued) => [queued.job.id, queued.seconds]));
  const line = progressLine(context);
  const labels = new Map(prepared.plan.map((run) => [run.id, labelOf(run, prepared)]));
  const labelOfJob = (job: Job) => labels.get(job.id) ?? `${job.model} untuned`;
  const waiting = new Set(queue.filter(({ job }) => !isComplete(job)).map(({ job }) => job.id));
  let index = 0;
  let started = context.clock();
  const outcome = await executeJobs(queue, {
    execute,
    concurrency: 1,
    signal: context.signal,
    isComplete,
    record: (entry) => appendLedger(prepared.dir, context.clock, entry),
    onEvent: (event) => {
      const { job } = event;
      if (event.kind === "started") {
        waiting.delete(job.id);
        index = event.index;
        started = context.clock();
      } else if (event.kind === "progress") {
        const secondsAfter = [...waiting].reduce((sum, id) => sum + (seconds.get(id) ?? 0), 0);
        line.update({ label: labelOfJob(job), index, total: index + waiting.size, secondsAfter }, event.progress);
      } else {
        const { outcome: ended } = event;
        const after = duration((context.clock() - started) / 1000);
        const reason = ended.state === "failed" ? `: ${ended.reason}` : "";
        line.say(`[${index}/${index + waiting.size}] ${labelOfJob(job)}  ${ended.state} after ${after}${reason}`);
        if (ended.state === "done") openedTest(prepared, job.id, context);
      }
    },
  });
  line.close();
  return outcome;
}

/** Every opening of the test split is counted. */
function openedTest(prepared: PreparedStudy, run: string, context: Context): void {
  if (!prepared.input.study.eval.splits.includes("test")) return;
  appendLedger(prepared.dir, context.clock, { event: "test_opened", run, detail: { tasks: Object.keys(prepared.input.study.tasks) } });
}

function labelOf(run: PlannedRun, { input }: PreparedStudy): string {
  const model = input.study.models.length > 1 ? `${run.model} ` : "";
  const factors = Object.entries(run.factors).map(([key, value]) => ` ${key.replace(/^train\./, "")}=${String(value)}`);
  return `${model}${run.mixture.name} seed ${run.seed}${factors.join("")}`;
}

function conclude(prepared: PreparedStudy, outcome: StudyOutcome, table: StudyTable, context: Context): number {
  const { dir } = prepared;
  const failed = outcome.failed.map(({ job, reason }) => ({ id: job.id, reason }));
  const counts = {
    done: outcome.done.length,
    done_before: outcome.skipped.length,
    failed,
    interrupted: outcome.interrupted.length,
  };
  const next = `mixtune run again goes on where this stopped (${dir}).`;
  const lines = [
    formatStudyTable(table, "text"),
    table.sentence,
    "",
    `Results are in ${dir} (mixtune report ${dir} prints this again).`,
    ...failed.map(({ id, reason }) => `failed: ${id}: ${reason}`),
    ...(failed.length > 0 ? [`${failed.length} failed. Put the reason right; ${next}`] : []),
    ...(outcome.interrupted.length > 0 ? [`Interrupted with ${outcome.interrupted.length} to do; ${next}`] : []),
  ];
  context.result({ dir, ...counts, table }, lines.join("\n"));
  if (outcome.interrupted.length > 0) return EXIT_INTERRUPTED;
  return failed.length > 0 ? EXIT_FAILED : EXIT_DONE;
}
