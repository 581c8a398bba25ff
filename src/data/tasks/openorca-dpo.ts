/** @file OpenOrca preference pairs, their preferred answers only: a small stand-in where OpenOrca itself cannot be had. */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { type JsonObject, listOf, objectOf, optionalText, readJsonLines, textField } from "../readers/json-rows.ts";
import { SYSTEM_QUESTIONS, type SystemQuestion } from "../readers/system-questions.ts";

const FILE = "openorca-dpo-sample/orca_dpo_pairs_validation.jsonl";

export const openorcaDpo = defineTask<SystemQuestion>({
  ...SYSTEM_QUESTIONS,
  name: "openorca-dpo",
  title: "stand-in for open-orca: preferred answers of its preference pairs",
  publication: "Lian et al. 2023, OpenOrca; Intel/orca_dpo_pairs, 2023",
  licence: "MIT",
  answer: { kind: "text", field: "chosen" },
  metric: "answer_logprob",
  unit: "distinct question",
  local: {
    files: [FILE],
    read(root, { notes }) {
      const train = readJsonLines(join(root, FILE)).map(({ number, row, place }) => ({
        number,
        record: pairOf(row, place),
      }));
      notes.push(
        `openorca-dpo: ${train.length} preference pairs, of which the preferred answer is used; not OpenOrca itself.`,
      );
      return { train };
    },
  },
  hub: {
    id: "Intel/orca_dpo_pairs",
    splits: { train: "train" },
    columns: ["system", ["question", "input", "prompt"], "chosen"],
    seenIn: "axolotl-ai-cloud/axolotl src/axolotl/prompt_strategies/dpo/chatml.py",
    records: (row, place) => [
      {
        system: optionalText(row, "system", place),
        question: textField(row, "question", place),
        response: textField(row, "chosen", place),
      },
    ],
  },
});

/** A pair in the form of preference tuning: messages, then two lists of one answer each. */
function pairOf(row: JsonObject, place: string): SystemQuestion {
  const messages = listOf(objectOf(row.input, place).messages, place, "a list of messages").map((message) =>
    objectOf(message, place),
  );
  const said = (role: string) => messages.filter((message) => message.role === role);
  const [user, ...more] = said("user");
  const [preferred] = listOf(row.preferred_output, place, "a list with the preferred answer");
  if (user === undefined || more.length > 0) throw damaged(place, "one message of the user", `${more.length + 1}`);
  return {
    system: said("system")
      .map((message) => textField(message, "content", place))
      .join("\n"),
    question: textField(user, "content", place),
    response: textField(objectOf(preferred, place), "content", place),
  };
}
