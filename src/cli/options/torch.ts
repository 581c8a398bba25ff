/** @file The options of commands that train with PyTorch, here or on a cluster. No result follows from them. */

import type { Command } from "commander";
import type { TorchOptions } from "../../app/study/worker-kind.ts";
import { wholeNumber } from "./numbers.ts";

/** As commander reads them. */
export interface TorchFlags {
  gpus?: number;
  compile?: true;
}

/** Adds them. */
export function addTorchOptions(command: Command): void {
  command
    .option(
      "--gpus <n>",
      "with --worker torch or ray: GPUs of one run (default 1 where there are any; 0: the processor)",
      wholeNumber(0, 64),
    )
    .option("--compile", "with --worker torch or ray: compile the model first, minutes for faster steps on a GPU");
}

export function torchOptionsOf({ gpus, compile }: TorchFlags): TorchOptions {
  return { gpus, compile };
}
