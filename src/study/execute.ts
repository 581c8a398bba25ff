/** @file Works through the jobs of a study, one at a time unless asked, past failures, until done or interrupted. */

import type { LedgerLine } from "../runs/types.ts";
import { inOrder, type QueuedJob } from "./schedule.ts";
import type { ExecuteJob, Job, Outcome, RunProgress } from "./types.ts";

/** What happens to a job. */
export type JobEvent =
  | { kind: "started"; job: Job; index: number; total: number }
  | { kind: "progress"; job: Job; progress: RunProgress }
  | { kind: "ended"; job: Job; outcome: Outcome };

export interface ExecuteOptions {
  execute: ExecuteJob;
  /** Jobs at a time; 1 unless the worker runs elsewhere. */
  concurrency: number;
  signal: AbortSignal;
  /** True for a job whose directory holds all that it would make. */
  isComplete(job: Job): boolean;
  record(line: Omit<LedgerLine, "time">): void;
  onEvent(event: JobEvent): void;
}

/** How a study's jobs ended. */
export interface JobOutcomes {
  done: Job[];
  /** Done before this call. */
  skipped: Job[];
  failed: { job: Job; reason: string; stack?: string }[];
  /** Begun or not, and not ended: a later call goes on with them. */
  interrupted: Job[];
  /** Going on elsewhere. */
  left: Job[];
}

/**
 * Runs every job that is not complete. A job that fails is recorded with its reason and the rest go on;
 * once the signal fires no job is started, and those that run are waited for.
 */
export async function executeJobs(queue: readonly QueuedJob[], options: ExecuteOptions): Promise<JobOutcomes> {
  const outcome: JobOutcomes = { done: [], skipped: [], failed: [], interrupted: [], left: [] };
  const waiting: Job[] = [];
  for (const { job } of inOrder(queue, options.concurrency)) {
    (options.isComplete(job) ? outcome.skipped : waiting).push(job);
  }
  const total = waiting.length;
  const takeNext = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      if (options.signal.aborted) {
        outcome.interrupted.push(job);
        continue;
      }
      const index = total - waiting.length;
      keep(outcome, job, await runOne(job, index, total, options));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, takeNext));
  return outcome;
}

async function runOne(job: Job, index: number, total: number, options: ExecuteOptions): Promise<Outcome> {
  options.record({ event: "started", run: job.id });
  const onProgress = (progress: RunProgress) => {
    const { opens_test: tasks } = progress;
    if (tasks !== undefined) options.record({ event: "test_opened", run: job.id, detail: { tasks } });
    options.onEvent({ kind: "progress", job, progress });
  };
  options.onEvent({ kind: "started", job, index, total });
  const outcome = await options.execute(job, onProgress, options.signal).catch(
    (error: unknown): Outcome => ({
      state: "failed",
      reason: error instanceof Error ? error.message : String(error),
    }),
  );
  if (outcome.state === "done") options.record({ event: "finished", run: job.id });
  if (outcome.state === "failed") options.record({ event: "failed", run: job.id, detail: { reason: outcome.reason } });
  options.onEvent({ kind: "ended", job, outcome });
  return outcome;
}

function keep(all: JobOutcomes, job: Job, outcome: Outcome): void {
  if (outcome.state === "failed") all.failed.push({ job, ...outcome });
  else all[outcome.state].push(job);
}
