/** @file How many threads a run computes with, and how many runs go on at once. */

import { availableParallelism, freemem } from "node:os";

/**
 * Below this many weights the products of a step are too small for threads to share: two runs of one thread each finish in little more than half
 * the time that they take one after another on two threads (docs/LOG.md, 2026-11-22).
 */
const SMALL_MODEL = 50e6;
/** Of the memory that is free when a study starts. */
const MEMORY_SHARE = 0.8;

/** Intra-op threads of a model's runs: a property of the plan, because the bits of a result follow from it. @param cores  of a run's machine */
export function threadsFor(parameters: number, cores: number = availableParallelism()): number {
  return parameters < SMALL_MODEL ? 1 : cores;
}

/** Threads of a run on a cluster, whose cores this machine does not know: run ids must not follow from who asks. */
export const CLUSTER_THREADS = 4;

/**
 * Runs at a time: as many as there are cores for and as fit in memory, at least one.
 * @param memoryBytes of the largest run
 */
export function concurrencyFor(threads: number, memoryBytes: number): number {
  const byCores = Math.floor(availableParallelism() / threads);
  const byMemory = Math.floor((MEMORY_SHARE * freemem()) / memoryBytes);
  return Math.max(1, Math.min(byCores, byMemory));
}
