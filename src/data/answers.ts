/**
 * @file Answers as text and back, one rule for each kind: a row's field becomes the canonical text that is trained on, and a model's text becomes
 * a value again. Scoring, which forgives more than one spelling, is not here.
 *
 * | kind           | value                 | canonical text                                             |
 * | label          | one of the labels     | the label; a row's may differ by case and blanks            |
 * | text, document | text                  | itself, without white space around it                      |
 * | number         | a finite number       | its shortest decimal form: 1234.5, -0.25, 1e+21; after a    |
 * |                |                       | worked solution on a line of its own: `The answer is 1234.5`|
 * |                | or yes, no            | itself: what a question that compares two numbers has      |
 * | spans          | list of {text, type}  | `type: text; type: text`, or `none`                        |
 */

import { resultIn } from "../base/result-mark.ts";
import { type Span, spansIn, spansText } from "../base/span-text.ts";
import type { AnswerSpec } from "../specs/types.ts";

export type AnswerValue = string | number | Span[];

/** Why a field is no answer of its kind, in words that go on after the field's name: `is empty`. */
export interface NoAnswer {
  problem: string;
}

/** 12, -3.5, +.5, 1e-3, and 1,234.5 with commas between thousands. */
const NUMBER = /^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** The text that a value is trained as. */
export function renderAnswer(value: AnswerValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value === 0 ? 0 : value);
  return spansText(value);
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
  if (typeof field === "object" && field !== null)
    return { problem: `is a ${Array.isArray(field) ? "list" : "nested object"}, not a text or number` };
  if (typeof field === "number" && !Number.isFinite(field)) return { problem: "is not a number (NaN)" };
  const text = String(field ?? "").trim();
  if (text === "") return { problem: "is empty" };
  if (answer.kind === "number") return numberOf(text) ?? { problem: `"${excerpt(text)}" is not a number` };
  if (answer.kind === "label")
    return (
      labelOf(answer.labels, text) ?? {
        problem: `"${excerpt(text)}" is not one of the labels ${answer.labels.join(", ")}`,
      }
    );
  return text;
}

/** The label that a text is: itself, else the only one that differs from it by case and blanks alone. */
function labelOf(labels: readonly string[], text: string): string | undefined {
  if (labels.includes(text)) return text;
  const folded = foldLabel(text);
  const alike = labels.filter((label) => foldLabel(label) === folded);
  return alike.length === 1 ? alike[0] : undefined;
}

/** A label without its case, and with single blanks. */
export function foldLabel(label: string): string {
  return label.normalize("NFC").toLowerCase().trim().replace(/\s+/gu, " ");
}

function comparisonIn(text: string): "yes" | "no" | undefined {
  return text === "yes" || text === "no" ? text : undefined;
}

/** Undefined for what is no number, and for whole numbers with more digits than a number holds. */
function numberOf(text: string): number | undefined {
  if (!NUMBER.test(text) || !/\d/.test(text.replace(/e.*$/i, ""))) return undefined;
  const value = Number(text.replaceAll(",", ""));
  const isExact = !/^[+-]?[\d,]+$/.test(text) || Number.isSafeInteger(value);
  return Number.isFinite(value) && isExact ? value : undefined;
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
