/** @file What each mixture cost in general ability: its scores on tasks that are only evaluated, against the untuned model's. */

import type { ReportData } from "../study/report-data.ts";
import { rowLabel } from "../study/words.ts";
import { aligned } from "./tables.ts";

/** A line a mixture, a column a task; `*` where the difference can be told from none. Empty without such tasks. */
export function retentionText({ retention, rows, tasks }: Pick<ReportData, "retention" | "rows" | "tasks">): string {
  if (retention.length === 0) return "";
  const shown = tasks.filter(({ name }) => retention.some(({ task }) => task === name));
  const lines = [...new Set(retention.map(({ row }) => row))].map((row) => {
    const cells = shown.map(({ name, unit }) => {
      const one = retention.find((other) => other.row === row && other.task === name);
      if (one === undefined) return "-";
      const amount = (value: number) =>
        `${value > 0 ? "+" : ""}${unit === "points" ? (100 * value).toFixed(1) : value.toFixed(3)}`;
      const interval = one.low === null ? "" : ` (${amount(one.low)} to ${amount(one.high!)})`;
      return `${one.mark === "none" ? "" : "*"}${amount(one.difference)}${interval}`;
    });
    return [rowLabel(rows[row]!), ...cells];
  });
  const { familySize } = retention[0]!;
  return `${aligned([["against the untuned model", ...shown.map(({ name, unit }) => `${name} (${unit})`)], ...lines])}

test, with 95 % intervals; * is significant (p corrected for ${familySize} comparisons by Benjamini-Hochberg).`;
}
