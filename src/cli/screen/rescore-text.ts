/** @file What judging again found, as a person reads it. */

import type { Rescored } from "../../app/evaluate/rescore.ts";
import { counted } from "../../base/human-numbers.ts";
import { aligned } from "../../report/tables.ts";

/** What changed, and where the judgements of before are. */
export function rescoredText({ from, to, splits, changedSplits, changed, kept }: Rescored): string {
  const versions = `scorers ${from.join(" and ")} before, ${to} now`;
  if (changedSplits === 0) return `${counted(splits, "split")} judged again (${versions}): nothing changed.`;
  const number = (value: number | null) => (value === null ? "-" : value.toFixed(4));
  const rows = changed.map(({ dir, task, split, reading, metric, before, after }) => {
    return [dir, task, split, reading, metric, number(before), number(after)];
  });
  const table = aligned([["folder", "task", "split", "reading", "metric", "before", "after"], ...rows]);
  const head = `${counted(splits, "split")} judged again (${versions}): ${changedSplits} changed.`;
  return `${head}${rows.length === 0 ? "" : `\n\n${table}`}\n\nThe judgements of before are in ${kept.join(", ")}.`;
}
