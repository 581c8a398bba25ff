/** @file MMLU, all 57 subjects (Hendrycks et al. 2021). */

import { defineTask } from "../readers/definition.ts";
import { type ExamQuestion, MMLU, mmluFiles, mmluHub } from "../readers/mmlu.ts";

export const mmlu = defineTask<ExamQuestion>({
  ...MMLU,
  name: "mmlu",
  title: "exam questions of 57 subjects",
  published: { test: 14_042 },
  local: mmluFiles("mmlu"),
  hub: mmluHub(),
});
