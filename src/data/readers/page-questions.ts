/** @file Questions on a page of a report, alone or in a conversation: the record, the wordings and the answers that FinQA and ConvFinQA share. */

import type { NumberGold, ProgramGold } from "../../specs/gold.ts";
import type { Numbered, SplitRecords, TaskDefinition } from "./definition.ts";
import { splitOfPage } from "./finance-page.ts";

export interface PageQuestion {
  /** The report page: what is split and resampled as one. */
  page: string;
  /** Text around the table and the table. */
  context: string;
  /** Of a conversation: what was asked before, with the gold answers. */
  earlier: readonly { question: string; answer: string }[];
  question: string;
  answer: string;
  /** What an annotator wrote, where the source has it beside the result. */
  written?: string;
  /** How the answer is computed, where it is. */
  program?: ProgramGold;
}

/** The paper's caps, FinQA and ConvFinQA alike. */
const PAPER_CAP = 2000;

/** What the tasks over pages have in common; the instruction stands behind the page, so that all questions on a page share its tokens. */
export const PAGE_QUESTIONS = {
  answer: { kind: "number", field: "answer" },
  metric: "number_accuracy",
  unit: "report page",
  paper: { cap: PAPER_CAP },
  prompts: {
    plain: (record) => `${record.context}\n\n${conversation(record)}Question: ${record.question}`,
    fingpt: (record) =>
      `This is part of a company's report. Read its text and table, mind the questions already answered, and answer the last one; it may ask for a calculation.\n${record.context}\n\n${conversation(record)}Question: ${record.question}\nAnswer:`,
    finben: (record) =>
      `Use the context to answer the financial question that comes last.\nContext: ${record.context}\n\n${conversation(record)}Question: ${record.question}\nAnswer:`,
    number: (record) =>
      `${record.context}\n\n${conversation(record)}Question: ${record.question}\nAnswer with one number and nothing else, percentages as fractions (0.25 for 25%); to a question that asks whether, answer yes or no.`,
  },
  example: ({ page, context, earlier, question, answer, written, program }) => ({
    answer,
    group: page,
    text: [...earlier.map((turn) => turn.question), question, context].join("\n"),
    gold: {
      kind: "number",
      number: { answer, ...(written !== undefined && { written }), ...askedFor(question) },
      ...(program !== undefined && { program }),
    },
  }),
  fit: { text: ({ context }) => context, keep: "start" },
} as const satisfies Partial<TaskDefinition<PageQuestion>>;

/** Rows given to the splits of their pages. */
export function splitByPage(rows: readonly Numbered<PageQuestion>[]): Required<SplitRecords<PageQuestion>> {
  const splits: Required<SplitRecords<PageQuestion>> = { train: [], dev: [], test: [] };
  for (const row of rows) splits[splitOfPage(row.record.page)].push(row);
  return splits;
}

const SCALES: Readonly<Record<string, number>> = { thousand: 1e3, million: 1e6, billion: 1e9 };

/** Whether a question asks for a percentage, and the unit that it states amounts in. */
export function askedFor(question: string): Pick<NumberGold, "isPercent" | "scale"> {
  const [, stated] = /\bin (?:\S+ )?(thousand|million|billion)s?\b/i.exec(question) ?? [];
  return {
    ...(/%|\bper\s?cent(?:s|ages?)?\b/i.test(question) && { isPercent: true }),
    ...(stated !== undefined && { scale: SCALES[stated.toLowerCase()]! }),
  };
}

function conversation({ earlier }: PageQuestion): string {
  return earlier.map(({ question, answer }) => `Question: ${question}\nAnswer: ${answer}\n`).join("");
}
