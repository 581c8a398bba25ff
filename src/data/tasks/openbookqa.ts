/** @file OpenBookQA: questions of elementary science that need a fact and common knowledge (Mihaylov et al. 2018). */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { objectOf, readJsonList, textField, textList } from "../readers/json-rows.ts";
import { adaptersChoice } from "../readers/llm-adapters.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "../readers/multiple-choice.ts";
import { asPublished } from "../readers/published.ts";

const TEST = "commonsense-mcq/openbookqa_test.json";
const PUBLISHED = { test: 500 };

export const openbookqa = defineTask<Choice>({
  ...MULTIPLE_CHOICE,
  name: "openbookqa",
  title: "elementary science, four options",
  publication: "Mihaylov et al. 2018, Can a Suit of Armor Conduct Electricity?",
  licence: "ODC-By (LLM-Adapters data)",
  answer: { kind: "label", field: "answerKey", labels: LETTERS.slice(0, 4) },
  metric: "accuracy",
  unit: "distinct question with its options",
  isEvaluationOnly: true,
  published: PUBLISHED,
  local: {
    files: [TEST],
    read(root, { notes }) {
      const path = join(root, TEST);
      const test = asPublished(readJsonList(path), PUBLISHED.test, path).map(({ number, row, place }) => ({
        number,
        record: adaptersChoice(row, place),
      }));
      notes.push(`openbookqa: ${test.length} test questions, without the book of facts.`);
      return { test };
    },
  },
  hub: {
    id: "allenai/openbookqa",
    config: "main",
    splits: { dev: "validation", test: "test" },
    columns: ["question_stem", "choices", "answerKey"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/openbookqa/openbookqa.yaml",
    records(row, place) {
      const options = textList(objectOf(row.choices, place).text, place, "a list of options in choices.text");
      const question = textField(row, "question_stem", place);
      return [checkedChoice({ question, options, answer: textField(row, "answerKey", place) }, place)];
    },
  },
});
