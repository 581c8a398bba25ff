/** @file SVAMP: word problems varied so that shallow reading fails (Patel et al. 2021). */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, readJsonList, textField } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";
import { numberText, PROBLEMS, type Problem } from "../readers/word-problems.ts";

const FILE = "svamp/SVAMP.json";
const PUBLISHED = { train: 1000 };

export const svamp = defineTask<Problem>({
  ...PROBLEMS,
  name: "svamp",
  title: "one-step word problems with variations",
  publication:
    "Patel et al. 2021, Are NLP Models really able to Solve Simple Math Word Problems?; published without splits",
  licence: "MIT",
  answer: { kind: "number", field: "Answer" },
  metric: "number_accuracy",
  unit: "distinct problem; variations of one problem are not marked in the source",
  published: PUBLISHED,
  local: {
    files: [FILE],
    read(root, { notes }) {
      const path = join(root, FILE);
      const train = asPublished(readJsonList(path), PUBLISHED.train, path).map(({ number, row, place }) => ({
        number,
        record: problemOf(row, place),
      }));
      notes.push(`svamp: ${train.length} problems, published without splits: test and dev are carved from them.`);
      return { train };
    },
  },
  hub: {
    id: "ChilleD/SVAMP",
    splits: { train: "train", test: "test" },
    columns: ["Body", "Question", ["Answer", "final_answer"]],
    seenIn: "mttariqi/bamot loaders/svamp.py",
    records: (row, place) => [problemOf(row, place)],
  },
});

function problemOf(row: JsonObject, place: string): Problem {
  const body = textField(row, "Body", place);
  return {
    question: `${/[.,!?]$/.test(body) ? body : `${body}.`} ${textField(row, "Question", place)}`,
    answer: numberText(row.Answer, place),
  };
}
