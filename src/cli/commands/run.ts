/** @file mixtune run STUDY: does what is not done yet. */

import type { Command } from "commander";
import { planStudy } from "../../app/study/plan-study.ts";
import { readStudy } from "../../app/study/read-study.ts";
import type { Act } from "../act.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { wholeNumber } from "../options/numbers.ts";
import { addStudyOptions, type StudyFlags, studyOptionsOf } from "../options/study.ts";
import { runAndReport } from "../run-and-report.ts";

export function addRun(program: Command, act: Act): void {
  const command = program
    .command("run <study> [key=value...]")
    .description("train and evaluate all that is not done yet; may be killed and started again at any time")
    .option("--out <dir>", "where results go (default studies/<name>)")
    .option(
      "--concurrency <n>",
      "runs at a time (default as many as cores and memory, or GPUs, allow)",
      wholeNumber(1, 64),
    )
    .addHelpText("after", "\nExample: mixtune run study.yaml train.learning_rate=1e-4")
    .action((study: string, words: string[], { concurrency, ...flags }: StudyFlags & { concurrency?: number }) =>
      act(async (context) => {
        const input = readStudy(study, assignmentsOf(words));
        const planned = await planStudy(input, context, studyOptionsOf(flags));
        return runAndReport(planned, context, { concurrency });
      }),
    );
  addStudyOptions(command);
}
