/** @file CommonsenseQA: questions on everyday concepts, five options (Talmor et al. 2019). */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, listOf, objectOf, readJsonLines, textField, textList } from "../readers/json-rows.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "../readers/multiple-choice.ts";
import { asPublished } from "../readers/published.ts";

const DEV = "commonsense-mcq/CommonsenseQA_dev_rand_split.jsonl";
const PUBLISHED = { test: 1221 };

export const commonsenseqa = defineTask<Choice>({
  ...MULTIPLE_CHOICE,
  name: "commonsenseqa",
  title: "everyday concepts, five options",
  publication:
    "Talmor et al. 2019, CommonsenseQA; its dev split is the test, as the answers of its test are not public",
  licence: "not stated",
  answer: { kind: "label", field: "answerKey", labels: LETTERS.slice(0, 5) },
  metric: "accuracy",
  unit: "distinct question with its options",
  isEvaluationOnly: true,
  published: PUBLISHED,
  local: {
    files: [DEV],
    read(root, { notes }) {
      const path = join(root, DEV);
      const test = asPublished(readJsonLines(path), PUBLISHED.test, path).map(({ number, row, place }) => ({
        number,
        record: choiceOf(row, place),
      }));
      notes.push(`commonsenseqa: the ${test.length} questions of the published dev split are the test.`);
      return { test };
    },
  },
  hub: {
    id: "tau/commonsense_qa",
    splits: { test: "validation" },
    columns: ["question", "choices", "answerKey"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/commonsense_qa/default.yaml",
    records(row, place) {
      const options = textList(objectOf(row.choices, place).text, place, "a list of options in choices.text");
      const question = textField(row, "question", place);
      return [checkedChoice({ question, options, answer: textField(row, "answerKey", place) }, place)];
    },
  },
});

function choiceOf(row: JsonObject, place: string): Choice {
  const question = objectOf(row.question, place);
  const options = listOf(question.choices, place, "a list of options").map((choice) =>
    textField(objectOf(choice, place), "text", place),
  );
  return checkedChoice(
    { question: textField(question, "stem", place), options, answer: textField(row, "answerKey", place) },
    place,
  );
}
