/** @file One task of a study as text. */

import type { TaskDetail } from "../study/task-detail.ts";
import { disagreementText } from "./disagreement-text.ts";
import { aligned } from "./tables.ts";

/** Metrics in one block. */
const COLUMNS = 6;

/** Rows of the study, a column a metric, in blocks that fit a wide terminal. */
export function taskText({ task, split, n, columns, rows, disagreement }: TaskDetail): string {
  const number = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? "-" : value.toFixed(3));
  const blocks: string[] = [];
  for (let from = 0; from < columns.length; from += COLUMNS) {
    const names = columns.slice(from, from + COLUMNS);
    const lines = rows.map(({ name, isChosen, values }) => {
      return [`${isChosen ? "*" : ""}${name}`, ...names.map((_, i) => number(values[from + i]))];
    });
    blocks.push(aligned([["mixture", ...names], ...lines]));
  }
  const legend = `${task}, ${split}: n = ${n}; means over seeds; * chosen on dev.`;
  const panel = disagreement && `Scorers of the answers of ${disagreement.of}:\n${disagreementText(disagreement)}`;
  return [...blocks, legend, ...(panel === undefined ? [] : [panel])].join("\n\n");
}
