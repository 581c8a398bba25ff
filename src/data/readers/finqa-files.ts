/** @file FinQA in the files that are about: whole pages with their ids, and the dev and test questions of CBR-FinQA, which name no page. */

import { join } from "node:path";
import { sha256 } from "../../base/digest.ts";
import { contradicts, resultText, resultValue, runProgram, valueText } from "../../base/finqa-program.ts";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import {
  CONVFINQA_FILES,
  type FiledPage,
  PRIVATE_TEST_FILE,
  readDialogues,
  readPrivatePages,
} from "./convfinqa-files.ts";
import { damaged } from "./damaged.ts";
import type { Numbered } from "./definition.ts";
import { pageOf, pageText, type Table, tableKey, tableText } from "./finance-page.ts";
import { listOf, objectOf, readJsonLines, readJsonList, textField } from "./json-rows.ts";
import type { PageQuestion } from "./page-questions.ts";
import { checkCounts } from "./published.ts";

const FOLDER = "finqa";
const DEV = `${FOLDER}/cbr_dev_noCase.csv.gz`;
const TEST = `${FOLDER}/cbr_test_noCase.csv.gz`;
const DEV_PAGES = `${FOLDER}/dev_200.json.gz`;
const TEST_PAGES = `${FOLDER}/test_500.json.gz`;
const TRAIN_PAGES = `${FOLDER}/train_100.json.gz`;
const TRAIN_LINES = `${FOLDER}/train_250.jsonl.gz`;
/** Published number of questions; a copy that lost some is refused. */
const PUBLISHED = { dev: 883, test: 1147 };

/** What dev and test are read from; ConvFinQA's files for the pages that both have. */
export const FINQA_FILES = [DEV, TEST, DEV_PAGES, TEST_PAGES, ...CONVFINQA_FILES, PRIVATE_TEST_FILE];
/** The part of the train split that is about. */
export const FINQA_TRAIN_FILES = [TRAIN_PAGES, TRAIN_LINES];

/** A question with its whole page. */
interface Entry {
  record: PageQuestion;
  table: Table;
}

/** What is known of a retrieved question from a page that a file has: that it is the question asked, what its annotator wrote. */
type Page = Pick<PageQuestion, "page" | "context" | "written">;

/** The dev and test questions as published, each with its whole page where a file has it. */
export function readFinqa(root: string, notes: string[]): Record<"dev" | "test", Numbered<PageQuestion>[]> {
  const read = (split: "dev" | "test", file: string, entries: readonly Entry[], others: readonly FiledPage[]) => {
    const path = join(root, file);
    const { rows, numWhole } = readRetrieved(path, new Pages(entries, others));
    checkCounts([rows.length], [PUBLISHED[split]], () =>
      damaged(path, `${PUBLISHED[split]} questions, as published`, `${rows.length}`),
    );
    notes.push(
      `finqa: ${rows.length} ${split} questions, their answers got by running the published programs; ${numWhole} stand with their whole page, ` +
        `the other ${rows.length - numWhole} with the whole table and the sentences that a retriever chose, as no copy of their page is here.`,
    );
    return rows;
  };
  const devEntries = readEntries(join(root, DEV_PAGES));
  const testEntries = readEntries(join(root, TEST_PAGES));
  const dev = read("dev", DEV, devEntries, readDialogues(root));
  const test = read("test", TEST, testEntries, readPrivatePages(root));
  noteContradictions(devEntries, notes);
  return { dev, test };
}

/** What is about of the train split, each question once. */
export function readFinqaTrain(root: string, notes: string[]): Numbered<PageQuestion>[] {
  const entries = readEntries(join(root, TRAIN_PAGES));
  const lines = readJsonLines(join(root, TRAIN_LINES)).map(({ row, number, place }) => {
    const answer = resultText(row.answer);
    if (answer === null) throw damaged(place, "a number, yes or no as answer", JSON.stringify(row.answer));
    const page = pageOf(textField(row, "id", place));
    const [context, question] = [textField(row, "context", place), textField(row, "question", place)];
    return { number: `l${number}`, record: { page, context, earlier: [], question, answer } };
  });
  const key = ({ page, question }: PageQuestion) => `${page}\n${question}`;
  const known = new Set(entries.map(({ record }) => key(record)));
  const rows = [
    ...entries.map(({ record }, i) => ({ number: `p${i + 1}`, record })),
    ...lines.filter(({ record }) => !known.has(key(record))),
  ];
  notes.push(
    `finqa: ${rows.length} distinct questions of the train split (${entries.length} and ${lines.length}, ` +
      `${entries.length + lines.length - rows.length} of them in both), of 6251 published.`,
  );
  noteContradictions(entries, notes);
  return rows;
}

/** The original layout, question and results under `qa`, or the flattened one of test_500. */
function readEntries(path: string): Entry[] {
  return readJsonList(path).map(({ row, place }) => {
    const qa = row.qa === undefined ? row : objectOf(row.qa, place);
    const result = qa.exe_ans ?? qa.answer;
    const answer = resultText(result);
    if (answer === null) throw damaged(place, "a number, yes or no as result", `${JSON.stringify(result)}`);
    const table = listOf(row.table, place, "rows of cells").map((cells) => listOf(cells, place, "cells").map(String));
    const text = (field: string) => listOf(row[field], place, `sentences in ${field}`).join("\n");
    // Of the flattened layout the answer is the result; some annotators wrote none.
    const written = qa.exe_ans === undefined ? "" : String(qa.answer ?? "").trim();
    const record: PageQuestion = {
      page: pageOf(textField(row, "id", place)),
      context: pageText(text("pre_text"), tableText(table), text("post_text")),
      earlier: [],
      question: textField(qa, "question", place),
      answer,
      ...(written !== "" && { written }),
      program: { program: textField(qa, "program", place), value: resultValue(answer), table },
    };
    return { record, table };
  });
}

function noteContradictions(entries: readonly Entry[], notes: string[]): void {
  const all = entries.filter(({ record }) => record.written !== undefined);
  const num = all.filter(({ record }) => contradicts(record.written!, resultValue(record.answer))).length;
  notes.push(
    `finqa: of ${all.length} questions with a written answer beside the program's result, ${num} contradict it beyond rounding; the result is the gold answer.`,
  );
}

/** Whole pages of one split, by table and question and, where only one page has a table, by table. */
class Pages {
  #byQuestion = new Map<string, Page>();
  #byTable = new Map<string, Page | null>();

  constructor(entries: readonly Entry[], others: readonly FiledPage[]) {
    for (const { record, table } of entries) {
      const key = tableKey(tableText(table));
      this.#byQuestion.set(`${key}\n${record.question}`, record);
      this.#add(key, record);
    }
    for (const other of others) this.#add(tableKey(other.table), other);
  }

  find(table: string, question: string): Page | null {
    const key = tableKey(table);
    const asked = this.#byQuestion.get(`${key}\n${question}`);
    if (asked !== undefined) return asked;
    const page = this.#byTable.get(key) ?? null;
    return page && { page: page.page, context: page.context }; // what was written there answers another question
  }

  #add(key: string, page: Page): void {
    const known = this.#byTable.get(key);
    if (known === undefined) this.#byTable.set(key, page);
    else if (known?.page !== page.page) this.#byTable.set(key, null);
  }
}

const RETRIEVED =
  /\n {4}Contexts:\n {4}(.*?)\n\n\n {4}Table: (\[.*?\])\n {4}\n\n {4}Possible Operations:.*?\n {4}Question: (.*?)\n {4}\n\n {4}Output: (.*?) <\/s>/s;

function readRetrieved(path: string, pages: Pages): { rows: Numbered<PageQuestion>[]; numWhole: number } {
  let numWhole = 0;
  const rows = parseCsv(readText(path), path).map(({ line, row }, i) => {
    const place = `${path}:${line}`;
    const [, sentences, cells, question, program] = RETRIEVED.exec(row.text ?? "") ?? [];
    if (sentences === undefined || cells === undefined || question === undefined || program === undefined) {
      throw damaged(place, "contexts, table, question and program", (row.text ?? "no column text").slice(-60));
    }
    const table = parsePythonTable(cells, place);
    const result = runProgram(program, table);
    if (result === null) throw damaged(place, "a program that can be run", program);
    const text = tableText(table);
    const whole = pages.find(text, question);
    if (whole !== null) numWhole++;
    const known = whole ?? {
      page: `table ${sha256(tableKey(text)).slice(0, 16)}`,
      context: pageText(sentences.trim(), text, ""),
    };
    return {
      number: i + 1,
      record: {
        page: known.page,
        context: known.context,
        earlier: [],
        question,
        answer: valueText(result),
        ...(known.written !== undefined && { written: known.written }),
        program: { program, value: result, table },
      },
    };
  });
  return { rows, numWhole };
}

/** A list of lists of strings as Python prints it. @throws {DataError} anything else */
export function parsePythonTable(text: string, place: string): Table {
  const strings: string[] = [];
  const json = text.replace(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gs, (_, single?: string, double?: string) => {
    strings.push(
      (single ?? double ?? "").replace(/\\(.)/gs, (_all, char: string) =>
        char === "n" ? "\n" : char === "t" ? "\t" : char,
      ),
    );
    return `${strings.length - 1}`;
  });
  if (!/^\[\s*\[[\d, [\]]*\]\s*\]$/.test(json))
    throw damaged(place, "a table as a list of lists of strings", text.slice(0, 60));
  return (JSON.parse(json) as number[][]).map((row) => row.map((at) => strings[at]!));
}
