/** @file AGIEval: the English multiple-choice parts, questions of admission and qualification exams (Zhong et al. 2023). */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, optionalText, readJsonLines, textField, textList } from "../readers/json-rows.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "../readers/multiple-choice.ts";
import { asPublished } from "../readers/published.ts";

/** File of each part and its published number of questions. */
const PARTS = {
  "sat-en": ["agieval/sat-en.jsonl.gz", 206],
  "sat-math": ["agieval/sat-math.jsonl", 220],
  "lsat-ar": ["agieval/lsat-ar.jsonl", 230],
  "lsat-lr": ["agieval/lsat-lr.jsonl", 510],
  "lsat-rc": ["agieval/lsat-rc.jsonl", 269],
  "logiqa-en": ["agieval/logiqa-en.jsonl", 651],
  "aqua-rat": ["agieval/aqua-rat.jsonl", 254],
} as const;

export const agieval = defineTask<Choice>({
  ...MULTIPLE_CHOICE,
  name: "agieval",
  title: "questions of admission exams, English parts",
  publication: "Zhong et al. 2023, AGIEval",
  licence: "MIT",
  answer: { kind: "label", field: "label", labels: LETTERS.slice(0, 5) },
  metric: "accuracy",
  unit: "passage with its questions, or question where there is none",
  isEvaluationOnly: true,
  published: { test: Object.values(PARTS).reduce((sum, [, count]) => sum + count, 0) },
  variants: {
    all: "all seven parts",
    ...Object.fromEntries(Object.entries(PARTS).map(([part, [, count]]) => [part, `${count} questions`])),
  },
  fit: { text: ({ passage }) => passage ?? "", keep: "start" },
  local: {
    files: Object.values(PARTS).map(([file]) => file),
    read(root, { variant, notes }) {
      const parts = Object.entries(PARTS).filter(([part]) => variant === "all" || variant === part);
      const test = parts.flatMap(([part, [file, count]]) =>
        asPublished(readJsonLines(join(root, file)), count, join(root, file)).map(({ number, row, place }) => ({
          number: `${part}.${number}`,
          record: choiceOf(row, place),
        })),
      );
      notes.push(
        `agieval: ${test.length} questions of ${parts.map(([part]) => part).join(", ")}.` +
          `${parts.some(([part]) => part === "aqua-rat") ? " Its part aqua-rat is the test of the task aqua." : ""}`,
      );
      return { test };
    },
  },
});

function choiceOf(row: JsonObject, place: string): Choice {
  const passage = optionalText(row, "passage", place);
  const choice = {
    question: textField(row, "question", place),
    options: inOrder(textList(row.options, place, "a list of options")),
    answer: textField(row, "label", place),
    ...(passage !== "" && { passage }),
  };
  return checkedChoice(choice, place);
}

/** Options without their letters. Some stand as (A), (C), (B), (D): their letters, which the label means, give the order. */
function inOrder(options: readonly string[]): string[] {
  const parsed = options.map((option, i) => {
    const own = LETTERS[i] as string;
    const [marked, letter = own] = /^\(([A-E])\)\s*/.exec(option) ??
      new RegExp(`^${own}(?:\\?|(?= ))\\s*`).exec(option) ?? [""];
    return { letter, text: option.slice(marked.length) };
  });
  const letters = new Set(parsed.map(({ letter }) => letter));
  if (letters.size < options.length) return parsed.map(({ text }) => text);
  return parsed.sort((a, b) => (a.letter < b.letter ? -1 : 1)).map(({ text }) => text);
}
