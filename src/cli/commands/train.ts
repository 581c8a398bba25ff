/** @file mixtune train RUN.yaml: one mixture, one model. */

import type { Command } from "commander";
import { openRay } from "../../app/study/open-ray.ts";
import { planStudy } from "../../app/study/plan-study.ts";
import { readTrainFile } from "../../app/study/read-study.ts";
import type { Act } from "../act.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { addStudyOptions, type StudyFlags, studyOptionsOf } from "../options/study.ts";
import { runAndReport } from "../run-and-report.ts";

export function addTrain(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .option("--out <dir>", "directory for the results (default: studies/<name> beside the file)")
    .addHelpText("after", "\nExample: mixtune train run.yaml seed=2")
    .action((file: string, words: string[], flags: StudyFlags) =>
      act(async (context) => {
        const input = readTrainFile(file, assignmentsOf(words));
        const options = studyOptionsOf(flags);
        const ray = await openRay(options, input.study.name, context);
        return runAndReport(await planStudy(input, context, options), context, { ray });
      }),
    );
  addStudyOptions(command);
}
