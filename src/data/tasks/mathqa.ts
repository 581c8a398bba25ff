/** @file MathQA: problems of AQuA's kind with five options (Amini et al. 2019). */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, readJsonList, textField } from "../readers/json-rows.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "../readers/multiple-choice.ts";
import { asPublished } from "../readers/published.ts";

const TEST = "mathqa/mathqa_test.json.gz";
/** Both ways in which options are written: `a ) 38 , b ) …` and `['a ) 2 : 3', 'b ) …']`. */
const OPTIONS = new RegExp(
  `^\\[?['"]?\\s*a \\) ?${["b", "c", "d", "e"].map((letter) => `(.*?)['"]?\\s*,\\s*['"]?${letter} \\) ?`).join("")}(.*?)['"]?\\]?$`,
  "s",
);
const PUBLISHED = { test: 2985 };

export const mathqa = defineTask<Choice>({
  ...MULTIPLE_CHOICE,
  name: "mathqa",
  title: "mathematical problems, five options",
  publication: "Amini et al. 2019, MathQA",
  licence: "ODC-By (carrying repository)",
  answer: { kind: "label", field: "correct", labels: LETTERS.slice(0, 5) },
  metric: "accuracy",
  unit: "distinct problem",
  published: PUBLISHED,
  withoutTrain: "This file is MathQA's test; evaluate on it, or take the training rows from the hub.",
  local: {
    files: [TEST],
    read(root, { notes }) {
      const path = join(root, TEST);
      const test = asPublished(readJsonList(path), PUBLISHED.test, path).map(({ number, row, place }) => {
        const [problem = "", options = ""] = textField(row, "instruction", place).split("The options:");
        return { number, record: choiceOf({ Problem: problem, options, correct: row.answer }, place) };
      });
      notes.push(
        `mathqa: ${test.length} test problems, no training rows. The copy has letters a to e of its options in upper case; all are put back to lower case, as published.`,
      );
      return { test };
    },
  },
  hub: {
    id: "regisss/math_qa", // allenai/math_qa is a script that unpacks an archive
    splits: { train: "train", dev: "validation", test: "test" },
    columns: ["Problem", "options", "correct"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/mathqa/mathqa.yaml",
    records: (row, place) => [choiceOf(row, place)],
  },
});

function choiceOf(row: JsonObject, place: string): Choice {
  const written = textField(row, "options", place).toLowerCase();
  const options = OPTIONS.exec(written)?.slice(1);
  if (options === undefined) throw damaged(place, "five options such as a ) 38 , b ) 27", written);
  return checkedChoice(
    {
      question: textField(row, "Problem", place),
      options: options.map((option) => option.trim()),
      answer: textField(row, "correct", place).toUpperCase(),
    },
    place,
  );
}
