/** @file A study's report as files beside its runs. */

import { join } from "node:path";
import { writeWhole } from "../formats/files.ts";
import type { Questions, ReportData } from "../study/report-data.ts";
import { reportOf } from "../study/report-of.ts";
import type { StudyResults } from "../study/results.ts";
import { reportHtml } from "./html.ts";

/**
 * Writes report.html and report.json beside the runs.
 * @param questions  what test items ask, for the list of those that two models answer differently
 *   (default: none are shown); "no texts" leaves that whole list out, with its answers
 * @returns what they show
 */
export function writeReport(results: StudyResults, questions: Questions | "no texts" = new Map()): ReportData {
  const hasTexts = questions !== "no texts";
  const all = reportOf(results, hasTexts ? questions : undefined);
  const data = hasTexts ? all : { ...all, disagreements: [], remarks: [...all.remarks, NO_TEXTS] };
  writeWhole(join(results.dir, "report.json"), `${JSON.stringify(data, null, 1)}\n`);
  writeWhole(reportPage(results.dir), reportHtml(data));
  return data;
}

const NO_TEXTS = "Questions and answers of single test items were left out when this was written (--no-texts).";

/** Where the report's page lies. */
export function reportPage(dir: string): string {
  return join(dir, "report.html");
}
