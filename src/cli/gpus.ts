/** @file --gpus: how many GPUs a run has, of those of this machine or of a cluster. */

import type { Command } from "commander";
import { SpecError } from "../base/errors.ts";
import type { PlannedRun } from "../study/types.ts";
import { gpuGroups, visibleGpus } from "../workers/gpus.ts";
import type { StudyFlags } from "./study-options.ts";

export interface GpuFlags extends Pick<StudyFlags, "worker"> {
  gpus?: string;
}

export function addGpuOption(command: Command): void {
  command.option(
    "--gpus <n>",
    "with --worker torch or ray: GPUs of one run (default 1 where there are any; 0: the processor)",
  );
}

/**
 * What was asked for; undefined: nothing was.
 * @throws {SpecError} no such number, or another worker, which has no use for it
 */
export function gpusOf({ worker = "local", gpus }: GpuFlags): number | undefined {
  if (gpus === undefined) return undefined;
  if (worker !== "torch" && worker !== "ray") {
    throw new SpecError({
      place: "--gpus",
      expected: "--worker torch or --worker ray beside it",
      got: `--worker ${worker}`,
      remedy: "Add one of them, or leave it out: the embedded engine computes on the processor.",
    });
  }
  if (/^(\d|[1-5]\d|6[0-4])$/.test(gpus)) return Number(gpus);
  throw new SpecError({
    place: "--gpus",
    expected: "a whole number from 0 to 64",
    got: gpus,
    remedy: "Leave it out: a run has one GPU, where there are any.",
  });
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
