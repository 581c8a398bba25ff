/** @file What a study says in a terminal: its table, the sentence, what ingredients do, what tuning cost. The page says the same with charts. */

import { hintText } from "../study/learning.ts";
import type { ReportData } from "../study/report-data.ts";
import type { StudyTable } from "../study/study-table.ts";
import { retentionText } from "./retention-text.ts";
import { formatStudyTable } from "./tables.ts";

/** @param split  of the table; all else is of test */
export function reportText(table: StudyTable, data: ReportData, split: "dev" | "test" = "test"): string {
  const parts = [
    `${formatStudyTable(table, "text", split)}\n${table.sentence}`,
    effectsText(data),
    retentionText(data),
    data.hints.map(hintText).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function effectsText({ effects, models }: ReportData): string {
  if (effects.length === 0) return "";
  const lines = effects.map(({ model, text }) => `  ${models.length > 1 ? `${model}. ` : ""}${text}`);
  return `What adding an ingredient does, over all mixtures; p is corrected for their number (Benjamini-Hochberg), intervals are not:\n${lines.join("\n")}`;
}
