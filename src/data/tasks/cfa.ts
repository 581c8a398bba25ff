/** @file CFA: questions in the manner of the Chartered Financial Analyst exams, three options (flare-cfa of PIXIU / FinBen, 2023-24). */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, readJsonList, textField } from "../readers/json-rows.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "../readers/multiple-choice.ts";
import { asPublished } from "../readers/published.ts";

const FLARE = "cfa-exam/flare_cfa.json";
const CHALLENGE = "cfa-exam/cfa_challenge.json";
const SHORT = /^Q:(.*),CHOICES: A: ?(.*?),B: ?(.*?),C: ?(.*)$/s;
const LONG = /\nScenario:(.*);\nQuestion:(.*);\nAnswer Choices: A: ?(.*?), B: ?(.*?), C: ?(.*)\. \nAnswer:$/s;

export const cfa = defineTask<Choice>({
  ...MULTIPLE_CHOICE,
  name: "cfa",
  title: "questions in the manner of CFA exams",
  publication: "flare-cfa of PIXIU / FinBen, Xie et al. 2023-24",
  licence: "not stated",
  answer: { kind: "label", field: "answer", labels: LETTERS.slice(0, 3) },
  metric: "accuracy",
  unit: "distinct question; in variant challenge the scenario with its questions",
  isEvaluationOnly: true,
  published: { test: { A: 323, B: 359, C: 350 } },
  variants: {
    flare: "1,032 questions that stand alone",
    challenge: "90 questions on 20 long scenarios",
  },
  fit: { text: ({ passage }) => passage ?? "", keep: "start" },
  local: {
    files: [FLARE, CHALLENGE],
    read(root, { variant, notes }) {
      const isFlare = variant === "flare";
      const path = join(root, isFlare ? FLARE : CHALLENGE);
      const rows = asPublished(readJsonList(path), isFlare ? 1032 : 90, path);
      const test = rows.map(({ number, row, place }) => ({
        number,
        record: isFlare ? shortQuestion(row, place) : longQuestion(row, place),
      }));
      const lower = rows.filter(({ row }) => /^[a-c]$/.test(String(row.answer))).length;
      notes.push(
        `cfa: ${test.length} questions (${variant}); ${lower} answers stand in lower case and are read as capitals.`,
      );
      return { test };
    },
  },
  hub: {
    id: "TheFinAI/flare-cfa",
    splits: { test: "test" },
    columns: ["text", "answer"],
    seenIn: "taiwanfifi/CFA_essay datasets/archived/flare_cfa/README.md",
    records(row, place, { variant }) {
      if (variant === "flare") return [shortQuestion(row, place)];
      throw damaged(
        place,
        "variant flare, the only one on the hub",
        variant,
        "Read the challenge questions from local files.",
      );
    },
  },
});

function shortQuestion(row: JsonObject, place: string): Choice {
  const [, question, ...options] = SHORT.exec(textField(row, "text", place)) ?? [];
  if (question === undefined) throw damaged(place, "Q:…,CHOICES: A: …,B: …,C: …", String(row.text).slice(0, 60));
  return choiceOf({ question, options }, row, place);
}

function longQuestion(row: JsonObject, place: string): Choice {
  const [, passage, question, ...options] = LONG.exec(textField(row, "query", place)) ?? [];
  if (passage === undefined || question === undefined) {
    throw damaged(place, "a scenario, a question and Answer Choices", String(row.query).slice(-60));
  }
  return choiceOf({ passage: passage.trim(), question, options }, row, place);
}

function choiceOf(asked: Omit<Choice, "answer">, row: JsonObject, place: string): Choice {
  const { question, options } = asked;
  const answer = textField(row, "answer", place).toUpperCase();
  return checkedChoice(
    { ...asked, question: question.trim(), options: options.map((option) => option.trim()), answer },
    place,
  );
}
