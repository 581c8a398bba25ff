/** @file mixtune eval MODEL: scores a finished run or a model folder on tasks. */

import { type Command, Option } from "commander";
import { type EvaluateOptions, evaluate } from "../../app/evaluate/evaluate.ts";
import { panelsText } from "../../report/disagreement-text.ts";
import { scoresText } from "../../report/scores-text.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { addHostedOptions, addRequestConcurrency, type HostedFlags, hostedOptionsOf } from "../options/hosted.ts";
import { splitList, studyOrNames } from "../options/lists.ts";
import { wholeNumber } from "../options/numbers.ts";

interface EvalFlags extends HostedFlags, Pick<EvaluateOptions, "tasks" | "out" | "fewShot"> {
  split: ("dev" | "test")[];
}

export function addEval(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .option("--out <dir>", "directory for predictions and scores (default: the run's directory, else evals/<model>)")
    .optionsGroup("Data:")
    .option(
      "--tasks <list>",
      "study file, or names of catalogue tasks separated by commas (default: the run's study)",
      studyOrNames,
    )
    .addOption(
      new Option("--split <list>", "splits to score: dev, test or dev,test")
        .argParser(splitList)
        .default(["test"], "test"),
    )
    .option("--few-shot <k>", "number of training examples shown before each question", wholeNumber(0, 99), 0)
    .addHelpText(
      "after",
      "\nExamples:\n  mixtune eval mixtune/tiny --tasks study.yaml --split dev,test\n  mixtune eval openai:NAME --tasks fpb --allow-hosted",
    )
    .action((model: string, flags: EvalFlags) =>
      act(async (context) => {
        const { tasks, out, fewShot, split: splits } = flags;
        const options = { tasks, splits, out, fewShot, hosted: hostedOptionsOf(flags) };
        const found = await evaluate(model, context, options);
        context.result(
          { dir: found.dir, ...found.scores, panels: found.disagreements },
          `${scoresText(found.scores, found.tasks)}${panelsText(found.disagreements)}\n\nPredictions and scores are in ${found.dir}.`,
        );
        return EXIT_DONE;
      }),
    );
  addRequestConcurrency(addHostedOptions(command));
}
