/** @file AQuA: algebra problems with five options (Ling et al. 2017). */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, readJsonLines, textField, textList } from "../readers/json-rows.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "../readers/multiple-choice.ts";
import { asPublished } from "../readers/published.ts";

const DEV = "aqua/aqua_dev.json";
const TEST = "aqua/aqua_test.json";
const PUBLISHED = { dev: 254, test: 254 };

export const aqua = defineTask<Choice>({
  ...MULTIPLE_CHOICE,
  name: "aqua",
  title: "algebra problems, five options",
  publication: "Ling et al. 2017, Program Induction by Rationale Generation",
  licence: "Apache 2.0",
  answer: { kind: "label", field: "correct", labels: LETTERS.slice(0, 5) },
  metric: "accuracy",
  unit: "distinct problem",
  published: PUBLISHED,
  withoutTrain:
    "These files are AQuA's dev and test; evaluate on them, take the 97,467 training rows from the hub, or train on flan-cot, which holds 2,728 of them.",
  local: {
    files: [DEV, TEST],
    read(root, { notes }) {
      const read = (file: string, published: number) =>
        asPublished(readJsonLines(join(root, file)), published, join(root, file)).map(({ number, row, place }) => ({
          number,
          record: choiceOf(row, place),
        }));
      const splits = { dev: read(DEV, PUBLISHED.dev), test: read(TEST, PUBLISHED.test) };
      notes.push(
        `aqua: ${splits.dev.length} dev and ${splits.test.length} test problems, no training rows. AGIEval's part aqua-rat is this test.`,
      );
      return splits;
    },
  },
  hub: {
    id: "deepmind/aqua_rat",
    config: "raw",
    splits: { train: "train", dev: "validation", test: "test" },
    columns: ["question", "options", "correct"],
    seenIn: "huggingface/datasets datasets/aqua_rat/aqua_rat.py",
    records: (row, place) => [choiceOf(row, place)],
  },
});

function choiceOf(row: JsonObject, place: string): Choice {
  const options = textList(row.options, place, "a list of options such as A)12").map((option) =>
    option.replace(/^[A-E]\)\s*/, ""),
  );
  return checkedChoice(
    { question: textField(row, "question", place), options, answer: textField(row, "correct", place) },
    place,
  );
}
