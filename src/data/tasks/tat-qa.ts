/** @file TAT-QA: questions on a table and the paragraphs around it (Zhu et al. 2021), with the splits of the publication. */

import { defineTask } from "../readers/definition.ts";
import { questionsOf, readTatQa, TAT_QA_FILES, TAT_QUESTIONS, type TatQuestion } from "../readers/tat-qa-files.ts";

export const tatQa = defineTask<TatQuestion>({
  ...TAT_QUESTIONS,
  name: "tat-qa",
  title: "questions on tables and paragraphs of reports",
  publication: "Zhu et al. 2021, TAT-QA",
  published: { train: 13_215, dev: 1668 },
  withoutTrain:
    "The original train split of TAT-QA is not in these files, only its dev and test; tat-qa-by-context splits what is here by table, under its own name.",
  local: { files: TAT_QA_FILES, read: (root, { notes }) => readTatQa(root, notes) },
  hub: {
    id: "next-tat/TAT-QA",
    splits: {
      train: "tatqa_dataset_train.json",
      dev: "tatqa_dataset_dev.json",
      test: "tatqa_dataset_test_gold.json", // tatqa_dataset_test.json has no answers
    },
    columns: ["table", "paragraphs", "questions"],
    seenIn: "next-tat/TAT-QA README.md",
    records: (row, place) => questionsOf(row, place),
  },
});
