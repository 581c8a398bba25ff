/** @file MATH: problems of mathematical competitions with worked solutions (Hendrycks et al. 2021). */

import { join } from "node:path";
import { lastBoxed } from "../../base/result-mark.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type ReadContext } from "../readers/definition.ts";
import { type JsonObject, readJsonLines, textField } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";
import { inVariant, PROBLEMS, type Problem, SOLUTION_VARIANTS } from "../readers/word-problems.ts";

const TEST = "math-hendrycks/math_test.jsonl.gz";
const PUBLISHED = { test: 5000 };

export const math = defineTask<Problem>({
  ...PROBLEMS,
  name: "math",
  title: "competition problems, results in LaTeX",
  publication: "Hendrycks et al. 2021, Measuring Mathematical Problem Solving With the MATH Dataset",
  licence: "MIT",
  answer: { kind: "text", field: "answer" },
  metric: "exact_match",
  unit: "distinct problem",
  variants: SOLUTION_VARIANTS,
  published: PUBLISHED,
  example: (problem) => ({ ...PROBLEMS.example(problem), gold: { kind: "result", text: problem.answer } }),
  withoutTrain: "This file is the test of MATH; evaluate on it, or take the 7,500 training problems from the hub.",
  local: {
    files: [TEST],
    read(root, context) {
      const path = join(root, TEST);
      const test = asPublished(readJsonLines(path), PUBLISHED.test, path).map(({ number, row, place }) => ({
        number,
        record: problemOf(row, place, context),
      }));
      context.notes.push(
        `math: ${test.length} test problems, no training rows; the result is what the solution boxes last.`,
      );
      return { test };
    },
  },
  hub: {
    id: "DigitalLearningGmbH/MATH-lighteval",
    splits: { train: "train", test: "test" },
    columns: ["problem", "solution"],
    seenIn: "volcengine/verl examples/data_preprocess/math_dataset.py",
    records: (row, place, context) => [problemOf(row, place, context)],
  },
});

function problemOf(row: JsonObject, place: string, { variant }: ReadContext): Problem {
  const solution = textField(row, "solution", place);
  const answer = lastBoxed(solution);
  if (answer === undefined) throw damaged(place, "a solution with its result in \\boxed{}", solution.slice(-60));
  return inVariant(variant, { question: textField(row, "problem", place), answer, solution });
}
