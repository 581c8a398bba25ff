/** @file BoolQ: yes/no questions that people asked a search engine (Clark et al. 2019). */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, readJsonList, textField } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";
import { groupOfText } from "../splits/splits.ts";

interface YesNo {
  /** Holds the answer; absent in variant `closed`. */
  passage?: string;
  question: string;
  answer: string;
}

const TEST = "commonsense-mcq/boolq_test.json";
const ASKED =
  /^Please answer the following question with true or false, question: (.*)\n\nAnswer format: true\/false$/s;

export const boolq = defineTask<YesNo>({
  name: "boolq",
  title: "yes/no questions asked of a search engine",
  publication: "Clark et al. 2019, BoolQ; its validation split is the test, as the answers of its test are not public",
  licence: "ODC-By (LLM-Adapters data)",
  answer: { kind: "label", field: "answer", labels: ["no", "yes"] },
  metric: "accuracy",
  unit: "distinct question",
  isEvaluationOnly: true,
  published: { test: { no: 1237, yes: 2033 } },
  variants: {
    closed: "the question without its passage, as in the LLM-Adapters form: harder than BoolQ as published",
    passage: "with the passage that holds the answer, as published; from the hub only",
  },
  prompts: {
    plain: ({ passage, question }) =>
      `Answer the question with yes or no.\n${passage === undefined ? "" : `${passage}\n`}${question}`,
    harness: ({ passage, question }) =>
      `${passage === undefined ? "" : `${passage}\n`}Question: ${question}\nAnswer (yes or no):`,
  },
  example: ({ question, answer }) => ({ answer, group: groupOfText(question), text: question }),
  fit: { text: ({ passage }) => passage ?? "", keep: "start" },
  local: {
    files: [TEST],
    read(root, { variant, notes }) {
      const path = join(root, TEST);
      if (variant === "passage") {
        throw damaged(path, "passages", "questions alone", "Use variant closed, or read boolq from the hub.");
      }
      const test = asPublished(readJsonList(path), 3270, path).map(({ number, row, place }) => ({
        number,
        record: closedQuestion(row, place),
      }));
      notes.push(`boolq: ${test.length} questions of the published validation split, without their passages.`);
      return { test };
    },
  },
  hub: {
    id: "google/boolq",
    splits: { test: "validation" },
    columns: ["question", "passage", "answer"],
    seenIn: "huggingface/datasets datasets/boolq/boolq.py",
    records(row, place, { variant }) {
      if (typeof row.answer !== "boolean") throw damaged(place, "true or false in answer", String(row.answer));
      const question = asQuestion(textField(row, "question", place));
      const answer = row.answer ? "yes" : "no";
      return [{ question, answer, ...(variant === "passage" && { passage: textField(row, "passage", place) }) }];
    },
  },
});

function closedQuestion(row: JsonObject, place: string): YesNo {
  const question = ASKED.exec(textField(row, "instruction", place))?.[1];
  const answer = { true: "yes", false: "no" }[textField(row, "answer", place)];
  if (question === undefined || answer === undefined) {
    throw damaged(place, "a question with true or false", JSON.stringify([row.instruction, row.answer]).slice(-80));
  }
  return { question: asQuestion(question.trim()), answer };
}

/** The source has some questions without their mark. */
function asQuestion(text: string): string {
  return text.endsWith("?") ? text : `${text}?`;
}
