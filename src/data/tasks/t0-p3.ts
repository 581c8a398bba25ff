/** @file A sample of T0's training mixture: prompts of the P3 collection over many datasets (Sanh et al. 2022), as sampled for Self-Instruct. */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, readJsonLines, textField } from "../readers/json-rows.ts";
import { groupOfText } from "../splits/splits.ts";

interface Prompted {
  prompt: string;
  completion: string;
}

const FILE = "t0-p3-sample/t0_train_50k_prompts_le1500chars.jsonl.gz";
/** Stands at the end of each completion of the file. */
const END = "<|endoftext|>";

export const t0P3 = defineTask<Prompted>({
  name: "t0-p3",
  title: "general instructions over many datasets, short answers",
  publication: "Sanh et al. 2022, T0 and P3; a sample of Wang et al. 2023, Self-Instruct",
  licence: "Apache 2.0",
  answer: { kind: "text", field: "completion" },
  metric: "answer_logprob",
  unit: "distinct prompt",
  prompts: { plain: ({ prompt }) => prompt },
  example: ({ prompt, completion }) => ({ answer: completion, group: groupOfText(prompt), text: prompt }),
  // What is asked for mostly stands behind the text that it is asked of.
  fit: { text: ({ prompt }) => prompt, keep: "end" },
  local: {
    files: [FILE],
    read(root, { notes }) {
      const rows = readJsonLines(join(root, FILE));
      const train = rows.flatMap(({ number, row, place }) =>
        promptedOf(row, place).map((record) => ({ number, record })),
      );
      const templates = new Set(rows.map(({ row }) => row._template));
      notes.push(
        `t0-p3: ${rows.length} prompts of ${templates.size} templates, at most 1500 characters each; a sample of P3, not the whole. ` +
          `${rows.length - train.length} without a completion are left out.`,
      );
      return { train };
    },
  },
});

/** None for the few rows whose completion is only its end. */
function promptedOf(row: JsonObject, place: string): Prompted[] {
  const written = textField(row, "completion", place);
  const completion = (written.endsWith(END) ? written.slice(0, -END.length) : written).trim();
  return completion === "" ? [] : [{ prompt: textField(row, "prompt", place), completion }];
}
