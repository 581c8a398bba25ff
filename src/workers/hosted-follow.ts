/** @file Follows a job that a service works on: looks at it until it has ended, and keeps what it says. */

import type { JobEvent, RemoteJob } from "../eval/hosted/tuning-endpoint.ts";
import { runPaths, writeHostedJob, writeMetrics } from "../runs/run-dir.ts";
import type { HostedJob, MetricsLine } from "../runs/types.ts";
import { asked, type JobPlace } from "./hosted-ask.ts";
import { isOver } from "./hosted-job.ts";
import { jobEnded, jobGone, noModel } from "./hosted-refusals.ts";

/** What a job has said, and where it stands. */
export interface JobNews {
  job: RemoteJob;
  /** By step, in order. */
  lines: MetricsLine[];
  numSteps: number | null;
}

/**
 * Looks at a job until it has ended; metrics.jsonl and job.json follow it.
 * @throws {WorkerError} it failed, was cancelled, is gone, or names no model
 */
export async function followJob(
  place: JobPlace,
  record: HostedJob,
  onNews: (news: JobNews) => void,
): Promise<{ job: RemoteJob; record: HostedJob }> {
  const { dir, endpoint, patience } = place;
  const heard = new Map<string, JobEvent>();
  let kept = record;
  let numLines = -1;
  let succeededAt: number | undefined;
  for (let waitMs = patience.firstPollMs; ; waitMs = Math.min(waitMs * 1.5, patience.longestPollMs)) {
    const job = await asked(place, "look at the job", () => endpoint.job(record.id!), true);
    if (job === undefined) throw jobGone(record, endpoint.host, runPaths.hostedJob(dir));
    await hear(place, job.id, heard);
    const { lines, numSteps } = linesOf([...heard.values()]);
    if (lines.length !== numLines) writeMetrics(dir, lines);
    numLines = lines.length;
    const { status, fine_tuned_model } = job;
    if (status !== kept.status || (fine_tuned_model ?? undefined) !== kept.fine_tuned_model) {
      kept = {
        ...kept,
        status,
        ...(fine_tuned_model === null ? {} : { fine_tuned_model }),
      };
      writeHostedJob(dir, kept);
    }
    onNews({ job, lines, numSteps });
    if (isOver(status)) throw jobEnded(job, endpoint.host);
    if (status === "succeeded") {
      if (fine_tuned_model !== null) {
        const checkpoints = await asked(place, "look at the job", () => endpoint.checkpoints(job.id), true);
        if (checkpoints !== undefined && checkpoints.data.length > 0) {
          kept = { ...kept, checkpoints: checkpoints.data.toSorted((a, b) => a.step - b.step) };
          writeHostedJob(dir, kept);
        }
        return { job, record: kept };
      }
      succeededAt ??= place.now();
      const waitedMs = place.now() - succeededAt;
      if (waitedMs >= patience.readyMs) throw noModel(job, endpoint.host, waitedMs);
    }
    await place.sleep(waitMs, place.signal);
  }
}

/** Hears what is new of a job's events, which come newest first, and may come twice. */
async function hear(place: JobPlace, id: string, heard: Map<string, JobEvent>): Promise<void> {
  const { endpoint, note, run } = place;
  for (let after: string | undefined; ; ) {
    const page = await asked(place, "look at the job", () => endpoint.events(id, after), true);
    if (page === undefined) return; // a service without events
    const fresh = page.data.filter((event) => !heard.has(event.id));
    for (const event of fresh) {
      heard.set(event.id, event);
      if (/^(warn|warning|error)$/.test(event.level))
        note(`${endpoint.host}: run ${run}: ${event.level}: ${event.message}`);
    }
    if (!page.has_more || fresh.length === 0) return;
    after = page.data.at(-1)!.id;
  }
}

/** Lines of metrics.jsonl from events in any order: of two of a step the later one. What a service does not tell is NaN. */
export function linesOf(events: readonly JobEvent[]): { lines: MetricsLine[]; numSteps: number | null } {
  const ofSteps = events.filter(({ metrics }) => metrics !== null);
  const latest = new Map<number, JobEvent>();
  for (const event of ofSteps.toSorted((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1)))
    latest.set(event.metrics!.step, event);
  const inOrder = [...latest.values()].sort((a, b) => a.metrics!.step - b.metrics!.step);
  const lines = inOrder.map(({ metrics, created_at }, i): MetricsLine => {
    const seconds = i === 0 ? Number.NaN : Math.max(0, created_at - inOrder[i - 1]!.created_at);
    const unknown = { grad_norm: Number.NaN, learning_rate: Number.NaN, tokens: Number.NaN };
    return { step: metrics!.step, loss: metrics!.train_loss, loss_per_task: {}, ...unknown, seconds };
  });
  return { lines, numSteps: ofSteps.map(({ metrics }) => metrics!.total_steps).find((n) => n !== null) ?? null };
}
