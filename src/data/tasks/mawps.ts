/** @file MAWPS: word problems gathered from earlier collections (Koncel-Kedziorski et al. 2016), in the split of the LLM-Adapters repository. */

import { join } from "node:path";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, readJsonList, textField } from "../readers/json-rows.ts";
import { asPublished, withoutHeldOut } from "../readers/published.ts";
import { numberText, PROBLEMS, type Problem } from "../readers/word-problems.ts";

const FILES = { train: "mawps/trainset.json", dev: "mawps/validset.json", test: "mawps/testset.json" };
const PUBLISHED = { train: 1898, dev: 237, test: 238 };

export const mawps = defineTask<Problem>({
  ...PROBLEMS,
  name: "mawps",
  title: "word problems of several collections",
  publication: "Koncel-Kedziorski et al. 2016, MAWPS; split as the LLM-Adapters repository has it",
  licence: "ODC-By (carrying repository)",
  answer: { kind: "number", field: "ans" },
  metric: "number_accuracy",
  unit: "distinct problem",
  published: { test: PUBLISHED.test }, // of dev, rows that are in test are left out
  local: {
    files: Object.values(FILES),
    read(root, { notes }) {
      const read = (split: keyof typeof FILES) => {
        const path = join(root, FILES[split]);
        return asPublished(readJsonList(path), PUBLISHED[split], path).map(({ number, row, place }) => ({
          number,
          record: problemOf(row, place),
        }));
      };
      const splits = { train: read("train"), dev: read("dev"), test: read("test") };
      notes.push("mawps: 1898 training, 237 dev and 238 test problems, all read.");
      return withoutHeldOut("mawps", splits, ({ question }) => question, notes);
    },
  },
});

function problemOf(row: JsonObject, place: string): Problem {
  return { question: textField(row, "original_text", place), answer: numberText(row.ans, place) };
}
