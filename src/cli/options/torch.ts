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
    .optionsGroup("PyTorch:")
    .option(
      "--gpus <n>",
      "number of GPUs for each run, with --worker torch or ray; 0 uses the processor (default: 1 if there are any)",
      wholeNumber(0, 64),
    )
    .option(
      "--compile",
      "compile the model first, with --worker torch or ray: takes minutes, makes steps on a GPU faster",
    );
}

export function torchOptionsOf({ gpus, compile }: TorchFlags): TorchOptions {
  return { gpus, compile };
}
