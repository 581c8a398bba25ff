/** @file A study's report as files beside its runs. */

import { join } from "node:path";
import { writeWhole } from "../formats/files.ts";
import type { ReportData } from "../study/report-data.ts";
import { reportOf } from "../study/report-of.ts";
import type { StudyResults } from "../study/results.ts";
import { reportHtml } from "./html.ts";

/**
 * Writes report.html and report.json beside the runs.
 * @param texts  whether outputs of single items are in them
 * @returns what they show
 */
export function writeReport(results: StudyResults, texts = true): ReportData {
  const all = reportOf(results);
  const data = texts ? all : { ...all, disagreements: [], remarks: [...all.remarks, NO_TEXTS] };
  writeWhole(join(results.dir, "report.json"), `${JSON.stringify(data, null, 1)}\n`);
  writeWhole(reportPage(results.dir), reportHtml(data));
  return data;
}

const NO_TEXTS = "Outputs of single test items were left out when this was written (--no-texts).";

/** Where the report's page lies. */
export function reportPage(dir: string): string {
  return join(dir, "report.html");
}
