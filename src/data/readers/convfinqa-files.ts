/** @file ConvFinQA in the files that are about: the dev dialogues with all their turns, and the private test's pages, which come without answers. */

import { join } from "node:path";
import { contradicts, type ProgramValue, parseProgram, resultText, valueText } from "../../base/finqa-program.ts";
import { readText } from "../../formats/files.ts";
import { damaged } from "./damaged.ts";
import type { Numbered } from "./definition.ts";
import { pageOf, pageText, tableText } from "./finance-page.ts";
import { listOf, objectOf, optionalText, parseJson, readJsonList, textField, textList } from "./json-rows.ts";
import type { PageQuestion } from "./page-questions.ts";
import { checkCounts } from "./published.ts";

const DIALOGUES = "convfinqa/convfinqa_dev_dialogues.json.gz";
const TABLES = "convfinqa/convfinqa_dev_pot.json.gz";
/** Questions and pages without answers. */
export const PRIVATE_TEST_FILE = "convfinqa/test_private.json.gz";
/** What the dev dialogues are read from. */
export const CONVFINQA_FILES = [DIALOGUES, TABLES];
/** Published number of dialogues and turns of dev. */
const PUBLISHED = { dialogues: 421, turns: 1490 };

/** A report page as a file has it. */
export interface FiledPage {
  page: string;
  context: string;
  /** The table inside the context. */
  table: string;
}

/** A conversation; `written` are the annotators' answers, `results` those of the programs. */
export interface Dialogue extends FiledPage {
  questions: string[];
  written: string[];
  results: ProgramValue[];
  /** Of a turn that names a number of the page: that number. */
  programs: string[];
}

/**
 * The dev dialogues. Their first file has every turn, but its tables were made numbers with errors (27% became -27), so the table is taken from
 * the second file, which has the same dialogues in the same order.
 */
export function readDialogues(root: string): Dialogue[] {
  const path = join(root, DIALOGUES);
  const dialogues = listOf(objectOf(parseJson(readText(path), path), path).dev, path, "a list under dev");
  const tables = readJsonList(join(root, TABLES));
  if (tables.length !== dialogues.length)
    throw damaged(path, `${tables.length} dialogues, as the file of tables has`, `${dialogues.length}`);
  return dialogues.map((dialogue, i) => {
    const place = `${path}: dialogue ${i + 1}`;
    const entry = objectOf(dialogue, place);
    const id = textField(entry, "id", place);
    const doc = objectOf(entry.doc, place);
    const turns = objectOf(entry.dialogue, place);
    const tableRow = tables[i]!;
    if (tableRow.row.id !== id) throw damaged(tableRow.place, `the table of ${id}`, JSON.stringify(tableRow.row.id));
    const table = textField(tableRow.row, "table", tableRow.place);
    const questions = textList(turns.conv_questions, place, "questions");
    const written = listOf(turns.conv_answers, place, "answers").map(String);
    const results = listOf(turns.executed_answers, place, "results");
    const programs = textList(turns.turn_program, place, "programs");
    const isWhole =
      questions.length === results.length &&
      written.length === results.length &&
      programs.length === results.length &&
      !results.map(resultText).includes(null);
    if (!isWhole) throw damaged(place, "an answer and a result to each question", JSON.stringify(results));
    const context = pageText(optionalText(doc, "pre_text", place), table, optionalText(doc, "post_text", place));
    return { page: pageOf(id), context, table, questions, written, results: results as ProgramValue[], programs };
  });
}

/** Every turn of the dev dialogues, with the gold answers of the turns before it. */
export function readTurns(root: string, notes: string[]): Numbered<PageQuestion>[] {
  const dialogues = readDialogues(root);
  const turns = dialogues.flatMap((dialogue, i) =>
    turnsOf(dialogue).map((record, k) => ({ number: `${i + 1}.${k + 1}`, record })),
  );
  checkCounts([dialogues.length, turns.length], [PUBLISHED.dialogues, PUBLISHED.turns], () =>
    damaged(
      join(root, DIALOGUES),
      `${PUBLISHED.dialogues} dialogues of ${PUBLISHED.turns} turns, as published`,
      `${dialogues.length} of ${turns.length}`,
    ),
  );
  const numContradicting = dialogues.flatMap(({ written, results }) =>
    results.filter((result, k) => contradicts(written[k]!, result)),
  ).length;
  notes.push(
    `convfinqa: ${dialogues.length} dev dialogues on ${new Set(dialogues.map(({ page }) => page)).size} report pages, ${turns.length} turns; ` +
      `${numContradicting} written answers contradict the program's result beyond rounding; the result is the gold answer.`,
  );
  return turns;
}

/** A conversation as one question a turn. */
function turnsOf({ page, context, table, questions, written, results, programs }: Dialogue): PageQuestion[] {
  const rows = table.split("\n").map((row) => row.split("|").map((cell) => cell.trim()));
  const earlier: { question: string; answer: string }[] = [];
  return questions.map((question, k) => {
    const [value, program] = [results[k]!, programs[k]!];
    const turn: PageQuestion = {
      page,
      context,
      earlier: [...earlier],
      question,
      answer: valueText(value),
      ...(written[k]!.trim() !== "" && { written: written[k]!.trim() }),
      ...(parseProgram(program) !== null && { program: { program, value, table: rows } }),
    };
    earlier.push({ question, answer: turn.answer });
    return turn;
  });
}

/** The pages of the private test, which are FinQA's too. */
export function readPrivatePages(root: string): FiledPage[] {
  return readJsonList(join(root, PRIVATE_TEST_FILE)).map(({ row, place }) => {
    const table = tableText(
      listOf(row.table, place, "rows of cells").map((cells) => listOf(cells, place, "cells").map(String)),
    );
    const text = (field: string) => listOf(row[field], place, `sentences in ${field}`).join("\n");
    return {
      page: pageOf(textField(row, "id", place)),
      context: pageText(text("pre_text"), table, text("post_text")),
      table,
    };
  });
}
