/** @file Which GPUs of this machine each run has. */

import { SpecError } from "../base/errors.ts";
import type { PlannedRun } from "../study/types.ts";
import { gpuGroups, visibleGpus } from "../workers/gpus.ts";

/**
 * Refuses what is not done on several GPUs.
 * @param size  GPUs of a run
 * @throws {SpecError} frozen layers in 4 bits
 */
export function refuseDivided(size: number, plan: readonly Pick<PlannedRun, "spec">[]): void {
  if (size < 2 || !plan.some(({ spec }) => spec.train.load_in_4bit === true)) return;
  throw new SpecError({
    place: "train.load_in_4bit",
    expected: `false, with --gpus ${size}`,
    got: "true",
    remedy: "Take --gpus 1: in 4 bits a model of 70 billion weights is 40 GB. Or leave 4 bits out.",
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
      place: "--gpus",
      expected: `at most ${most}, ${isCut ? "as a process sees one MIG instance" : "as many as PyTorch sees on this machine"}`,
      got: `${size}`,
      remedy: "Give fewer, look at CUDA_VISIBLE_DEVICES and mixtune doctor, or use a machine with more.",
    });
  }
  return gpuGroups(gpus, size);
}
