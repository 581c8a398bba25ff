/** @file The subjects of MMLU that are near finance (Hendrycks et al. 2021). */

import { defineTask } from "../readers/definition.ts";
import { type ExamQuestion, MMLU, mmluFiles, mmluHub } from "../readers/mmlu.ts";

const SUBJECTS = [
  "business_ethics",
  "econometrics",
  "high_school_macroeconomics",
  "high_school_microeconomics",
  "management",
  "marketing",
  "professional_accounting",
  "professional_law",
  "public_relations",
];

export const mmluFinance = defineTask<ExamQuestion>({
  ...MMLU,
  name: "mmlu-finance",
  title: "exam questions of the nine subjects near finance",
  published: { test: 3105 },
  local: mmluFiles("mmlu-finance", SUBJECTS),
  hub: mmluHub(SUBJECTS),
});
