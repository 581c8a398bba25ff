/** @file BIG-Bench Hard: 27 subtasks of reasoning, answers in a few words or letters (Suzgun et al. 2022). */

import { join } from "node:path";
import { decodeUtf8 } from "../../formats/files.ts";
import { readZip } from "../../formats/zip.ts";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { listOf, objectOf, parseJson, textField } from "../readers/json-rows.ts";
import { asPublished } from "../readers/published.ts";

interface Puzzle {
  subtask: string;
  input: string;
  target: string;
}

const FILE = "bbh/bbh.zip";
const PUBLISHED = { test: 6511 };

export const bbh = defineTask<Puzzle>({
  name: "bbh",
  title: "27 kinds of reasoning, answers in a few words",
  publication: "Suzgun et al. 2022, Challenging BIG-Bench Tasks and Whether Chain-of-Thought Can Solve Them",
  licence: "MIT",
  answer: { kind: "text", field: "target" },
  metric: "exact_match",
  unit: "distinct question of a subtask",
  isEvaluationOnly: true,
  published: PUBLISHED,
  prompts: {
    plain: ({ input }) => `Answer with the result alone.\n${input}`,
    harness: ({ input }) => `Q: ${input}\nA:`,
  },
  // its text whole, as brackets and operators are all that some questions differ in
  example: ({ subtask, input, target }) => ({
    answer: target,
    group: `${subtask}: ${input}`,
    text: input,
    gold: { kind: "result", text: target },
  }),
  local: {
    files: [FILE],
    read(root, { notes }) {
      const path = join(root, FILE);
      const all = [...readZip(path)].flatMap(([entry, bytes]) => {
        const subtask = /(?:^|\/)(\w+)\.json$/.exec(entry)?.[1];
        if (subtask === undefined) return [];
        return parsePuzzles(decodeUtf8(bytes, `${path}: ${entry}`), subtask, `${path}: ${entry}`);
      });
      const test = [...asPublished(all, PUBLISHED.test, path)];
      notes.push(
        `bbh: ${test.length} questions of ${new Set(test.map(({ record }) => record.subtask)).size} subtasks.`,
      );
      return { test };
    },
  },
});

export function parsePuzzles(text: string, subtask: string, place: string): Numbered<Puzzle>[] {
  const { examples } = objectOf(parseJson(text, place), place);
  return listOf(examples, place, "a list of examples").map((value, i) => {
    const at = `${place}:${i + 1}`;
    const row = objectOf(value, at);
    return {
      number: `${subtask}.${i + 1}`,
      record: { subtask, input: textField(row, "input", at), target: textField(row, "target", at) },
    };
  });
}
