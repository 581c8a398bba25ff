/** @file TAT-QA: contexts of a table and paragraphs with their questions, as records; read for its published splits and for a split by context. */

import { join } from "node:path";
import { TAT_QA_SCALES, type TatQaGold } from "../../specs/gold.ts";
import { damaged } from "./damaged.ts";
import type { Numbered, SplitRecords, TaskDefinition } from "./definition.ts";
import { pageText, splitOfPage, tableText } from "./finance-page.ts";
import { type JsonObject, listOf, objectOf, readJsonList, textField } from "./json-rows.ts";
import { checkCounts } from "./published.ts";

export interface TatQuestion {
  /** Identity of the table and its paragraphs. */
  uid: string;
  context: string;
  question: string;
  answer: string;
  gold: TatQaGold;
}

const DEV = "tat-qa/tatqa_dataset_dev.json.gz";
const TEST = "tat-qa/tatqa_dataset_test_gold.json.gz";
/** What dev and test are read from. */
export const TAT_QA_FILES = [DEV, TEST];
/** Contexts and questions of each file: dev as published, of the test one context and six questions fewer. A copy that lost more is refused. */
const COUNTS = { [DEV]: [278, 1668], [TEST]: [277, 1663] };

/** What the tasks over these contexts have in common. */
export const TAT_QUESTIONS = {
  licence: "MIT",
  answer: { kind: "text", field: "answer" },
  unit: "table with its paragraphs",
  prompts: {
    plain: ({ context, question }) => `${context}\n\nQuestion: ${question}`,
    scale: ({ context, question }) =>
      `${context}\n\nQuestion: ${question}\nAnswer with words of the text or a number, with its scale (thousand, million, billion or %) where it has one; several answers with semicolons between them.`,
  },
  metric: "exact_match",
  example: ({ uid, context, question, answer, gold }) => ({
    answer,
    group: uid,
    text: `${question}\n${context}`,
    gold: { kind: "tat-qa", answer: gold },
  }),
  fit: { text: ({ context }) => context, keep: "start" },
} as const satisfies Partial<TaskDefinition<TatQuestion>>;

/** The dev and test questions. */
export function readTatQa(root: string, notes: string[]): Record<"dev" | "test", Numbered<TatQuestion>[]> {
  const read = (file: keyof typeof COUNTS) => {
    const path = join(root, file);
    const contexts = readJsonList(path);
    const rows = contexts.flatMap(({ row, number, place }) =>
      questionsOf(row, place).map((record, k) => ({ number: `${number}.${k + 1}`, record })),
    );
    const [numContexts, numQuestions] = COUNTS[file]!;
    checkCounts([contexts.length, rows.length], COUNTS[file]!, () =>
      damaged(path, `${numContexts} contexts with ${numQuestions} questions`, `${contexts.length} with ${rows.length}`),
    );
    return rows;
  };
  const splits = { dev: read(DEV), test: read(TEST) };
  notes.push(
    `tat-qa: ${splits.dev.length} dev questions as published and ${splits.test.length} of the 1669 published test questions; the answer carries its scale. ` +
      "The sample of 1000 arithmetic questions that goes about as training data is left alone: all of them are dev and test questions.",
  );
  return splits;
}

/** Questions given to the splits of their contexts. */
export function splitByContext(rows: readonly Numbered<TatQuestion>[]): Required<SplitRecords<TatQuestion>> {
  const splits: Required<SplitRecords<TatQuestion>> = { train: [], dev: [], test: [] };
  for (const row of rows) splits[splitOfPage(row.record.uid)].push(row);
  return splits;
}

/** `{table: {uid, table}, paragraphs: [{text}], questions: [{question, answer, answer_type, scale}]}`. */
export function questionsOf(row: Readonly<Record<string, unknown>>, place: string): TatQuestion[] {
  const table = objectOf(row.table, place, "a table with its rows");
  const rows = listOf(table.table, place, "rows of cells").map((cells) =>
    listOf(cells, place, "cells").map((cell) => String(cell).trim()),
  );
  const paragraphs = listOf(row.paragraphs, place, "paragraphs").map((paragraph) =>
    textField(objectOf(paragraph, place), "text", place),
  );
  const uid = textField(table, "uid", place);
  const context = pageText("", tableText(rows), paragraphs.join("\n"));
  return listOf(row.questions, place, "questions").map((entry) => {
    const asked = objectOf(entry, place);
    const gold = goldOf(asked, place);
    const answer = answerText(gold);
    if (answer === "") throw damaged(place, "an answer to each question", JSON.stringify(asked.question));
    return { uid, context, question: textField(asked, "question", place), answer, gold };
  });
}

const TYPES: readonly TatQaGold["type"][] = ["span", "multi-span", "arithmetic", "count"];

/** Parts without white space around them; the files have an answer as a list, a text or a number. */
function goldOf({ answer, answer_type, scale }: JsonObject, place: string): TatQaGold {
  const type = TYPES.find((known) => known === answer_type);
  const known = TAT_QA_SCALES.find((one) => one === (scale ?? ""));
  if (type === undefined) throw damaged(place, `an answer_type of ${TYPES.join(", ")}`, JSON.stringify(answer_type));
  if (known === undefined) throw damaged(place, `a scale of ${TAT_QA_SCALES.join(", ")}`, JSON.stringify(scale));
  const parts = (Array.isArray(answer) ? answer : [answer]).map((part) => String(part ?? "").trim());
  return { type, parts: parts.filter((part) => part !== ""), scale: known };
}

/** Each part of an answer with its scale: `12.6 million`, `-22.22%`, `795 million; 772 million`. */
function answerText({ parts, scale }: Pick<TatQaGold, "parts" | "scale">): string {
  const scaled = parts.map((part) => {
    if (scale === "") return part;
    if (scale === "percent") return part.endsWith("%") ? part : `${part}%`;
    return part.endsWith(scale) ? part : `${part} ${scale}`;
  });
  return scaled.join("; ");
}
