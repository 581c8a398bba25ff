/** @file Multiple choice in the prompted form of the LLM-Adapters repository: question and numbered options in one text, the answer as `answer2`. */

import { damaged } from "./damaged.ts";
import { type JsonObject, textField } from "./json-rows.ts";
import { type Choice, checkedChoice, LETTERS } from "./multiple-choice.ts";

const CHOICE = /^Please choose the correct answer to the question: (.*)\n\n(Answer1: .*)\n\nAnswer format: [\w/]+$/s;

/** @throws {DataError} a row of another form */
export function adaptersChoice(row: JsonObject, place: string): Choice {
  const [, question, options] = CHOICE.exec(textField(row, "instruction", place)) ?? [];
  const answer = /^answer([1-5])$/.exec(textField(row, "answer", place))?.[1];
  if (question === undefined || options === undefined || answer === undefined) {
    throw damaged(place, "a question with options named Answer1, Answer2, …", String(row.instruction).slice(-60));
  }
  return checkedChoice(
    { question: question.trim(), options: splitOptions(options), answer: LETTERS[Number(answer) - 1] as string },
    place,
  );
}

/** `Answer1: ice Answer2: steam` as its texts; a name out of turn belongs to the text. */
function splitOptions(text: string): string[] {
  const options: string[] = [];
  let rest = text.slice("Answer1: ".length);
  for (let next = 2; ; next++) {
    const at = rest.indexOf(` Answer${next}: `);
    if (at < 0) return [...options, rest.trim()];
    options.push(rest.slice(0, at).trim());
    rest = rest.slice(at + ` Answer${next}: `.length);
  }
}
