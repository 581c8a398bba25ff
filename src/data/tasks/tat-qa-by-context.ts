/** @file TAT-QA's dev and test questions split anew by table: to train on where the original train split cannot be had. Its scores are not TAT-QA's. */

import { defineTask } from "../readers/definition.ts";
import { readTatQa, splitByContext, TAT_QA_FILES, TAT_QUESTIONS, type TatQuestion } from "../readers/tat-qa-files.ts";

export const tatQaByContext = defineTask<TatQuestion>({
  ...TAT_QUESTIONS,
  name: "tat-qa-by-context",
  title: "TAT-QA split anew by table; not the published splits",
  publication: "questions of Zhu et al. 2021, TAT-QA; splits are mixtune's own",
  local: {
    files: TAT_QA_FILES,
    read(root, { notes }) {
      const { dev, test } = readTatQa(root, notes);
      const from = (name: string, rows: typeof dev) => rows.map((row) => ({ ...row, number: `${name}.${row.number}` }));
      notes.push(
        "tat-qa-by-context: published dev and test questions are split by table, so nothing here is comparable with published TAT-QA scores.",
      );
      return splitByContext([...from("dev", dev), ...from("test", test)]);
    },
  },
});
