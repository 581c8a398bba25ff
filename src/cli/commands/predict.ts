/** @file mixtune predict MODEL: answers new rows; rows that are in the output already are not done again. */

import { resolve } from "node:path";
import type { Command } from "commander";
import { modelRef } from "../../app/models/model-files.ts";
import { type AnswerFile, columnsOf, openAnswerFile } from "../../app/predict/answer-file.ts";
import { type Answerer, openAnswerer } from "../../app/predict/open-answerer.ts";
import { addedColumns, refuseTaken } from "../../app/predict/predicted.ts";
import { readStudy } from "../../app/study/read-study.ts";
import { taskNamed } from "../../app/tasks/named-task.ts";
import { DataError, SpecError } from "../../base/errors.ts";
import { count } from "../../base/human-numbers.ts";
import { askedTask, type Question } from "../../data/asked-task.ts";
import type { PromptTemplate } from "../../data/tokens/chat-template.ts";
import { readAllRows } from "../../formats/row-file.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { findStudyLock } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE, EXIT_INTERRUPTED } from "../exit.ts";
import { longestTrainingAnswer } from "../longest-answer.ts";
import { wholeNumber } from "../options/numbers.ts";

interface PredictOptions {
  task: string;
  input: string;
  out: string;
  study?: string;
  maxNewTokens?: number;
  prefix: string;
}

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
    .action((model: string, options: PredictOptions) => act((context) => predict(model, options, context)));
}

async function predict(model: string, options: PredictOptions, context: Context): Promise<number> {
  const { input, out, prefix, maxNewTokens } = options;
  const ref = await modelRef(model, context);
  const { spec, dataRoot } = describedTask(model, options);
  const task = askedTask(spec);
  if (task.answer.kind === "label" && maxNewTokens !== undefined) throw nothingWritten(options.task);
  const lines = await readAllRows(resolve(input));
  if (lines.length === 0) throw noRows(input);
  const questions = lines.map(({ line, fields }) => task.question(fields, `${input}:${line}`));
  const rows = lines.map(({ fields }) => fields);
  const added = addedColumns(task.answer, prefix);
  refuseTaken(added, columnsOf(rows), input);
  const file = await openAnswerFile(out, { rows, added });
  let numDone = file.numDone;
  if (numDone < rows.length) {
    const newTokens = async (template: PromptTemplate) => {
      if (maxNewTokens !== undefined) return maxNewTokens;
      const root = dataRoot ?? context.settings.dataRoot;
      const most = await longestTrainingAnswer(spec, task.answer.kind, template, root);
      context.note(`Answers may have ${count(most)} tokens (--max-new-tokens).`);
      return most;
    };
    const answerer = await openAnswerer(ref, task.answer, newTokens, context);
    try {
      numDone = await answerRest(answerer, questions, file, options.task, context);
    } finally {
      await answerer.close();
    }
  }
  const isDone = numDone === rows.length;
  if (isDone) file.finish();
  const earlier = file.numDone > 0 ? `, ${count(file.numDone)} of them from an earlier call` : "";
  const where = isDone || !/\.parquet$/i.test(out) ? out : `${out}.partial.jsonl`;
  context.result(
    { out: where, rows: numDone, before: file.numDone },
    `${count(numDone)} of ${count(rows.length)} rows are in ${where}${earlier}.`,
  );
  return isDone ? EXIT_DONE : EXIT_INTERRUPTED;
}

/**
 * Answers the rows that are missing, unless it is told to stop. Batches begin where they do without interruption: a row's answer depends on the
 * rows beside it in the last bits of rounding.
 * @returns rows that are done
 */
async function answerRest(
  { batch, tokenize, answer }: Answerer,
  questions: readonly Question[],
  file: AnswerFile,
  label: string,
  context: Context,
): Promise<number> {
  const first = file.numDone - (file.numDone % batch);
  const tokenized = questions.slice(first).map(tokenize);
  const numShortened = tokenized.filter(({ tokensLost }) => tokensLost > 0).length;
  if (numShortened > 0) context.note(`${count(numShortened)} prompts are shortened, as the task's fit declares.`);
  let numDone = file.numDone;
  for (let from = first; from < questions.length && !context.signal.aborted; from += batch) {
    const prompts = tokenized.slice(from - first, from - first + batch).map(({ whole }) => whole);
    const show = (done: number) =>
      context.progress({
        ...{ id: "predict", label, index: 1, pieces: 1 },
        ...{ phase: "eval", done: from + done, total: questions.length, unit: "examples" },
      });
    const answers = await answer(prompts, show);
    if (answers === null) break;
    file.add(answers.slice(numDone - from));
    numDone = from + prompts.length;
    show(prompts.length);
  }
  return numDone;
}

function describedTask(
  model: string,
  { task, study }: PredictOptions,
): { spec: TaskSpec; dataRoot: string | undefined } {
  const described = study !== undefined ? readStudy(study, []).study : findStudyLock(resolve(model, "..", ".."))?.study;
  return { spec: taskNamed(task, described && ingredientTasks(described)), dataRoot: described?.data_root };
}

function nothingWritten(task: string): SpecError {
  return new SpecError({
    place: "--max-new-tokens",
    expected: "a task whose answers are written",
    got: `${task}, whose answers are labels`,
    remedy: "Leave it out: one of the labels is picked.",
  });
}

function noRows(input: string): DataError {
  return new DataError({
    place: input,
    expected: "at least one row",
    got: "none",
    remedy: "Check that this is the right file.",
  });
}
