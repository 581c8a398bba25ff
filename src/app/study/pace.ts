/** @file How fast this machine really is: a few seconds of a study's own work, kept for the next plan, and runs that are done. */

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { attempt } from "../../base/attempt.ts";
import { digestOf } from "../../base/digest.ts";
import { makeFolder, readBytes, writeWhole } from "../../formats/files.ts";
import { readMetrics, readStatus } from "../../runs/run-dir.ts";
import type { QueuedJob } from "../../study/schedule.ts";
import { runDir } from "../../study/scored.ts";
import type { Job, PlannedRun, RunProgress, TimeParts } from "../../study/types.ts";
import { packageVersion } from "../package.ts";
import type { Workspace } from "../workspace.ts";
import { stepsSeconds } from "./estimate.ts";
import { jobOfRun } from "./jobs.ts";
import { startSeconds } from "./pass-cost.ts";
import { placesOf } from "./places.ts";
import type { PlannedStudy } from "./planned-study.ts";
import { scoringSeconds } from "./scoring-cost.ts";
import { startWorker } from "./start-worker.ts";

/** Seconds measured for each second of the arithmetic, by part of a job, and where that is from. */
export interface Pace extends TimeParts {
  from: "arithmetic" | "measurement" | "runs";
}

/** The arithmetic alone. */
const PLAIN_PACE: Pace = { start: 1, train: 1, score: 1, from: "arithmetic" };

/** Studies that the arithmetic expects to be shorter are not worth a measurement. */
const WORTH_SECONDS = 60;
/** Steps of a trial, the first of which is not counted: it faults memory in. */
const TRIAL_STEPS = 3;
/** Examples of a step at most, and rows that are scored of each of so many tasks. */
const TRIAL_BATCH = 8;
const TRIAL_ROWS = 24;
const TRIAL_TASKS = 2;

/** Seconds of a job at a pace. */
export function atPace(time: TimeParts, pace: Pace): number {
  return time.start * pace.start + time.train * pace.train + time.score * pace.score;
}

/** The pace of what the study has done; else of what was measured here before; else the arithmetic's. */
export function knownPace(planned: PlannedStudy, workspace: Workspace): Pace {
  const kept = keptPace(planned, workspace) ?? PLAIN_PACE;
  let [took, expected] = [0, 0];
  for (const { id, estimate } of planned.plan) {
    const status = attempt(() => readStatus(runDir(planned.dir, id)));
    if (status?.state !== "done" || status.seconds === undefined) continue;
    took += status.seconds;
    expected += atPace(estimate.time, kept);
  }
  if (expected === 0 || Number.isNaN(expected)) return kept;
  const ratio = took / expected;
  return { start: kept.start * ratio, train: kept.train * ratio, score: kept.score * ratio, from: "runs" };
}

/**
 * The pace of this machine on this study: known, or measured now, in seconds, by the first steps and rows of one of its runs, as many side by side as
 * the study will have. Nothing is left of the trial but the pace, in the cache.
 * Where nothing can be measured (no weights yet, another worker than this machine's engine, work of less than a minute) it is the arithmetic's.
 */
export async function measurePace(planned: PlannedStudy, workspace: Workspace): Promise<Pace> {
  const known = knownPace(planned, workspace);
  const run = planned.plan.find(({ model }) => planned.models[model]!.isThere);
  const expected = planned.plan.reduce((sum, { estimate }) => sum + estimate.seconds, 0);
  const isWorthIt = planned.lock.worker.kind === "local" && expected >= WORTH_SECONDS;
  if (known.from !== "arithmetic" || run === undefined || !isWorthIt) return known;
  workspace.note("Measuring this machine for some seconds, once for this study.");
  const dir = mkdtempSync(join(tmpdir(), "mixtune-pace-"));
  const worker = startWorker(workspace);
  try {
    const job = trialOf(planned, run);
    const dirs = Array.from({ length: placesOf(planned) }, (_, i) => join(dir, `${i}`));
    const timed = await Promise.all(
      dirs.map(async (own) => {
        const one = { ...job, dir: own };
        const times = await timesOf(one, worker.execute, workspace);
        return times && ratiosOf(planned, run, one, times);
      }),
    );
    const all = timed.filter((one) => one !== undefined);
    if (all.length < timed.length) return known;
    const mean = (part: keyof TimeParts) => all.reduce((sum, one) => sum + one[part], 0) / all.length;
    const pace: Pace = { start: mean("start"), train: mean("train"), score: mean("score"), from: "measurement" };
    makeFolder(join(workspace.settings.cacheDir, "pace"));
    writeWhole(pathOf(planned, workspace), `${JSON.stringify(pace)}\n`);
    return pace;
  } finally {
    await worker.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

type RunJob = Extract<Job, { kind: "run" }>;

/** The first steps of a run, and some rows of its dev splits. */
function trialOf(planned: PlannedStudy, run: PlannedRun): RunJob {
  const job = jobOfRun(planned, run);
  const train_batch_size = Math.min(TRIAL_BATCH, run.spec.train.train_batch_size ?? TRIAL_BATCH);
  const train = { ...run.spec.train, train_batch_size, max_steps: TRIAL_STEPS };
  return {
    ...job,
    id: "trial",
    spec: { ...run.spec, train },
    eval_tasks: job.eval_tasks.slice(0, TRIAL_TASKS),
    eval: { ...job.eval, splits: ["dev"], max_dev: TRIAL_ROWS },
  };
}

/** Milliseconds at which parts of a trial began and ended. */
interface TrialTimes {
  began: number;
  firstStep: number;
  scoring: number;
  ended: number;
}

/** Undefined: the trial failed or was stopped. */
async function timesOf(
  job: RunJob,
  execute: ReturnType<typeof startWorker>["execute"],
  { clock, signal }: Workspace,
): Promise<TrialTimes | undefined> {
  const times = { began: clock(), firstStep: 0, scoring: 0, ended: 0 };
  const onProgress = ({ phase, done }: RunProgress) => {
    if (phase === "train" && done === 1) times.firstStep = clock();
    if (phase === "load") times.scoring = clock();
  };
  const outcome = await execute(job, onProgress, signal);
  times.ended = clock();
  return outcome.state === "done" ? times : undefined;
}

/** What was measured over what the arithmetic says of the same work. */
function ratiosOf(planned: PlannedStudy, run: PlannedRun, job: RunJob, times: TrialTimes): TimeParts {
  const model = planned.models[run.model]!.size;
  const { spec } = job;
  const tasks = planned.dataOf(run.spec, run.caps);
  const lines = readMetrics(job.dir).map(({ seconds }) => seconds);
  const [first = 0, ...others] = lines;
  const train = others.reduce((sum, one) => sum + one, 0) / stepsSeconds(spec, tasks, model, 1);
  const start = ((times.firstStep - times.began) / 1000 - first) / startSeconds(model, 1);
  const threads = job.threads;
  const cost = { tasks, names: job.eval_tasks, spec: job.eval, model, threads, isUntuned: false };
  const writer = Math.max(0, start) * (startSeconds(model, 2) - startSeconds(model, 1));
  const scoring = (times.ended - times.scoring) / 1000;
  return { start, train, score: Math.max(scoring - writer, scoring / 2) / scoringSeconds(cost) };
}

function keptPace(planned: PlannedStudy, workspace: Workspace): Pace | undefined {
  return attempt(() => JSON.parse(readBytes(pathOf(planned, workspace)).toString()) as Pace);
}

/** By all that a pace follows from: machine, program, models, texts and settings. */
function pathOf(planned: PlannedStudy, { settings }: Workspace): string {
  const { lock, input } = planned;
  const { tasks, train, eval: scored } = input.study;
  const machine = [cpus()[0]?.model, cpus().length, totalmem(), process.versions.node, packageVersion()];
  const digest = digestOf([machine, placesOf(planned), lock.models, lock.worker, lock.tasks, tasks, train, scored]);
  return join(settings.cacheDir, "pace", `${digest}.json`);
}

/** Jobs with the seconds that they take at a pace. */
export function queueAt(jobs: readonly { job: Job; time: TimeParts }[], pace: Pace): QueuedJob[] {
  return jobs.map(({ job, time }) => ({ job, seconds: atPace(time, pace) }));
}
