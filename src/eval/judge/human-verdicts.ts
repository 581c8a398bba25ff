/** @file Answers that people judged, from a file: what a panel is calibrated on. */

import { DataError } from "../../base/errors.ts";
import { WrittenNumber } from "../../base/written-number.ts";
import { readAllRows } from "../../formats/row-file.ts";
import type { Verdict } from "../../specs/verdicts.ts";
import type { AnswerToJudge } from "./prompt.ts";

/** An answer and what a person says of it. */
export interface HumanVerdict extends AnswerToJudge {
  /** `<file>:<line>` */
  id: string;
  human: Verdict;
}

type Field = "question" | "reference" | "answer" | "verdict";
type Names = Readonly<Record<Field, string>>;

/** Our own names, and those of the result files that FinanceBench's authors released. */
const COLUMNS: readonly Names[] = [
  { question: "question", reference: "reference", answer: "answer", verdict: "verdict" },
  { question: "question", reference: "gold_answer", answer: "model_answer", verdict: "label" },
];

const WORDS: Readonly<Record<string, Verdict>> = {
  correct: "correct",
  "correct answer": "correct",
  incorrect: "incorrect",
  "incorrect answer": "incorrect",
  refused: "refused",
  refusal: "refused",
};

/**
 * Reads the rows of a file (row-file.ts), by our column names or FinanceBench's.
 * @throws {DataError} no rows, columns that are not there, an empty question or reference, a verdict that is none
 */
export async function readHumanVerdicts(path: string): Promise<HumanVerdict[]> {
  const rows = await readAllRows(path);
  const [first] = rows;
  if (first === undefined) throw wrong(path, "answers with human verdicts", "no rows");
  const names = COLUMNS.find((columns) => Object.values(columns).every((name) => name in first.fields));
  if (names === undefined) {
    const expected = COLUMNS.map((columns) => `columns ${Object.values(columns).join(", ")}`).join("; or ");
    throw wrong(path, expected, Object.keys(first.fields).join(", "));
  }
  return rows.map(({ line, fields }) => {
    const id = `${path}:${line}`;
    const text = (field: Field) => textIn(fields[names[field]], `${id}: ${names[field]}`, field === "answer");
    const said = text("verdict");
    const human = WORDS[said.trim().toLowerCase()];
    if (human === undefined) throw wrong(`${id}: ${names.verdict}`, "correct, incorrect or refused", said);
    return { id, question: text("question"), reference: text("reference"), answer: text("answer"), human };
  });
}

/** References may be numbers; answers may be empty. */
function textIn(value: unknown, place: string, mayBeEmpty: boolean): string {
  if (value instanceof WrittenNumber || (typeof value === "number" && Number.isFinite(value))) return `${value}`;
  if (typeof value === "string" && (mayBeEmpty || value.trim() !== "")) return value;
  const got = value === undefined || value === null ? "none" : value === "" ? "nothing" : `a ${typeof value}`;
  throw wrong(place, "a text or a number", got);
}

function wrong(place: string, expected: string, got: string): DataError {
  return new DataError({ place, expected, got, remedy: "Fix the file of options.calibrate." });
}
