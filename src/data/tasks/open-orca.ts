/** @file OpenOrca: general instructions answered by large models (Lian et al. 2023), from the hub only. A mixer. */

import { defineTask } from "../readers/definition.ts";
import { optionalText, textField } from "../readers/json-rows.ts";
import { SYSTEM_QUESTIONS, type SystemQuestion } from "../readers/system-questions.ts";

export const openOrca = defineTask<SystemQuestion>({
  ...SYSTEM_QUESTIONS,
  name: "open-orca",
  title: "general instructions answered by large models",
  publication: "Lian et al. 2023, OpenOrca, after Mukherjee et al. 2023, Orca",
  licence: "reportedly MIT",
  answer: { kind: "text", field: "response" },
  metric: "answer_logprob",
  unit: "distinct question",
  maxTrain: 100_000,
  paper: { shareOfCaps: 1 },
  hub: {
    id: "Open-Orca/OpenOrca",
    splits: { train: "train" },
    columns: [["system_prompt", "system"], "question", "response"],
    seenIn: "meniData1/cocktail_effect src/cocktail.py",
    records(row, place) {
      const response = optionalText(row, "response", place);
      if (response === "") return []; // a few questions were never answered
      const system = optionalText(row, "system_prompt", place);
      return [{ system, question: textField(row, "question", place), response }];
    },
  },
});
