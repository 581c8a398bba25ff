/**
 * @file What a scorer must know of a gold answer beyond its text. Here because data fills it in and metrics read it, and neither may know the other.
 */

import type { ProgramValue } from "../base/finqa-program.ts";

/** The gold answer of a question for a number, in one or two forms: right is who equals either. */
export interface NumberGold {
  /** The result as canonical text: a computed number of up to five decimals, or `yes` or `no`. */
  answer: string;
  /** What an annotator wrote, to the digits written: `9.37%`. */
  written?: string;
  /** The question asks for a percentage: 9.37 and 0.0937 are then the same. Also where the written answer has a percent sign. */
  isPercent?: boolean;
  /** The question states that amounts are in thousands, millions …: 1.2 and 1,200,000 are then the same. */
  scale?: number;
}

/** A question's gold program, the value it comes to, and the table that table operations read. */
export interface ProgramGold {
  program: string;
  value: ProgramValue;
  table: readonly (readonly string[])[];
}

/** An instruction of IFEval as the data set names it, with its arguments; those that are null are absent. */
export interface Instruction {
  id: string;
  kwargs: Readonly<Record<string, unknown>>;
}

/** TAT-QA's words for how large a number's unit is. */
export const TAT_QA_SCALES = ["", "thousand", "million", "billion", "percent"] as const;
export type TatQaScale = (typeof TAT_QA_SCALES)[number];

/** An answer of TAT-QA: one part, or several where its type is multi-span, and the scale of its numbers. */
export interface TatQaGold {
  type: "span" | "multi-span" | "arithmetic" | "count";
  parts: readonly string[];
  scale: TatQaScale;
}

/** Absent where the answer's text says all: most numbers, spans, free text. */
export type Gold =
  | { kind: "number"; number: NumberGold; program?: ProgramGold }
  | { kind: "tat-qa"; answer: TatQaGold }
  | { kind: "instructions"; instructions: readonly Instruction[] }
  /** A result that is right to the letter or wrong (`\\frac{1}{2}`, `(B)`, `] )`), which may stand behind a worked solution. */
  | { kind: "result"; text: string };
