/** @file mixtune init: writes a commented study.yaml that runs as it is; asks a few questions where somebody can answer. */

import { join } from "node:path";
import { type Command, Option } from "commander";
import { PRESETS } from "../../app/study/first-questions.ts";
import { type FirstStudyOptions, writeFirstStudy } from "../../app/study/first-study.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { askOnTerminal } from "../screen/ask.ts";
import { firstStudyText } from "../screen/first-study-text.ts";

interface InitFlags extends Pick<FirstStudyOptions, "data" | "model" | "answer" | "preset"> {
  yes?: boolean;
}

export function addInit(command: Command, act: Act): void {
  command
    .optionsGroup("Data:")
    .option("--data <files...>", "files with your data: columns, labels, prompt and splits are proposed from them")
    .option("--answer <column>", "column that holds the answer (default: by the names and values of the columns)")
    .optionsGroup("Training:")
    .option(
      "--model <name>",
      "base model: mixtune/tiny, a folder, or org/name of the Hugging Face hub (default: mixtune/tiny)",
    )
    .addOption(
      new Option("--preset <name>", "number of mixtures and seeds to train (default: normal)").choices(PRESETS),
    )
    .option("--yes", "ask no questions: take the defaults, as where there is no terminal")
    .addHelpText(
      "after",
      "\nExamples:\n  mixtune init tickets --data tickets-train.csv tickets-test.csv\n  mixtune init tickets --data tickets.csv --model ./SmolLM2-135M-Instruct --yes",
    )
    .action((dir: string | undefined, { yes = false, ...options }: InitFlags) =>
      act(async (context) => {
        const ask = yes || !canAsk(context) ? undefined : terminalAsk(context);
        const written = await writeFirstStudy(dir ?? ".", context, { ...options, ask });
        context.result(written, firstStudyText(written, dir === undefined ? "study.yaml" : join(dir, "study.yaml")));
        return EXIT_DONE;
      }),
    );
}

/** A person at a terminal, and no script that reads the result. */
function canAsk({ options, settings }: Context): boolean {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true && process.stderr.isTTY === true;
  return isTerminal && !settings.isCi && options.json !== true && options.quiet !== true;
}

function terminalAsk({ signal }: Context): NonNullable<FirstStudyOptions["ask"]> {
  return (question) => askOnTerminal(question, { input: process.stdin, output: process.stderr }, signal);
}
