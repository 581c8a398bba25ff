/** @file MMLU: exam questions of 57 subjects, four options each; read from the publication's tables in an archive, or from the hub. */

import { join } from "node:path";
import { parseCsv } from "../../formats/csv.ts";
import { decodeUtf8 } from "../../formats/files.ts";
import { readZip } from "../../formats/zip.ts";
import type { HubSource, LocalSource, Numbered, TaskDefinition } from "./definition.ts";
import { type JsonObject, textField, textList } from "./json-rows.ts";
import { type Choice, checkedChoice, LETTERS, MULTIPLE_CHOICE } from "./multiple-choice.ts";
import { asPublished, withoutHeldOut } from "./published.ts";

export interface ExamQuestion extends Choice {
  /** `high_school_macroeconomics`. */
  subject: string;
}

const FILE = "mmlu/mmlu.zip";
/** Of all subjects. */
const PUBLISHED = { val: 1531, test: 14_042 };

/** What the tasks over MMLU share. The wording `exam` names the subject, as the publication's own prompt does. */
export const MMLU = {
  ...MULTIPLE_CHOICE,
  prompts: {
    ...MULTIPLE_CHOICE.prompts,
    exam: ({ subject, ...choice }) =>
      `An exam question on ${subject.replaceAll("_", " ")}, to be answered with the letter of the right option.\n${MULTIPLE_CHOICE.prompts.harness(choice)}`,
  },
  publication: "Hendrycks et al. 2021, Measuring Massive Multitask Language Understanding",
  licence: "MIT",
  answer: { kind: "label", field: "answer", labels: LETTERS.slice(0, 4) },
  metric: "accuracy",
  unit: "distinct question with its options",
  isEvaluationOnly: true,
} satisfies Omit<TaskDefinition<ExamQuestion>, "name" | "title">;

/** The archive's validation questions as dev and its test; its few-shot questions are not used. @param subjects  absent: all */
export function mmluFiles(name: string, subjects?: readonly string[]): LocalSource<ExamQuestion> {
  return {
    files: [FILE],
    read(root, { notes }) {
      const path = join(root, FILE);
      const archive = readZip(path);
      const read = (split: "val" | "test") => {
        const all = [...archive].flatMap(([entry, bytes]) => {
          const subject = new RegExp(`(?:^|/)${split}/(\\w+)_${split}\\.csv$`).exec(entry)?.[1];
          return subject === undefined
            ? []
            : parseExam(decodeUtf8(bytes, `${path}: ${entry}`), subject, `${path}: ${entry}`);
        });
        const whole = asPublished(all, PUBLISHED[split], `${path}: ${split}`);
        return whole.filter(({ record }) => subjects?.includes(record.subject) ?? true);
      };
      const splits = { dev: read("val"), test: read("test") };
      notes.push(
        `${name}: ${splits.dev.length} validation questions (dev) and ${splits.test.length} test questions of ` +
          `${new Set(splits.test.map(({ record }) => record.subject)).size} subjects; the archive's few-shot questions are not used.`,
      );
      return withoutHeldOut(name, splits, ({ question, options }) => [question, ...options].join("\n"), notes);
    },
  };
}

/** The same from the hub. @param subjects  absent: all */
export function mmluHub(subjects?: readonly string[]): HubSource<ExamQuestion> {
  return {
    id: "cais/mmlu",
    config: "all",
    splits: { dev: "validation", test: "test" },
    columns: ["question", "subject", "choices", "answer"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/mmlu/default/_default_template_yaml",
    records(row: JsonObject, place) {
      const subject = textField(row, "subject", place);
      if (!(subjects?.includes(subject) ?? true)) return [];
      const choice = {
        question: textField(row, "question", place),
        options: textList(row.choices, place, "a list of options"),
        answer: LETTERS[Number(row.answer)] ?? String(row.answer),
      };
      return [{ ...checkedChoice(choice, place), subject }];
    },
  };
}

/** Question, four options and a letter in each row, without a header; one published row has a quote where none belongs. */
export function parseExam(text: string, subject: string, place: string): Numbered<ExamQuestion>[] {
  const columns = ["question", ...LETTERS.slice(0, 4), "answer"];
  return parseCsv(text, place, { columns, hasStrayQuotes: true }).map(({ line, row }) => {
    const [question, ...options] = columns.map((column) => row[column]?.trim() ?? "") as [string, ...string[]];
    const answer = options.pop() as string;
    return {
      number: `${subject}.${line}`,
      record: { ...checkedChoice({ question, options, answer }, `${place}:${line}`), subject },
    };
  });
}
