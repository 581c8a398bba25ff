/** @file All of FinQA that is about, split anew by report page: to train on where the original train split cannot be had. Its scores are not FinQA's. */

import { defineTask } from "../readers/definition.ts";
import { FINQA_FILES, FINQA_TRAIN_FILES, readFinqa, readFinqaTrain } from "../readers/finqa-files.ts";
import { PAGE_QUESTIONS, type PageQuestion, splitByPage } from "../readers/page-questions.ts";

export const finqaByPage = defineTask<PageQuestion>({
  ...PAGE_QUESTIONS,
  name: "finqa-by-page",
  title: "FinQA split anew by report page; not the published splits",
  publication: "questions of Chen et al. 2021, FinQA; splits are mixtune's own",
  licence: "MIT",
  local: {
    files: [...FINQA_FILES, ...FINQA_TRAIN_FILES],
    read(root, { notes }) {
      const { dev, test } = readFinqa(root, notes);
      const from = (name: string, rows: typeof dev) => rows.map((row) => ({ ...row, number: `${name}.${row.number}` }));
      const rows = [...from("train", readFinqaTrain(root, notes)), ...from("dev", dev), ...from("test", test)];
      notes.push(
        `finqa-by-page: these ${rows.length} questions on ${new Set(rows.map(({ record }) => record.page)).size} report pages are split by page; ` +
          "rows of the published dev and test are among the training rows, so nothing here is comparable with published FinQA scores.",
      );
      return splitByPage(rows);
    },
  },
});
