/** @file mixtune log DIR: the runs of a study for another tracker. */

import { type Command, Option } from "commander";
import { counted } from "../../base/human-numbers.ts";
import { type LogOptions, writeLogs } from "../../report/write-logs.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";

export function addLog(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .addOption(
      new Option("--to <format>", "form of the log: event files of TensorBoard, or JSON Lines with wandb's field names")
        .choices(["tensorboard", "jsonl"])
        .makeOptionMandatory(),
    )
    .option("--out <dir>", "directory for the log (default: exports in DIR)")
    .addHelpText("after", "\nExample: mixtune log studies/demo --to tensorboard")
    .action((dir: string, { to, out }: LogOptions) =>
      act((context) => {
        const onProblem = (message: string) => context.note(`left out: ${message}`);
        const { folder, runs } = writeLogs(dir, { to, out, onProblem });
        const open = to === "tensorboard" ? `: tensorboard --logdir ${folder}` : "";
        context.result({ folder, runs }, `${counted(runs, "run is", "runs are")} in ${folder}${open}`);
        return EXIT_DONE;
      }),
    );
}
