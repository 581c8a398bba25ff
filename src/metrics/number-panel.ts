/**
 * @file One answer to a question for a number, judged by six scorers side by side, so that a reader sees how much of a score is the scorer.
 *
 * | scorer | right is |
 * | --- | --- |
 * | own_strict, own_lenient | number-answer.ts |
 * | official_execution | FinQA: a program that runs to the gold result, exactly at five decimals; not applicable where no program was written |
 * | finben | FinBen's EmAcc: the whole output, without white space around it, is the gold text letter for letter |
 * | adaptllm | any number of the output within 0.01 of gold, units aside; an output full of numbers is often right |
 * | helm | HELM's ConvFinQA: the first number of the output within 1e-6 of gold, no percent and no units |
 *
 * The published rules are written from what the scripts do: The-FinAI/PIXIU @da45ac4, czyssrs/FinQA @0f16e28, microsoft/LMOps, HELM @63754d05d.
 */

import type { NumberGold, ProgramGold } from "../specs/gold.ts";
import { equalsGold, readNumberLenient, readNumberStrict } from "./number-answer.ts";
import { scoreProgram } from "./program.ts";

export const NUMBER_SCORERS = [
  "own_strict",
  "own_lenient",
  "official_execution",
  "finben",
  "adaptllm",
  "helm",
] as const;
export type NumberScorer = (typeof NUMBER_SCORERS)[number];

/** Right, wrong, or null where a scorer does not apply. */
export type PanelVerdict = Readonly<Record<NumberScorer, boolean | null>>;

/** An output and what it is judged by. */
export interface PanelItem {
  output: string;
  gold: NumberGold;
  program?: ProgramGold;
}

/** Every scorer's verdict on one output. */
export function judgeNumber({ output, gold, program }: PanelItem): PanelVerdict {
  const scored = program === undefined ? null : scoreProgram(output, program);
  return {
    own_strict: equalsGold(readNumberStrict(output), gold, "strict"),
    own_lenient: equalsGold(readNumberLenient(output), gold, "lenient"),
    official_execution: scored === null || scored.program === null ? null : scored.isExecutionRight,
    finben: output.trim() === gold.answer,
    adaptllm: adaptllm(output, gold.answer),
    helm: helm(output, gold.answer),
  };
}

/** A decimal number as simple scripts find it: a minus and the digits, commas dropped, nothing of units or brackets. */
const SIMPLE_NUMBER = /-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)/g;

function simpleNumbers(text: string): number[] {
  return (text.match(SIMPLE_NUMBER) ?? []).map((number) => Number(number.replaceAll(",", "")));
}

/** Not applicable where gold is no number. Exactly 0.01 off is within, whichever way it rounds. */
function adaptllm(output: string, answer: string): boolean | null {
  const gold = goldNumber(answer);
  return gold === null ? null : simpleNumbers(output).some((number) => Math.abs(number - gold) <= 0.01 + 1e-12);
}

/** Not applicable where gold is no number: there the script's own description and its code differ. */
function helm(output: string, answer: string): boolean | null {
  const gold = goldNumber(answer);
  const [first] = simpleNumbers(output);
  return gold === null ? null : first !== undefined && Math.abs(first - gold) < 1e-6;
}

function goldNumber(answer: string): number | null {
  const value = answer.trim() === "" ? Number.NaN : Number(answer.replaceAll(",", ""));
  return Number.isNaN(value) ? null : value;
}
