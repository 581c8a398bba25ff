/**
 * @file Answers as text and back, one rule for each kind: a row's field becomes the canonical text that is trained on, and a model's text becomes
 * a value again. Scoring, which forgives more than one spelling, is not here.
 *
 * | kind           | value                 | canonical text                                             |
 * | label          | one of the labels     | the label; a row's may differ by case and blanks            |
 * | text, document | text                  | itself, without white space around it                      |
 * | number         | a finite number       | its own digits, without commas or a plus sign: 1234.50, 1e5;|
 * |                |                       | after a worked solution on a line of its own:               |
 * |                |                       | `The answer is 1234.5`                                      |
 * |                | or yes, no            | itself: what a question that compares two numbers has      |
 * | spans          | list of {text, type}  | `type: text; type: text`, or `none`                        |
 */

import { resultIn } from "../base/result-mark.ts";
import { shortList } from "../base/short-list.ts";
import { type Span, spansIn, spansText } from "../base/span-text.ts";
import { composed } from "../base/unicode.ts";
import { isNested, type WrittenNumber, writtenNumber } from "../base/written-number.ts";
import { UnreadableValue } from "../formats/row.ts";
import type { AnswerSpec } from "../specs/types.ts";

/**
 * Tokens of the longest number that generation is held to, and its end: each has a character or more of ` -$123,456,789,012.345`, or one digit fewer
 * before a %.
 */
export const MAX_NUMBER_TOKENS = 32;

export type AnswerValue = string | number | WrittenNumber | Span[];

/** Why a field is no answer of its kind, in words that go on after the field's name: `is empty`. */
export interface NoAnswer {
  problem: string;
  /** The row says itself that it is not to be used: it is counted, and no fault. */
  isLeftOut?: true;
  /** The field's text, where it is none of the task's labels. */
  strange?: string;
}

/** 12, -3.5, +.5, 1e-3, and 1,234.5 with commas between thousands. */
const NUMBER = /^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?(?:e[+-]?\d+)?$/i;
/** 12, -3,5, and 1.234,5 with points or blanks between thousands. */
const COMMA_NUMBER = /^[+-]?(?:\d+|\d{1,3}(?:[.\s]\d{3})+)(?:,\d+)?$/;

/** The text that a value is trained as. */
export function renderAnswer(value: AnswerValue): string {
  return Array.isArray(value) ? spansText(value) : String(value);
}

/** The value that a canonical text says, or undefined where it says none of its kind. */
export function parseAnswer(answer: AnswerSpec, text: string): AnswerValue | undefined {
  const trimmed = text.trim();
  if (answer.kind === "label") return answer.labels.includes(trimmed) ? trimmed : undefined;
  if (answer.kind === "number") return comparisonIn(resultIn(trimmed)) ?? numberOf(resultIn(trimmed));
  if (answer.kind === "spans") return spansIn(trimmed);
  return trimmed;
}

/**
 * A row's field as a value of the task's kind, checked: what cannot be trained on is named.
 * Spans are a list of `{text, type}` objects (other keys are left aside) or a JSON text of one, or their canonical text.
 */
export function answerOf(answer: AnswerSpec, field: unknown): AnswerValue | NoAnswer {
  if (answer.kind === "spans") return spansOf(field);
  const found = fieldText(field);
  if (typeof found !== "string") return found;
  const text = found.trim();
  if (answer.kind === "number")
    return numberOf(text, answer.decimal) ?? { problem: `"${excerpt(text)}" is not a number` };
  if (answer.kind === "label")
    return (
      labelOf(answer.labels, text) ?? {
        problem: `"${excerpt(text)}" is not one of the labels ${shortList(answer.labels)}`,
        strange: text,
      }
    );
  return text;
}

/** The text that a field's value is, as the file has it; or why it is none, in words that go on after the field's name: `is empty`. */
export function fieldText(value: unknown): string | NoAnswer {
  if (value instanceof UnreadableValue) return { problem: `cannot be read (${value.reason})` };
  if (isNested(value)) return { problem: `is ${nestedName(value)}, not a text or number` };
  if (typeof value === "number" && !Number.isFinite(value)) return { problem: "is not a number (NaN)" };
  const text = String(value ?? "");
  return text.trim() === "" ? { problem: "is empty" } : text;
}

function nestedName(value: object): string {
  if (ArrayBuffer.isView(value)) return "bytes";
  return Array.isArray(value) ? "a list" : "a nested object";
}

/** The label that a text is: itself in any form of Unicode, else the only one that differs from it by case and blanks alone. */
function labelOf(labels: readonly string[], text: string): string | undefined {
  if (labels.includes(text)) return text;
  const same = labels.find((label) => composed(label) === composed(text));
  if (same !== undefined) return same;
  const folded = foldLabel(text);
  const alike = labels.filter((label) => foldLabel(label) === folded);
  return alike.length === 1 ? alike[0] : undefined;
}

/** A label without its case, and with single blanks. */
export function foldLabel(label: string): string {
  return composed(label).toLowerCase().trim().replace(/\s+/gu, " ");
}

function comparisonIn(text: string): "yes" | "no" | undefined {
  return text === "yes" || text === "no" ? text : undefined;
}

/** Undefined for what is no number, or too large for one. */
function numberOf(text: string, decimal?: ","): number | WrittenNumber | undefined {
  if (decimal === ",")
    return COMMA_NUMBER.test(text) ? numberOf(text.replace(/[.\s]/g, "").replace(",", ".")) : undefined;
  if (!NUMBER.test(text) || !/\d/.test(text.replace(/e.*$/i, ""))) return undefined;
  const digits = text.replaceAll(",", "").replace(/^\+/, "");
  return Number.isFinite(Number(digits)) ? writtenNumber(digits) : undefined;
}

function spansOf(field: unknown): Span[] | NoAnswer {
  const list = typeof field === "string" ? (jsonIn(field) ?? spansIn(field.trim())) : field;
  if (!Array.isArray(list)) return { problem: "is not a list of {text, type} objects" };
  const spans: Span[] = [];
  for (const [i, span] of list.entries()) {
    const { text, type } = (span ?? {}) as Record<string, unknown>;
    if (typeof text !== "string" || typeof type !== "string" || text === "" || type === "")
      return { problem: `has no text and type in span ${i + 1}` };
    spans.push({ text, type });
  }
  return spans;
}

function jsonIn(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function excerpt(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
