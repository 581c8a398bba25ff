/** @file What each mixture cost in general ability: its scores on tasks that are only evaluated, against the untuned model's. */

import type { RowDifference } from "../study/comparisons.ts";
import { aligned } from "./tables.ts";

/** A line a mixture, a column a task, in points; `*` where the difference can be told from none. Empty without such tasks. */
export function retentionText(found: readonly RowDifference[], names: readonly string[]): string {
  if (found.length === 0) return "";
  const tasks = [...new Set(found.map(({ task }) => task))];
  const rows = [...new Set(found.map(({ row }) => row))].map((row) => {
    const cells = tasks.map((task) => {
      const one = found.find((other) => other.row === row && other.task === task);
      if (one === undefined) return "-";
      const points = (value: number) => `${value > 0 ? "+" : ""}${(100 * value).toFixed(1)}`;
      const interval = Number.isNaN(one.low) ? "" : ` (${points(one.low)} to ${points(one.high)})`;
      return `${one.mark === "none" ? "" : "*"}${points(one.difference)}${interval}`;
    });
    return [names[row]!, ...cells];
  });
  const { familySize } = found[0]!;
  return `${aligned([["against the untuned model", ...tasks], ...rows])}

test, points of what each task is compared on, with 95 % intervals; * can be told from none (Benjamini-Hochberg over ${familySize}).`;
}
