/** @file Alpaca: general instructions made by a large model from a few seeds (Taori et al. 2023). */

import { join } from "node:path";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { INSTRUCTIONS, type Instruction } from "../readers/instructions.ts";
import { type JsonObject, optionalText, readJsonList, textField } from "../readers/json-rows.ts";

/**
 * Parts of Alpaca whose outputs are the original ones. Beside them, alpaca_en_demo_1000.json has rewritten answers, and alpaca_data_1807.json comes
 * from a study of planted triggers of which only the overlapping rows could be checked: neither is read.
 */
const FILES = ["alpaca/alpaca_5000.json.gz", "alpaca/alpaca_data_2000.json.gz", "alpaca/alpaca_ref_500.json"];

export const alpaca = defineTask<Instruction>({
  ...INSTRUCTIONS,
  name: "alpaca",
  title: "general instructions with short responses",
  publication: "Taori et al. 2023, Stanford Alpaca",
  licence: "CC BY-NC 4.0",
  answer: { kind: "text", field: "output" },
  metric: "answer_logprob",
  unit: "distinct instruction with its input",
  published: { train: 52_002 },
  local: {
    files: FILES,
    read(root, { notes }) {
      const seen = new Set<string>();
      const train: Numbered<Instruction>[] = [];
      const counts = { rows: 0, repeats: 0, unanswered: 0 };
      for (const [f, file] of FILES.entries()) {
        for (const { number, row, place } of readJsonList(join(root, file))) {
          counts.rows++;
          const [record] = instructionOf(row, place);
          const key = JSON.stringify(record);
          if (record === undefined) counts.unanswered++;
          else if (seen.has(key)) counts.repeats++;
          else train.push({ number: `${f + 1}.${number}`, record });
          seen.add(key);
        }
      }
      notes.push(
        `alpaca: ${counts.rows} rows of ${FILES.length} overlapping files, ${counts.repeats} repeats and ${counts.unanswered} without a response left ` +
          `out, ${train.length} remain of the published 52002. alpaca_data_1807.json is not used: it comes from a study of planted triggers and was not ` +
          "checked whole; nor is alpaca_en_demo_1000.json, whose answers are rewritten.",
      );
      return { train };
    },
  },
  hub: {
    id: "tatsu-lab/alpaca",
    splits: { train: "train" },
    columns: ["instruction", "input", "output"],
    seenIn: "pytorch/torchtune torchtune/datasets/_alpaca.py",
    records: instructionOf,
  },
});

/** None for the few rows without a response. `<noinput>` is the generator's word for an empty input. */
function instructionOf(row: JsonObject, place: string): Instruction[] {
  const output = optionalText(row, "output", place);
  if (output === "") return [];
  const input = optionalText(row, "input", place);
  return [
    {
      instruction: textField(row, "instruction", place),
      input: /^<no ?input>$/i.test(input) ? "" : input,
      output,
    },
  ];
}
