/** @file GSM8K: word problems of grade-school mathematics with worked solutions (Cobbe et al. 2021). */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type ReadContext } from "../readers/definition.ts";
import { type JsonObject, readJsonLines, textField } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";
import { inVariant, numberText, PROBLEMS, type Problem, SOLUTION_VARIANTS } from "../readers/word-problems.ts";

const TRAIN = "gsm8k/train.jsonl.gz";
const TEST = "gsm8k/test.jsonl";
const PUBLISHED = { train: 7473, test: 1319 };

export const gsm8k = defineTask<Problem>({
  ...PROBLEMS,
  name: "gsm8k",
  title: "grade-school word problems",
  publication: "Cobbe et al. 2021, Training Verifiers to Solve Math Word Problems",
  licence: "MIT",
  answer: { kind: "number", field: "answer" },
  metric: "number_accuracy",
  unit: "distinct question",
  published: PUBLISHED,
  variants: SOLUTION_VARIANTS,
  local: {
    files: [TRAIN, TEST],
    read(root, context) {
      const read = (file: string, published: number) =>
        asPublished(readJsonLines(join(root, file)), published, join(root, file)).map(({ number, row, place }) => ({
          number,
          record: problemOf(row, place, context),
        }));
      const splits = { train: read(TRAIN, PUBLISHED.train), test: read(TEST, PUBLISHED.test) };
      context.notes.push(
        `gsm8k: ${splits.train.length} training and ${splits.test.length} test problems; the calculator's marks <<…>> are left out of solutions.`,
      );
      return splits;
    },
  },
  hub: {
    id: "openai/gsm8k",
    config: "main",
    splits: { train: "train", test: "test" },
    columns: ["question", "answer"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/gsm8k/gsm8k.yaml",
    records: (row, place, context) => [problemOf(row, place, context)],
  },
});

function problemOf(row: JsonObject, place: string, { variant }: ReadContext): Problem {
  const [solution, result, ...more] = textField(row, "answer", place).split("\n#### ");
  if (solution === undefined || result === undefined || more.length > 0) {
    throw damaged(place, "a solution and, after ####, its result", String(row.answer).slice(-60));
  }
  return inVariant(variant, {
    question: textField(row, "question", place),
    answer: numberText(result, place),
    solution: solution.replace(/<<[^<>]*>>/g, "").trim(),
  });
}
