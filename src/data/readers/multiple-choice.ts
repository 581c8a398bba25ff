/** @file Multiple choice: a question and its options as a prompt, answered by the letter of the right one. */

import { groupOfText } from "../splits/splits.ts";
import { damaged } from "./damaged.ts";
import type { TaskDefinition } from "./definition.ts";

export interface Choice {
  /** What the question is about; stands in front of it. */
  passage?: string;
  question: string;
  /** In the order of their letters. */
  options: readonly string[];
  /** The letter of the right option. */
  answer: string;
}

export const LETTERS: readonly string[] = ["A", "B", "C", "D", "E"];

/** The choice, if its answer is the letter of one of its options. @throws {DataError} */
export function checkedChoice(choice: Choice, place: string): Choice {
  const letters = LETTERS.slice(0, choice.options.length);
  const isWhole = choice.options.every((option) => option !== "") && choice.question !== "";
  if (isWhole && choice.options.length <= LETTERS.length && letters.includes(choice.answer)) return choice;
  throw damaged(
    place,
    `a question, 2 to ${LETTERS.length} options and the letter of one of them`,
    JSON.stringify([choice.question, choice.options, choice.answer]),
  );
}

/** What multiple-choice tasks share. The wording `harness` is laid out as evaluation harnesses do: Question, options, Answer. */
export const MULTIPLE_CHOICE = {
  prompts: {
    plain: (choice) => `Answer the question with the letter of the right option.\n${asked(choice)}`,
    harness: ({ passage, question, options }) =>
      `${passage === undefined ? "" : `Passage: ${passage}\n`}Question: ${question}\n${lettered(options)}\nAnswer:`,
  },
  example: (choice) => {
    const words = `${choice.question}\n${choice.options.join("\n")}`;
    return { answer: choice.answer, group: groupOfText(choice.passage ?? words), text: words };
  },
} satisfies Pick<TaskDefinition<Choice>, "prompts" | "example">;

/** The passage, the question and the lettered options, a line each. */
function asked({ passage, question, options }: Choice): string {
  return [...(passage === undefined ? [] : [passage]), question, lettered(options)].join("\n");
}

function lettered(options: readonly string[]): string {
  return options.map((option, i) => `${LETTERS[i]}. ${option}`).join("\n");
}
