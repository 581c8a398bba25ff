/** @file In which order a study's jobs are taken, and how long all of them take side by side. */

import type { Job } from "./types.ts";

/** A job with what it is expected to take. */
export interface QueuedJob {
  job: Job;
  seconds: number;
}

/**
 * Untuned models, then runs by cost. One at a time the cheapest come first: results are there soonest. Of several at a time the longest: of the 55
 * mixtures of nine ingredients on 8 workers the cheapest first would take a quarter longer in all, waiting for the last long one.
 */
export function inOrder(queue: readonly QueuedJob[], concurrency: number): QueuedJob[] {
  const sign = concurrency > 1 ? -1 : 1;
  const rank = ({ job }: QueuedJob) => (job.kind === "base" ? 0 : 1);
  return queue.toSorted((a, b) => rank(a) - rank(b) || sign * (a.seconds - b.seconds));
}

/** Seconds until the last of some jobs ends, each begun, in the order given, as soon as one of so many places is free. */
export function wallSeconds(jobs: readonly number[], places: number): number {
  const free = new Array<number>(Math.max(1, places)).fill(0);
  for (const seconds of jobs) {
    const next = free.indexOf(Math.min(...free));
    free[next] = free[next]! + seconds;
  }
  return Math.max(...free);
}
