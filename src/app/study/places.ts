/** @file How many runs of a study go on at once on this machine, and the memory that they then take together. */

import type { Estimate, MemoryParts } from "../../study/types.ts";
import { concurrencyFor } from "../../workers/threads.ts";
import { JOBS_AT_A_TIME } from "./hosted/start.ts";
import type { PlannedStudy } from "./planned-study.ts";

/** Runs at a time unless a person says otherwise. */
export function placesOf({ plan, lock }: Pick<PlannedStudy, "plan" | "lock">): number {
  if (lock.worker.kind === "hosted") return JOBS_AT_A_TIME;
  return concurrencyFor(lock.worker.threads, Math.max(...plan.map(({ estimate }) => estimate.memory_bytes)));
}

/** Memory of the process while the largest of some runs go on side by side: itself once, each run beside it. By part: of the largest run. */
export function memoryTogether(
  estimates: readonly Estimate[],
  places: number,
): { memory_bytes: number; memory: MemoryParts } {
  const bySize = estimates.toSorted((a, b) => b.memory_bytes - a.memory_bytes);
  const memory = bySize[0]?.memory ?? NO_MEMORY;
  const beside = bySize.slice(0, places).reduce((sum, one) => sum + one.memory_bytes - one.memory.process, 0);
  return { memory_bytes: memory.process + beside, memory };
}

const NO_MEMORY: MemoryParts = { process: 0, weights: 0, optimizer: 0, activations: 0, logits: 0, scoring: 0 };
