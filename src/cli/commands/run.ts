/** @file mixtune run STUDY: does what is not done yet. */

import type { Command } from "commander";
import { openRay } from "../../app/study/open-ray.ts";
import { planStudy } from "../../app/study/plan-study.ts";
import type { Act } from "../act.ts";
import { studyOf } from "../options/assignments.ts";
import { wholeNumber } from "../options/numbers.ts";
import { addStudyOptions, type StudyFlags, studyOptionsOf } from "../options/study.ts";
import { runAndReport } from "../run-and-report.ts";

export function addRun(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .option("--out <dir>", "directory for the results (default: studies/<name> beside the file)")
    .optionsGroup("Training:")
    .option(
      "--concurrency <n>",
      "number of runs at a time (default: as many as cores and memory, or GPUs, allow)",
      wholeNumber(1, 64),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mixtune run study.yaml train.learning_rate=1e-4\n  mixtune run study.yaml --worker torch --gpus 2",
    )
    .action(
      (study: string | undefined, words: string[], { concurrency, ...flags }: StudyFlags & { concurrency?: number }) =>
        act(async (context) => {
          const input = studyOf(study, words);
          const options = studyOptionsOf(flags);
          const ray = await openRay(options, input.study.name, context);
          return runAndReport(await planStudy(input, context, options), context, { concurrency, ray });
        }),
    );
  addStudyOptions(command);
}
