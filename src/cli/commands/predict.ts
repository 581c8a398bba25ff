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
  probability    of the label among the labels; of a written answer as a whole
  parsed         what was read from the answer (a number with its unit, spans, …); empty where it is none of its kind
  probabilities  labels: of each label
  finish_reason  other tasks: stop, or length where the answer was cut
No column of the input is written over: where one has such a name, give --prefix.
The output grows row by row and may be stopped at any moment: the same command goes on. Parquet is written when all
rows are done; until then they are in OUT.partial.jsonl. In .csv and .tsv, objects are JSON, and text that a spreadsheet
would run as a formula has an apostrophe in front.

Example: mixtune predict studies/demo/runs/<id> --task our-tickets --input new.csv --out answers.jsonl`;

export function addPredict(program: Command, act: Act): void {
  program
    .command("predict <model>")
    .description("answer new rows: answer, probability and parsed value of each; may be stopped and started again")
    .requiredOption("--task <name>", "whose prompt and kind of answer to use")
    .requiredOption("--input <file>", "rows: .jsonl, .json, .csv, .tsv, also .gz, or .parquet")
    .requiredOption("--out <file>", "rows with their answers: .jsonl, .csv, .tsv or .parquet")
    .option("--study <file>", "where the task is described (default: the run's own study)")
    .option(
      "--max-new-tokens <number>",
      "of a written answer (default: a few more than the longest training answer; 512, or 256 for a number, where that is not at hand)",
      wholeNumber(1, 2 ** 24),
    )
    .option("--prefix <text>", "in front of the names of the added columns", "")
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
