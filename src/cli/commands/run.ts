/** @file mixtune run STUDY: trains and evaluates all that is not done yet. */

import type { Command } from "commander";
import type { Act } from "../act.ts";
import { prepareStudy } from "../prepare-study.ts";
import { readStudy } from "../read-study.ts";
import { runStudy } from "../run-study.ts";
import { assignmentsOf } from "../words.ts";

export function addRun(program: Command, act: Act): void {
  program
    .command("run <study> [key=value...]")
    .description("train and evaluate all that is not done yet; may be killed and started again at any time")
    .option("--out <dir>", "where results go (default studies/<name>)")
    .addHelpText("after", "\nExample: mixtune run study.yaml train.learning_rate=1e-4")
    .action((study: string, words: string[], options: { out?: string }) =>
      act(async (context) =>
        runStudy(await prepareStudy(readStudy(study, assignmentsOf(words)), options.out, context), context),
      ),
    );
}
