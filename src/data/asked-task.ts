/** @file New rows, that have no answer yet, as questions of a task. */

import { SpecError } from "../base/errors.ts";
import type { AnswerSpec, TaskSpec } from "../specs/types.ts";
import type { NoAnswer } from "./answers.ts";
import { CATALOGUE } from "./catalogue.ts";
import { rowPrompt } from "./own/row-prompt.ts";
import { questionIn } from "./own/shapes.ts";
import type { Example } from "./types.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Answers that a model can be asked for. */
export type AskedAnswer = Exclude<AnswerSpec, { kind: "document" }>;

/** A row as it is asked. The id is its place in the file. */
export type Question = Pick<Example, "id" | "prompt" | "turns" | "fit">;

/** A task without its data. */
export interface AskedTask {
  answer: AskedAnswer;
  /** The question of a row, or in words why it has none: a field of the prompt is missing or empty. */
  question(fields: Fields, place: string): Question | NoAnswer;
}

/**
 * The answers of a task and how a row without one becomes its prompt: the task's own prompt, or as the shape of the task's files has it, or for a
 * catalogue task the row's field `prompt`, worded as `mixtune tasks show` prints it.
 * @throws {SpecError} documents, which have no answer
 */
export function askedTask(spec: TaskSpec): AskedTask {
  const isShaped = spec.data !== undefined && spec.prompt === undefined;
  const answer = spec.answer ?? CATALOGUE[spec.catalogue ?? spec.name]?.answer ?? { kind: "text", field: "" };
  if (answer.kind === "document" || spec.texts_of !== undefined) {
    throw new SpecError({
      place: `task ${spec.name}`,
      expected: "a task with prompts and answers",
      got: "kind document",
      remedy: "Name another task: documents are trained on, there is nothing to ask.",
    });
  }
  const ask = isShaped ? questionIn : rowPrompt(spec.prompt ?? "{prompt}", spec.fit).write;
  return {
    answer,
    question: (fields, place) => {
      const asked = ask(fields);
      return "problem" in asked ? asked : { id: place, ...asked };
    },
  };
}
