/** @file Orca-Math: grade-school word problems with solutions written by a large model (Mitra et al. 2024), from the hub only. A mixer. */

import { defineTask } from "../readers/definition.ts";
import { textField } from "../readers/json-rows.ts";
import { groupOfText } from "../splits/splits.ts";

interface Solved {
  question: string;
  solution: string;
}

export const orcaMath = defineTask<Solved>({
  name: "orca-math",
  title: "word problems with written solutions",
  publication: "Mitra et al. 2024, Orca-Math: Unlocking the potential of SLMs in Grade School Math",
  licence: "reportedly MIT",
  answer: { kind: "text", field: "answer" },
  metric: "answer_logprob",
  unit: "distinct question",
  paper: { shareOfCaps: 0.5 },
  prompts: {
    plain: ({ question }) => `Solve this problem step by step, then give the result.\n${question}`,
    bare: ({ question }) => question,
  },
  example: ({ question, solution }) => ({ answer: solution, group: groupOfText(question), text: question }),
  hub: {
    id: "microsoft/orca-math-word-problems-200k",
    splits: { train: "train" },
    columns: ["question", "answer"],
    seenIn: "meniData1/cocktail_effect src/cocktail.py",
    records: (row, place) => [
      { question: textField(row, "question", place), solution: textField(row, "answer", place) },
    ],
  },
});
