/** @file Which of a machine's GPUs each run has, and which of them its worker process sees. */

import { SpecError } from "../base/errors.ts";
import type { PlannedRun } from "../study/types.ts";

/** CUDA's own name for what a process sees; ROCm reads it too. */
const VISIBLE = "CUDA_VISIBLE_DEVICES";

/**
 * GPUs by the names that CUDA_VISIBLE_DEVICES takes: indices, UUIDs or MIG instances.
 * @param count        how many PyTorch sees
 * @param environment  of the worker; what a person made visible there stays the limit
 */
export function visibleGpus(count: number, environment: Readonly<Record<string, string>>): string[] {
  const names = environment[VISIBLE]?.split(",").map((name) => name.trim());
  if (names === undefined) return Array.from({ length: count }, (_, index) => String(index));
  // Of several MIG instances a process sees the first alone; of other names all up to the first that is none.
  return count > 0 && names.every((name) => name.startsWith("MIG-")) ? names : names.slice(0, count);
}

/** GPUs of runs that go on side by side, `size` for each; what is left over idles. */
export function gpuGroups(gpus: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.floor(gpus.length / size) }, (_, i) => gpus.slice(i * size, (i + 1) * size));
}

/** What the process of a slot sees of the environment: its own GPUs. More slots than groups share them in turn; without groups all is as it was. */
export function environmentOfSlot(
  environment: Readonly<Record<string, string>>,
  groups: readonly (readonly string[])[],
  slot: number,
): Record<string, string> {
  const group = groups[slot % groups.length];
  return { ...environment, ...(group !== undefined && { [VISIBLE]: group.join(",") }) };
}

/**
 * Refuses what is not done on several GPUs.
 * @param size  GPUs of a run
 * @throws {SpecError} frozen layers in 4 bits
 */
export function refuseDivided(size: number, plan: readonly Pick<PlannedRun, "spec">[]): void {
  if (size < 2 || !plan.some(({ spec }) => spec.train.load_in_4bit === true)) return;
  throw new SpecError({
    place: "train.load_in_4bit",
    expected: `false, with options.gpus ${size}`,
    got: "true",
    remedy: "Take options.gpus 1: in 4 bits a model of 70 billion weights is 40 GB. Or leave 4 bits out.",
  });
}

/**
 * The GPUs of each of the runs that go on side by side on this machine.
 * @param asked        of one run; undefined: one, where there are any
 * @param count        that PyTorch sees
 * @param environment  of the worker
 * @throws {SpecError} there are fewer
 */
export function gpusOfRuns(
  asked: number | undefined,
  count: number,
  environment: Readonly<Record<string, string>>,
): string[][] {
  const gpus = visibleGpus(count, environment);
  const size = asked ?? Math.min(1, gpus.length);
  if (size === 0) return [];
  const isCut = size > 1 && count < gpus.length; // MIG instances: a process sees one
  const most = isCut ? 1 : gpus.length;
  if (size > most) {
    throw new SpecError({
      place: "options.gpus",
      expected: `at most ${most}, ${isCut ? "as a process sees one MIG instance" : "as many as PyTorch sees on this machine"}`,
      got: `${size}`,
      remedy: "Give fewer, look at CUDA_VISIBLE_DEVICES and mixtune doctor, or use a machine with more.",
    });
  }
  return gpuGroups(gpus, size);
}
