/** @file The options of those that train with PyTorch, here or on a cluster: what of a machine a run has. No result follows from them. */

import type { Command } from "commander";
import { SpecError } from "../../base/errors.ts";
import type { StudyFlags } from "./study.ts";

/** As they come from the command line. */
export interface TorchFlags extends Pick<StudyFlags, "worker"> {
  gpus?: string;
  compile?: true;
}

export interface TorchOptions {
  /** GPUs of one run; undefined: one, where there are any. */
  gpus: number | undefined;
  /** Whether packs go through compiled blocks. */
  compile: boolean;
}

/** Adds them. */
export function addTorchOptions(command: Command): void {
  command
    .option(
      "--gpus <n>",
      "with --worker torch or ray: GPUs of one run (default 1 where there are any; 0: the processor)",
    )
    .option("--compile", "with --worker torch or ray: compile the model first, minutes for faster steps on a GPU");
}

/** @throws {SpecError} no such number, or another worker, which has no use for it */
export function torchOptionsOf({ worker = "local", gpus, compile }: TorchFlags): TorchOptions {
  const asked = { "--gpus": gpus, "--compile": compile };
  const [flag] = Object.entries(asked).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (flag !== undefined && worker !== "torch" && worker !== "ray") {
    throw new SpecError({
      place: flag,
      expected: "--worker torch or --worker ray beside it",
      got: `--worker ${worker}`,
      remedy: "Add one of them, or leave it out: the embedded engine computes on the processor.",
    });
  }
  return { gpus: gpus === undefined ? undefined : numGpus(gpus), compile: compile === true };
}

function numGpus(text: string): number {
  if (/^(\d|[1-5]\d|6[0-4])$/.test(text)) return Number(text);
  throw new SpecError({
    place: "--gpus",
    expected: "a whole number from 0 to 64",
    got: text,
    remedy: "Leave it out: a run has one GPU, where there are any.",
  });
}
