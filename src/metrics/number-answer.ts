/**
 * @file Whether a text answers a question that asks for a number: what is taken for the answer, and when it equals the gold one.
 *
 * | reading | what is taken for the answer |
 * | --- | --- |
 * | strict  | the whole text, or all that follows the last `The answer is` at the beginning of a line; it must be one number, or yes or no |
 * | lenient | the first number, or yes or no, after the last mark (`answer is`, `Answer:`, `####`, `\boxed{`); without a mark the last number of the text, or the last yes or no where there is no number |
 *
 * No reading tries all numbers of a text. Where gold is stated to some digits, half a unit of the last is allowed; where it is a computed
 * result, strict allows what its five decimals leave open and lenient a thousandth of it.
 */

import { contradicts, resultText, resultValue } from "../base/finqa-program.ts";
import type { NumberGold } from "../specs/gold.ts";
import { halfUnit, magnitude, numbersIn, type ParsedNumber, parseNumber } from "./number-text.ts";

export type NumberAnswer = ParsedNumber | "yes" | "no";

const MARKED = /(?:^|\n)\s*The answer is:?/g;
const LOOSELY_MARKED = /answer\s+is\b:?|answer\s*:|####|\\boxed\{/gi;
/** Computed results have five decimals. */
const COMPUTED_HALF_UNIT = 0.5e-5;
/** For results whose digits nobody stated. */
const LENIENT_RELATIVE = 1e-3;
/** Room for the last places of floating point: some tens of units of a double's last place. */
const ROUNDING = 1e-14;

/** The answer by the strict reading, or null. */
export function readNumberStrict(text: string): NumberAnswer | null {
  const rest = afterLast(text, MARKED) ?? text;
  return yesOrNo(rest.trim().replace(/\.$/, "")) ?? parseNumber(rest);
}

/** The answer by the lenient reading, or null. */
export function readNumberLenient(text: string): NumberAnswer | null {
  const marked = afterLast(text, LOOSELY_MARKED);
  const numbers = numbersIn(marked ?? text);
  const words = (marked ?? text).match(/(?<![\p{L}\p{N}_])(?:yes|no)(?![\p{L}\p{N}_])/giu) ?? [];
  const at = marked === undefined ? -1 : 0;
  return numbers.at(at) ?? yesOrNo(words.at(at) ?? "");
}

/** Whether an answer equals one of the gold forms. `tolerance` is what a computed result leaves open. */
export function equalsGold(answer: NumberAnswer | null, gold: NumberGold, tolerance: "strict" | "lenient"): boolean {
  if (answer === null) return false;
  if (typeof answer === "string") return goldForms(gold).some((form) => form === answer);
  return goldForms(gold).some((form) => typeof form !== "string" && isClose(answer, form, gold, tolerance));
}

/** Whether the two gold fields contradict each other beyond rounding; such items are reported with and without. */
export function isGoldConflict({ answer, written }: NumberGold): boolean {
  if (written === undefined) return false;
  const result = resultText(answer);
  return result !== null && contradicts(written, resultValue(result));
}

interface GoldForm {
  number: ParsedNumber;
  isWritten: boolean;
}

function goldForms({ answer, written }: NumberGold): (GoldForm | "yes" | "no")[] {
  return [answer, written].flatMap((text, k) => {
    if (text === undefined) return [];
    const word = yesOrNo(text.trim());
    const [only, ...others] = numbersIn(text);
    // Annotators wrote words around their number; of several nobody can say which is meant.
    const number = parseNumber(text) ?? (k === 1 && others.length === 0 ? (only ?? null) : null);
    return word ?? (number === null ? [] : { number, isWritten: k === 1 });
  });
}

function isClose(
  answer: ParsedNumber,
  { number, isWritten }: GoldForm,
  gold: NumberGold,
  tolerance: "strict" | "lenient",
): boolean {
  if (isLongWhole(answer) && isLongWhole(number)) return answer.exact === number.exact;
  const wanted = magnitude(number);
  const relative = tolerance === "lenient" ? LENIENT_RELATIVE * Math.abs(wanted) : 0;
  const allowed = isWritten ? halfUnit(number) : Math.max(COMPUTED_HALF_UNIT, relative);
  const isPercent = gold.isPercent || gold.written?.includes("%") || number.unit === "percent";
  // A bare gold number is a fraction where percentages are asked for, and in the stated unit where amounts are.
  const percents = isPercent && answer.unit === "none" ? [1, 1e-2] : [1];
  const scales = [1, ...(gold.scale === undefined ? [] : scalings(answer, number, gold.scale))];
  return percents.some((percent) =>
    scales.some(
      (scale) => Math.abs(magnitude(answer) * percent * scale - wanted) <= allowed + ROUNDING * Math.abs(wanted),
    ),
  );
}

/** A whole number that a double rounds: two of them are the same or not, to the last digit. */
function isLongWhole({ exact, scale, unit }: ParsedNumber): boolean {
  return exact !== undefined && !exact.includes(".") && scale === 1 && unit === "none";
}

function scalings(answer: ParsedNumber, gold: ParsedNumber, stated: number): number[] {
  if (gold.scale === 1) return [1 / stated];
  return answer.scale === 1 ? [stated] : [];
}

/** What follows the last match of a mark; undefined where there is none. */
function afterLast(text: string, mark: RegExp): string | undefined {
  const last = [...text.matchAll(mark)].at(-1);
  return last === undefined ? undefined : text.slice(last.index + last[0].length);
}

function yesOrNo(text: string): "yes" | "no" | null {
  const lower = text.toLowerCase();
  return lower === "yes" || lower === "no" ? lower : null;
}
