/** @file mixtune train RUN.yaml: one mixture, one model. */

import type { Command } from "commander";
import type { Act } from "../act.ts";
import { BASELINE_OPTIONS, type HostedFlags } from "../hosted-options.ts";
import { prepareStudy } from "../prepare-study.ts";
import { readTrainFile } from "../read-study.ts";
import { runStudy } from "../run-study.ts";
import { assignmentsOf } from "../words.ts";

export function addTrain(program: Command, act: Act): void {
  const command = program
    .command("train <file> [key=value...]")
    .description("one mixture, one model: the short way when no study is wanted")
    .option("--out <dir>", "where results go (default studies/<name>)")
    .addHelpText("after", "\nExample: mixtune train run.yaml seed=2")
    .action((file: string, words: string[], { out, ...hosted }: { out?: string } & HostedFlags) =>
      act(async (context) =>
        runStudy(await prepareStudy(readTrainFile(file, assignmentsOf(words)), out, context, hosted), context),
      ),
    );
  for (const [flags, meaning] of BASELINE_OPTIONS) command.option(flags, meaning);
}
