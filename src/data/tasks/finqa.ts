/** @file FinQA: numerical questions on pages of financial reports (Chen et al. 2021), with the splits of the publication. */

import { resultText } from "../../base/finqa-program.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { pageOfText } from "../readers/finance-page.ts";
import { FINQA_FILES, readFinqa } from "../readers/finqa-files.ts";
import { PAGE_QUESTIONS, type PageQuestion } from "../readers/page-questions.ts";

export const finqa = defineTask<PageQuestion>({
  ...PAGE_QUESTIONS,
  name: "finqa",
  title: "numerical questions on report pages",
  publication: "Chen et al. 2021, FinQA",
  licence: "MIT",
  published: { train: 6251, dev: 883, test: 1147 },
  withoutTrain:
    "The original train split of FinQA is not in these files, only its dev and test; finqa-by-page splits what is here by report page, under its own name.",
  local: { files: FINQA_FILES, read: (root, { notes }) => readFinqa(root, notes) },
  hub: {
    id: "ChanceFocus/flare-finqa", // TheFinAI/flare-finqa is the same under its maker's later name
    splits: { train: "train", dev: "valid", test: "test" },
    columns: ["query", "answer"],
    seenIn: "meniData1/cocktail_effect src/cocktail.py",
    records: ({ query, answer }, place) => {
      const [, context, question] = /\nContext: (.*)\nQuestion: (.*?)\nAnswer:\s*$/s.exec(String(query)) ?? [];
      const result = resultText(answer);
      if (context === undefined || question === undefined || result === null) {
        throw damaged(
          place,
          "a query with context and question, and a number, yes or no as answer",
          JSON.stringify({ query, answer }),
        );
      }
      return [
        { page: pageOfText(context), context: context.trim(), earlier: [], question: question.trim(), answer: result },
      ];
    },
  },
});
