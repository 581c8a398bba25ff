/** @file mixtune predict MODEL: answers new rows; rows that are in the output already are not done again. */

import type { Command } from "commander";
import { type PredictOptions, predict } from "../../app/predict/predict.ts";
import { count } from "../../base/human-numbers.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE, EXIT_INTERRUPTED } from "../exit.ts";
import { wholeNumber } from "../options/numbers.ts";

const HELP = `
Each row of the output is a row of the input and
  answer         the likeliest label; for other tasks the text that the model writes, greedily
  probability    probability of the label among the labels, or of the whole written answer
  parsed         value read from the answer (a number with its unit, spans, …); empty if it cannot be read
  probabilities  probability of each label; for tasks with labels only
  finish_reason  stop, or length if the answer was cut; for other tasks only
  problem        reason why the row has no answer; only if some row of the input has none, or one that is too long
No column of the input is overwritten. If one has such a name, use --prefix.
The output grows row by row. Stop at any time and run the same command again to resume. Parquet is written when all
rows are done; until then they are in OUT.partial.jsonl. OUT.made-by.json records the model, prompt and labels; answers
of another model, prompt or set of labels are not resumed. In .csv and .tsv, objects are JSON, and text that a spreadsheet
would run as a formula has an apostrophe in front.

Example: mixtune predict studies/demo:all --task our-tickets --input new.csv --out answers.jsonl`;

export function addPredict(command: Command, act: Act): void {
  command
    .optionsGroup("Data:")
    .option("--task <name>", "task whose prompt and kind of answer are used")
    .requiredOption("--input <file>", "file of rows: .jsonl, .json, .csv, .tsv, also .gz, or .parquet")
    .option("--study <file>", "study file that describes the task (default: the run's study, else the catalogue)")
    .optionsGroup("Output:")
    .requiredOption("--out <file>", "file for the rows with their answers: .jsonl, .csv, .tsv or .parquet")
    .option("--prefix <text>", "prefix of the names of the added columns", "")
    .option(
      "--max-new-tokens <n>",
      "maximum tokens per generated answer (default: slightly above the longest training answer, else 512, or 256 for a number)",
      wholeNumber(1, 2 ** 24),
    )
    .addHelpText("after", HELP)
    .action((model: string, options: PredictOptions) =>
      act(async (context) => {
        const { out, total, done, before } = await predict(model, context, options);
        const earlier = before > 0 ? `, ${count(before)} of them from an earlier call` : "";
        context.result({ out, rows: done, before }, `${count(done)} of ${count(total)} rows are in ${out}${earlier}.`);
        return done === total ? EXIT_DONE : EXIT_INTERRUPTED;
      }),
    );
}
