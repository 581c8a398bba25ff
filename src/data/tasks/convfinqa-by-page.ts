/** @file The dev dialogues of ConvFinQA split anew by report page: to train on where the original train split cannot be had. Its scores are not ConvFinQA's. */

import { CONVFINQA_FILES, readTurns } from "../readers/convfinqa-files.ts";
import { defineTask } from "../readers/definition.ts";
import { PAGE_QUESTIONS, type PageQuestion, splitByPage } from "../readers/page-questions.ts";

export const convfinqaByPage = defineTask<PageQuestion>({
  ...PAGE_QUESTIONS,
  name: "convfinqa-by-page",
  title: "ConvFinQA dev dialogues split anew by report page; not the published splits",
  publication: "dialogues of Chen et al. 2022, ConvFinQA; splits are mixtune's own",
  licence: "MIT",
  variants: { gold: "the answers of earlier turns in the prompt are the gold ones" },
  local: {
    files: CONVFINQA_FILES,
    read(root, { notes }) {
      const turns = readTurns(root, notes);
      notes.push(
        "convfinqa-by-page: the published dev dialogues are split by page, so nothing here is comparable with published ConvFinQA scores.",
      );
      return splitByPage(turns);
    },
  },
});
