/** @file Answers new rows into a file; rows that the file holds already are not answered again. */

import { resolve } from "node:path";
import { attempt } from "../../base/attempt.ts";
import { DataError, SpecError } from "../../base/errors.ts";
import { count } from "../../base/human-numbers.ts";
import type { NoAnswer } from "../../data/answers.ts";
import { askedTask, type Question } from "../../data/asked-task.ts";
import type { PromptTemplate } from "../../data/tokens/chat-template.ts";
import { UnreadableValue } from "../../formats/row.ts";
import { readAllRows } from "../../formats/row-file.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { findStudyLock, type StudyLock, studyAround } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { isStudy, isStudyName, sideNamed } from "../../study/sides.ts";
import { modelRef, openModelFiles } from "../models/model-files.ts";
import { runOfStudy } from "../models/run-of-study.ts";
import { readStudy } from "../study/read-study.ts";
import { taskNamed } from "../tasks/named-task.ts";
import type { Workspace } from "../workspace.ts";
import { type AnswerFile, columnsOf, openAnswerFile } from "./answer-file.ts";
import { longestTrainingAnswer } from "./longest-answer.ts";
import { claimOutput, madeBy } from "./made-by.ts";
import { type Answerer, type Asked, openAnswerer, questionReader } from "./open-answerer.ts";
import { addedColumns, refuseTaken, unanswered } from "./predicted.ts";

export interface PredictOptions {
  /** The task whose prompt and kind of answer are used. Absent: the error names those that there are. */
  task?: string | undefined;
  /** Rows: .jsonl, .json, .csv, .tsv, also .gz, or .parquet. */
  input: string;
  /** The rows with their answers: .jsonl, .csv, .tsv or .parquet. */
  out: string;
  /** Study file that describes the task. Default: the run's study, else the catalogue. */
  study?: string | undefined;
  /** Most tokens of a written answer. Default: slightly above the longest training answer, else 512, or 256 for a number. */
  maxNewTokens?: number | undefined;
  /** Stands in front of the names of the added columns; default none. */
  prefix?: string | undefined;
}

/** How far a call of {@link predict} came. */
export interface Predictions {
  /** The file with the answers: while a Parquet file is not complete, OUT.partial.jsonl. */
  out: string;
  /** Rows of the input. */
  total: number;
  /** Rows with answers. */
  done: number;
  /** Rows that an earlier call had answered. */
  before: number;
}

/**
 * Answers new rows. The signal of the workspace stops it between batches; the same call resumes it.
 *
 * @param word  STUDY_DIR, STUDY_DIR:MIXTURE or STUDY_DIR:MIXTURE@SEED, a run's directory, one of its checkpoints, a folder in Hugging Face's layout, org/name of the hub or mixtune/tiny
 * @throws {SpecError} an unknown task, `maxNewTokens` for a task with labels, a run that is not done, another ending of `out`
 * A small record beside `out` (`OUT.made-by.json`) says which model, prompt and labels made the answers.
 *
 * @throws {SpecError} an `out` that holds answers of another model, prompt or set of labels
 * @throws {DataError} an input without rows or without any prompt, an output of other rows
 */
export async function predict(word: string, workspace: Workspace, options: PredictOptions): Promise<Predictions> {
  const { task: name, input, out, prefix = "", maxNewTokens } = options;
  if (name === undefined) throw noTask(word, options);
  const model = runOfStudy(word, workspace, name);
  const ref = await modelRef(model, workspace);
  const { spec, dataRoot } = describedTask(model, name, options);
  const task = askedTask(spec);
  if (task.answer.kind === "label" && maxNewTokens !== undefined) throw nothingWritten(name);
  const lines = await readAllRows(resolve(input), { quotes: spec.data?.quotes });
  if (lines.length === 0) throw noRows(input);
  const questions = lines.map(({ line, fields }) => task.question(fields, `${input}:${line}`));
  const rows = withoutUnreadable(lines, input, workspace);
  const opened = await openModelFiles(ref, workspace);
  const read = questionReader(opened, task.answer);
  const asked = questions.map((one) => (isProblem(one) ? one : read(one)));
  const place = `${input}:${lines[0]!.line}`;
  if (questions.every(isProblem)) throw noPrompts(name, place, lines[0]!.fields, questions[0] as NoAnswer);
  if (asked.every(isProblem)) throw tooLongAll(place, asked[0] as NoAnswer);
  sayUnanswered(questions, asked, input, workspace);
  const added = addedColumns(task.answer, prefix, asked.some(isProblem));
  refuseTaken(added, columnsOf(rows), input);
  const file = await openAnswerFile(out, { rows, added });
  claimOutput(out, madeBy(opened, spec, maxNewTokens), file.numDone);
  let done = file.numDone;
  if (done < rows.length) {
    const newTokens = async (template: PromptTemplate) => {
      if (maxNewTokens !== undefined) return maxNewTokens;
      const root = dataRoot ?? workspace.settings.dataRoot;
      const most = await longestTrainingAnswer(spec, task.answer.kind, template, root);
      workspace.note(`Answers may have ${count(most)} tokens (options.maxNewTokens).`);
      return most;
    };
    const answerer = await openAnswerer(opened, task.answer, newTokens, workspace);
    try {
      done = await answerRest(answerer, asked, file, name, workspace);
    } finally {
      await answerer.close();
    }
  }
  const isDone = done === rows.length;
  if (isDone) file.finish();
  const where = isDone || !/\.parquet$/i.test(out) ? out : `${out}.partial.jsonl`;
  return { out: where, total: rows.length, done, before: file.numDone };
}

/** The fields of the rows, null where a column cannot be read: no row is lost for a column that the task may not use. */
function withoutUnreadable(
  lines: readonly { fields: Readonly<Record<string, unknown>> }[],
  input: string,
  workspace: Workspace,
): Readonly<Record<string, unknown>>[] {
  const reasons = new Map<string, string>();
  const rows = lines.map(({ fields }) => {
    const unreadable = Object.entries(fields).filter(([, value]) => value instanceof UnreadableValue);
    for (const [name, value] of unreadable) reasons.set(name, (value as UnreadableValue).reason);
    return unreadable.length === 0
      ? fields
      : { ...fields, ...Object.fromEntries(unreadable.map(([name]) => [name, null])) };
  });
  for (const [name, reason] of reasons)
    workspace.note(`${input}: the column ${name} cannot be read (${reason}): it is empty in the output.`);
  return rows;
}

/**
 * Answers the rows that are missing, unless it is told to stop. Batches begin where they do without interruption: a row's answer depends on the
 * rows beside it in the last bits of rounding.
 * @returns rows that are done
 */
async function answerRest(
  { batch, answer }: Answerer,
  questions: readonly (Asked | NoAnswer)[],
  file: AnswerFile,
  label: string,
  workspace: Workspace,
): Promise<number> {
  const first = file.numDone - (file.numDone % batch);
  let numDone = file.numDone;
  for (let from = first; from < questions.length && !workspace.signal.aborted; from += batch) {
    const rows = questions.slice(from, from + batch);
    const prompts = rows.flatMap((one) => (isProblem(one) ? [] : [one.whole]));
    const show = (done: number) =>
      workspace.progress({
        ...{ id: "predict", label, index: 1, pieces: 1 },
        ...{ phase: "eval", done: from + done, total: questions.length, unit: "examples" },
      });
    const written = prompts.length === 0 ? [] : await answer(prompts, show);
    if (written === null) break;
    const next = written.values();
    const answers = rows.map((one) => (isProblem(one) ? unanswered(one.problem) : next.next().value!));
    file.add(answers.slice(numDone - from));
    numDone = from + rows.length;
    show(rows.length);
  }
  return numDone;
}

/** Says how many rows will have no answer, and why. */
function sayUnanswered(
  questions: readonly (Question | NoAnswer)[],
  asked: readonly (Asked | NoAnswer)[],
  input: string,
  { note }: Workspace,
): void {
  const total = count(questions.length);
  const rest = "their answers are empty, and the column problem says why";
  const numWithout = questions.filter(isProblem).length;
  if (numWithout > 0) note(`${count(numWithout)} of ${total} rows have no prompt: ${rest}.`);
  const numUnread = asked.filter(isProblem).length - numWithout;
  if (numUnread > 0) note(`${input}: ${count(numUnread)} of ${total} prompts cannot be read by the model: ${rest}.`);
  const numShortened = asked.filter((one) => !isProblem(one) && one.tokensLost > 0).length;
  if (numShortened > 0) note(`${count(numShortened)} prompts are shortened, as the task's fit declares.`);
}

function describedTask(
  model: string,
  task: string,
  { study }: PredictOptions,
): { spec: TaskSpec; dataRoot: string | undefined } {
  const described = study !== undefined ? readStudy(study, []).study : findStudyLock(resolve(model, "..", ".."))?.study;
  return { spec: taskNamed(task, described && ingredientTasks(described)), dataRoot: described?.data_root };
}

/** Without a task: those of the study that the model or the options name. */
function noTask(word: string, { study }: PredictOptions): SpecError {
  const lock = () => (isStudyName(word) && !isStudy(word) ? sideNamed(word).study?.lock : lockAround(word));
  const described = study === undefined ? lock()?.study : readStudy(study, []).study;
  const tasks = Object.values(described === undefined ? {} : ingredientTasks(described));
  const names = tasks.filter((task) => attempt(() => askedTask(task)) !== undefined).map(({ name }) => name);
  return new SpecError({
    place: "options.task",
    expected: names.length === 0 ? "a task of the catalogue, or of options.study FILE" : `one of ${names.join(", ")}`,
    got: "none",
    remedy:
      names.length === 0
        ? "mixtune tasks list prints the catalogue."
        : "Name the task whose prompt the rows are asked with.",
  });
}

function lockAround(folder: string): StudyLock | undefined {
  const dir = studyAround(resolve(folder));
  return dir === undefined ? undefined : findStudyLock(dir);
}

function nothingWritten(task: string): SpecError {
  return new SpecError({
    place: "options.maxNewTokens",
    expected: "a task whose answers are written",
    got: `${task}, whose answers are labels`,
    remedy: "Leave it out: one of the labels is picked.",
  });
}

function isProblem(one: object): one is NoAnswer {
  return "problem" in one;
}

function noPrompts(task: string, place: string, fields: object, { problem }: NoAnswer): DataError {
  return new DataError({
    place,
    expected: `the fields of ${task}'s prompt`,
    got: problem,
    remedy: `No row has them. Check that this is the right file; the row has ${Object.keys(fields).join(", ") || "no fields"}.`,
  });
}

function tooLongAll(place: string, { problem }: NoAnswer): DataError {
  return new DataError({
    place,
    expected: "a row with a prompt that the model can read",
    got: problem,
    remedy:
      "No row has one. Shorten the rows, declare a fit for the task, or use a model that was trained with a larger train.cutoff_len.",
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
