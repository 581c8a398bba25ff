/** @file Mathematical problems with one result: asked for alone, or at the end of the worked solution. */

import { RESULT_MARK } from "../../base/result-mark.ts";
import { answerOf } from "../answers.ts";
import { groupOfText } from "../splits/splits.ts";
import { damaged } from "./damaged.ts";
import type { TaskDefinition } from "./definition.ts";

export interface Problem {
  question: string;
  /** The result alone. */
  answer: string;
  /** The way to it, where that is to be written too. */
  solution?: string;
}

/** Variants of tasks whose source has worked solutions. */
export const SOLUTION_VARIANTS = {
  answer: "the result alone",
  reasoning: "the source's worked solution, then the result",
};

/** What tasks of such problems share. */
export const PROBLEMS = {
  prompts: {
    plain: ({ question, solution }) =>
      solution === undefined
        ? `Solve this problem. Answer with the result alone.\n${question}`
        : `Solve this problem step by step, then give the result.\n${question}`,
    bare: ({ question }) => question,
  },
  example: ({ question, answer, solution }) => ({
    answer: solution === undefined ? answer : withResult(solution, answer),
    group: groupOfText(question),
    text: question,
  }),
} satisfies Pick<TaskDefinition<Problem>, "prompts" | "example">;

/** A way of thinking, and on a line of its own the marked result that a scorer reads. */
export function withResult(solution: string, result: string): string {
  return `${solution}\n${RESULT_MARK}${result}`;
}

/** The problem in one of the {@link SOLUTION_VARIANTS}. */
export function inVariant(variant: string, problem: Required<Problem>): Problem {
  const { solution, ...alone } = problem;
  return variant === "reasoning" ? { ...alone, solution } : alone;
}

/** A number's shortest text. @throws {DataError} no number */
export function numberText(value: unknown, place: string): string {
  const number = Number(String(answerOf({ kind: "number", field: "answer" }, value)));
  if (!Number.isNaN(number)) return String(number === 0 ? 0 : number);
  throw damaged(place, "a number as answer", String(value));
}
