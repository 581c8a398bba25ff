/** @file IFEval: prompts whose instructions a program can check (Zhou et al. 2023). Their answer here is the list of what is to be checked. */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, listOf, objectOf, readJsonLines, textField, textList } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";
import { groupOfText } from "../splits/splits.ts";

interface Instructed {
  prompt: string;
  /** What the response must keep to: an instruction's id and its arguments. */
  checks: { id: string; arguments: JsonObject }[];
}

const FILE = "ifeval/input_data.jsonl";
const PUBLISHED = { test: 541 };

export const ifeval = defineTask<Instructed>({
  name: "ifeval",
  title: "instructions that a program can check",
  publication: "Zhou et al. 2023, Instruction-Following Evaluation for Large Language Models",
  licence: "Apache 2.0",
  answer: { kind: "text", field: "instruction_id_list" },
  metric: "instruction_accuracy",
  unit: "prompt",
  isEvaluationOnly: true,
  published: PUBLISHED,
  prompts: { plain: ({ prompt }) => prompt },
  example: ({ prompt, checks }) => ({
    answer: JSON.stringify(checks),
    group: groupOfText(prompt),
    text: prompt,
    gold: { kind: "instructions", instructions: checks.map(({ id, arguments: kwargs }) => ({ id, kwargs })) },
  }),
  local: {
    files: [FILE],
    read(root, { notes }) {
      const path = join(root, FILE);
      const test = asPublished(readJsonLines(path), PUBLISHED.test, path).map(({ number, row, place }) => ({
        number,
        record: instructedOf(row, place),
      }));
      const all = test.flatMap(({ record }) => record.checks.map(({ id }) => id));
      notes.push(
        `ifeval: ${test.length} prompts with ${all.length} instructions of ${new Set(all).size} kinds; the answer is the list of what to check.`,
      );
      return { test };
    },
  },
  hub: {
    id: "google/IFEval",
    splits: { test: "train" },
    columns: ["prompt", "instruction_id_list", "kwargs"],
    seenIn: "EleutherAI/lm-evaluation-harness lm_eval/tasks/ifeval/ifeval.yaml",
    records: (row, place) => [instructedOf(row, place)],
  },
});

/** Arguments that are null, as tables with one column an argument have them, are no arguments. */
function instructedOf(row: JsonObject, place: string): Instructed {
  const ids = textList(row.instruction_id_list, place, "a list of instruction ids");
  const given = listOf(row.kwargs, place, "a list of arguments").map((value) => objectOf(value, place));
  if (ids.length === 0 || ids.length !== given.length) {
    throw damaged(place, "arguments for each instruction", `${given.length} for ${ids.length}`);
  }
  const checks = ids.map((id, i) => ({
    id,
    arguments: Object.fromEntries(
      Object.entries(given[i] as JsonObject)
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]),
    ),
  }));
  return { prompt: textField(row, "prompt", place), checks };
}
