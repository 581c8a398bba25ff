/** @file The chain-of-thought part of the FLAN collection: questions of several datasets, each with its reasoning (Longpre et al. 2023). */

import { join } from "node:path";
import { readText } from "../../formats/files.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { withResult } from "../readers/word-problems.ts";
import { groupOfText } from "../splits/splits.ts";

export interface Reasoned {
  question: string;
  answer: string;
  reasoning: string;
}

const FILES = {
  aqua: "flan-cot/aqua_train.tsv",
  creak: "flan-cot/creak_train.tsv.gz",
  ecqa: "flan-cot/ecqa_train.tsv.gz",
  gsm8k: "flan-cot/gsm8k_train.tsv.gz",
  qasc: "flan-cot/qasc_train.tsv",
  sensemaking: "flan-cot/sensemaking_train.tsv.gz",
  strategyqa: "flan-cot/strategyqa_train.tsv",
};

export const flanCot = defineTask<Reasoned>({
  name: "flan-cot",
  title: "questions answered with reasoning",
  publication: "Longpre et al. 2023, The Flan Collection",
  licence: "Apache 2.0",
  answer: { kind: "text", field: "answer" },
  metric: "exact_match",
  unit: "distinct question",
  variants: {
    all: `the parts ${Object.keys(FILES).join(", ")}`,
    "no-gsm8k": "all but gsm8k, for studies with the task gsm8k, whose training questions it repeats",
  },
  prompts: {
    plain: ({ question }) => `Think step by step, then answer.\n${question}`,
    bare: ({ question }) => question,
  },
  example: ({ question, answer, reasoning }) => ({
    answer: withResult(reasoning, answer),
    group: groupOfText(question),
    text: question,
    gold: { kind: "result", text: answer },
  }),
  local: {
    files: Object.values(FILES),
    read(root, { variant, notes }) {
      const parts = Object.entries(FILES).filter(([name]) => variant !== `no-${name}`);
      const read = parts.map(([name, file]) => {
        const path = join(root, file);
        return { name, rows: parseCot(readText(path), path) };
      });
      const counts = read.map(({ name, rows }) => `${name} ${rows.length}`).join(", ");
      notes.push(
        `flan-cot: ${counts}.${variant === "all" ? " Its gsm8k part repeats the training questions of the task gsm8k: beside that task, use variant no-gsm8k." : ""}`,
      );
      const train = read.flatMap(({ name, rows }) =>
        rows.map(({ number, record }) => ({ number: `${name}.${number}`, record })),
      );
      return { train };
    },
  },
});

/** Lines of question, answer and reasoning between tabs, with line breaks written as the two characters `\n`. */
export function parseCot(text: string, place: string): Numbered<Reasoned>[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const cells = line.split("\t").map((cell) => cell.replaceAll("\\n", "\n").trim());
    const [question, answer, reasoning] = cells;
    if (cells.length !== 3 || !question || !answer || !reasoning) {
      throw damaged(`${place}:${i + 1}`, "question, answer and reasoning between tabs", line);
    }
    return [{ number: i + 1, record: { question, answer, reasoning } }];
  });
}
