/** @file Jobs of a study that go on at a fine-tuning service, as its run directories know them; nobody is asked. */

import { readHostedJob } from "../../../runs/run-dir.ts";
import type { HostedJob } from "../../../runs/types.ts";
import { runDir } from "../../../study/scored.ts";
import { isUnderWay } from "../../../workers/hosted-job.ts";

/** A run's job. */
export interface JobUnderWay {
  run: string;
  job: HostedJob;
}

/** Those of some runs of a study. */
export function jobsUnderWay(dir: string, ids: readonly string[]): JobUnderWay[] {
  return ids.flatMap((run) => {
    const job = readHostedJob(runDir(dir, run));
    return job !== undefined && isUnderWay(job) ? [{ run, job }] : [];
  });
}

/** The names of jobs; one whose answer was lost has none yet. */
export function jobNames(jobs: readonly JobUnderWay[]): string[] {
  return jobs.map(({ run, job }) => job.id ?? `asked for by run ${run}`);
}

/** What becomes of them, in a sentence; none without any. */
export function describeUnderWay(dir: string, jobs: readonly JobUnderWay[]): string[] {
  if (jobs.length === 0) return [];
  const what = jobs.length === 1 ? "one job, which is" : `${jobs.length} jobs, which are`;
  return [
    `The service is still working on ${what} paid for (${jobNames(jobs).join(", ")}): mixtune run waits for the end, mixtune cancel ${dir} cancels.`,
  ];
}
