/** @file Programs that a model wrote in FinQA's language, scored as the publication does: by their result, and by what they compute. */

import { type ProgramStep, parseProgram, runProgram } from "../base/finqa-program.ts";
import { Rng } from "../base/rng.ts";
import type { ProgramGold } from "../specs/gold.ts";

/** What became of one output. */
export interface ProgramScore {
  /** The program found in the output; null where there is none. It then scores nothing else. */
  program: string | null;
  /** It runs to the gold value, exactly. */
  isExecutionRight: boolean;
  /** It computes the same from the same arguments, whatever the numbers were. */
  isProgramRight: boolean;
}

/**
 * The program in a text: the whole text, or its last line that is one, with what may mark it (`Program:`, code fences, quotes, a full stop)
 * taken off; `EOF` at the end belongs to the published notation.
 */
export function programIn(text: string): string | null {
  // The whole text last: it holds all steps where the lines hold one each.
  const lines = [...text.split(/\r?\n/), text.replace(/\s+/g, " ")];
  const candidates = lines.map((line) =>
    line
      .trim()
      .replace(/^(?:(?:the )?(?:program|answer)(?: is)?\s*:?\s*)/i, "")
      .replace(/^[`"']+|[`"'.]+$/g, "")
      .replace(/,?\s*EOF$/, "")
      .trim(),
  );
  return candidates.findLast((line) => parseProgram(line) !== null) ?? null;
}

/** Scores one output against the gold program. */
export function scoreProgram(output: string, gold: ProgramGold): ProgramScore {
  const program = programIn(output);
  if (program === null) return { program, isExecutionRight: false, isProgramRight: false };
  const isExecutionRight = runProgram(program, gold.table) === gold.value;
  return { program, isExecutionRight, isProgramRight: areSamePrograms(program, gold.program) };
}

/** Points at which two formulas are compared; each alone tells different formulas apart but for a freak of numbers. */
const POINTS = 4;
/** Points tried for so many at which gold comes to a number. */
const MAX_POINTS = 200;
const RELATIVE = 1e-9;

/**
 * Whether two programs are one formula: every argument of the gold program becomes a variable, constants and rows too, and both programs come
 * to the same at random values of them. An argument that gold does not have makes the program wrong, as in the publication's evaluation,
 * which compares the formulas with a computer algebra system instead.
 */
export function areSamePrograms(program: string, gold: string): boolean {
  const [steps, goldSteps] = [parseProgram(program), parseProgram(gold)];
  if (steps === null || goldSteps === null) return false;
  const variables = new Set(goldSteps.flatMap((step) => step.args.map((_, k) => variableOf(step, k))));
  if (steps.some((step) => step.args.some((arg, k) => !arg.startsWith("#") && !variables.has(variableOf(step, k)))))
    return false;
  const rng = new Rng("program points");
  let numSame = 0;
  for (let i = 0; i < MAX_POINTS && numSame < POINTS; i++) {
    const point = new Map([...variables].map((name) => [name, 0.5 + rng.float()]));
    const [values, goldValues] = [valuesAt(steps, point), valuesAt(goldSteps, point)];
    // A root of a negative number says nothing of either formula.
    if (!goldValues.every(Number.isFinite)) continue;
    const isSame = values.length === goldValues.length && values.every((value, k) => isClose(value, goldValues[k]!));
    if (!isSame) return false;
    numSame++;
  }
  return numSame > 0;
}

/** The last step's value; of a comparison the two values compared. */
function valuesAt(steps: readonly ProgramStep[], point: ReadonlyMap<string, number>): number[] {
  const results: number[][] = [];
  for (const step of steps) {
    const args = step.args.map((arg, k) => {
      if (!arg.startsWith("#")) return point.get(variableOf(step, k)) ?? Number.NaN;
      const earlier = results[Number(arg.slice(1))] ?? [];
      return earlier.length === 1 ? earlier[0]! : Number.NaN;
    });
    results.push(FORMULAS[step.op]!(args as [number, number]));
  }
  return results.at(-1)!;
}

const FORMULAS: Readonly<Record<string, (args: [number, number]) => number[]>> = {
  add: ([a, b]) => [a + b],
  subtract: ([a, b]) => [a - b],
  multiply: ([a, b]) => [a * b],
  divide: ([a, b]) => [a / b],
  exp: ([a, b]) => [a ** b],
  greater: ([a, b]) => [a, b],
  table_max: ([a]) => [a],
  table_min: ([a]) => [a],
  table_sum: ([a]) => [a],
  table_average: ([a]) => [a],
};

/** A row's maximum and its minimum are variables of their own. */
function variableOf({ op, args }: ProgramStep, k: number): string {
  return args.length === 1 ? `${op} ${args[k]}` : args[k]!;
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= RELATIVE * Math.max(1, Math.abs(a), Math.abs(b));
}
