/** @file LIMA: a thousand curated instructions with long responses, some with earlier turns (Zhou et al. 2023). */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { INSTRUCTIONS, type Instruction } from "../readers/instructions.ts";
import { type JsonObject, listOf, readJsonList, textField, textList } from "../readers/json-rows.ts";

const FILE = "lima/lima.json.gz";

export const lima = defineTask<Instruction>({
  ...INSTRUCTIONS,
  name: "lima",
  title: "curated instructions with long responses",
  publication: "Zhou et al. 2023, LIMA: Less Is More for Alignment",
  licence: "not stated (card reportedly CC BY-NC-SA)",
  answer: { kind: "text", field: "output" },
  metric: "answer_logprob",
  unit: "distinct instruction",
  published: { train: 1030 },
  local: {
    files: [FILE],
    read(root, { notes }) {
      const train = readJsonList(join(root, FILE)).map(({ number, row, place }) => ({
        number,
        record: turnsOf([...historyOf(row, place), textField(row, "instruction", place), row.output], place),
      }));
      notes.push(
        `lima: ${train.length} rows (1030 are published); earlier turns of a conversation stand in the prompt, and its last response is the answer.`,
      );
      return { train };
    },
  },
  hub: {
    id: "GAIR/lima",
    splits: { train: "train" },
    columns: ["conversations"],
    seenIn: "Lightning-AI/litgpt litgpt/data/lima.py",
    records: (row, place) => [turnsOf(listOf(row.conversations, place, "a list of turns"), place)],
  },
});

function historyOf(row: JsonObject, place: string): string[] {
  return listOf(row.history ?? [], place, "a list of earlier turns").flatMap((turn) =>
    textList(turn, place, "a pair of an instruction and its response"),
  );
}

/** A conversation, instruction and response by turns, as its last instruction with all that came before. */
function turnsOf(values: readonly unknown[], place: string): Instruction {
  const turns = textList(values, place, "turns of text");
  const output = turns.at(-1);
  if (output === undefined || turns.length % 2 === 1 || turns.includes("")) {
    throw damaged(place, "instructions and responses by turns", `${turns.length} turns, or an empty one`);
  }
  const [only, ...more] = turns.slice(0, -1) as [string, ...string[]];
  if (more.length === 0) return { instruction: only, input: "", output };
  const earlier = [only, ...more].map((turn, i) => `${i % 2 === 0 ? "User" : "Assistant"}: ${turn}`);
  return { instruction: `Continue this conversation.\n${earlier.join("\n")}`, input: "", output };
}
