/** @file Instructions with their responses, in the form of Alpaca: an instruction, an input it may have, an output. */

import { groupOfText } from "../splits/splits.ts";
import type { TaskDefinition } from "./definition.ts";

export interface Instruction {
  instruction: string;
  /** What the instruction is about; empty where it says all. */
  input: string;
  output: string;
}

/** What instruction sets share. The wording `alpaca` has the headings of the Alpaca template, in our own words. */
export const INSTRUCTIONS = {
  prompts: {
    plain: wordsOf,
    alpaca: ({ instruction, input }) =>
      input === ""
        ? `Here is an instruction. Write a response that does what it asks.\n\n### Instruction:\n${instruction}\n\n### Response:`
        : `Here is an instruction with an input it is about. Write a response that does what it asks.\n\n### Instruction:\n${instruction}\n\n### Input:\n${input}\n\n### Response:`,
  },
  example: (record) => ({ answer: record.output, group: groupOfText(wordsOf(record)), text: wordsOf(record) }),
} satisfies Pick<TaskDefinition<Instruction>, "prompts" | "example">;

function wordsOf({ instruction, input }: Instruction): string {
  return input === "" ? instruction : `${instruction}\n\n${input}`;
}
