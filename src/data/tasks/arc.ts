/** @file ARC: questions of school science, three to five options (Clark et al. 2018). */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { objectOf, readJsonList, textField, textList } from "../readers/json-rows.ts";
import { adaptersChoice } from "../readers/llm-adapters.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "../readers/multiple-choice.ts";
import { asPublished } from "../readers/published.ts";

const FILES = {
  challenge: ["commonsense-mcq/ARC-Challenge_test.json", 1172],
  easy: ["commonsense-mcq/ARC-Easy_test.json.gz", 2376],
} as const;

export const arc = defineTask<Choice>({
  ...MULTIPLE_CHOICE,
  name: "arc",
  title: "questions of school science",
  publication: "Clark et al. 2018, Think you have Solved Question Answering? Try ARC",
  licence: "ODC-By (LLM-Adapters data)",
  answer: { kind: "label", field: "answer", labels: LETTERS.slice(0, 5) },
  metric: "accuracy",
  unit: "distinct question with its options",
  isEvaluationOnly: true,
  published: { test: FILES.challenge[1] },
  variants: {
    challenge: "1,172 questions that simple methods get wrong",
    easy: "the other 2,376",
  },
  local: {
    files: Object.values(FILES).map(([file]) => file),
    read(root, { variant, notes }) {
      const [file, count] = FILES[variant as keyof typeof FILES];
      const path = join(root, file);
      const test = asPublished(readJsonList(path), count, path).map(({ number, row, place }) => ({
        number,
        record: adaptersChoice(row, place),
      }));
      notes.push(`arc: ${test.length} test questions (${variant}), in the wording of LLM-Adapters taken apart again.`);
      return { test };
    },
  },
  hub: {
    id: "allenai/ai2_arc",
    config: (variant) => (variant === "easy" ? "ARC-Easy" : "ARC-Challenge"),
    splits: { dev: "validation", test: "test" },
    columns: ["question", "choices", "answerKey"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/arc/arc_easy.yaml",
    records(row, place) {
      const choices = objectOf(row.choices, place);
      const names = textList(choices.label, place, "a list of labels in choices.label");
      // some questions number their options from 1
      const answer = LETTERS[names.indexOf(textField(row, "answerKey", place))] ?? "none of the labels";
      const options = textList(choices.text, place, "a list of options in choices.text");
      return [checkedChoice({ question: textField(row, "question", place), options, answer }, place)];
    },
  },
});
