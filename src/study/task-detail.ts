/** @file One task of a study in full: every metric of every mixture and baseline, and where the scorers of the chosen mixture's answers differ. */

import { type Disagreement, disagreementOf } from "../metrics/disagreement.ts";
import type { SplitScores } from "../runs/types.ts";
import { mean } from "../stats/moments.ts";
import { sourcesOf } from "./items.ts";
import type { ReadScored, StudyTable } from "./study-table.ts";

/** Means over seeds; NaN where a row has no such value. */
export interface TaskDetail {
  task: string;
  split: "dev" | "test";
  n: number;
  /** A metric, with the reading of labels in brackets where there are several; then shares of generated answers. */
  columns: string[];
  rows: { name: string; isChosen: boolean; values: number[] }[];
  /** Over the answers of one row, all seeds together: the mixture that dev chooses, else the first row with answers. */
  disagreement?: Disagreement & { of: string };
}

/** @param table  of the study that `read` reads */
export function taskDetail(table: StudyTable, read: ReadScored, task: string, split: "dev" | "test"): TaskDetail {
  const scored = table.rows.map((row, index) => {
    const splits = sourcesOf(row, read).flatMap((one) => one.scores?.tasks[task]?.[split] ?? []);
    const isChosen = row.kind === "mixture" && table.chosen[row.model ?? ""]?.[task] === index;
    return { row, isChosen, values: splits.map(valuesOf) };
  });
  const columns = [...new Set(scored.flatMap(({ values }) => values.flatMap((one) => Object.keys(one))))];
  const n = Math.max(0, ...table.rows.map((row) => row.cells[task]![split].n));
  const shown = scored.find(({ isChosen }) => isChosen) ?? scored.find(({ values }) => values.length > 0);
  const answers = shown === undefined ? [] : sourcesOf(shown.row, read).flatMap((one) => one.predictions(task, split));
  const disagreement = disagreementOf(answers);
  return {
    task,
    split,
    n,
    columns,
    rows: scored.map(({ row, isChosen, values }) => ({
      name: row.name,
      isChosen,
      values: columns.map((name) => mean(values.flatMap((one) => one[name] ?? []))),
    })),
    ...(disagreement && { disagreement: { ...disagreement, of: shown!.row.name } }),
  };
}

function valuesOf({ n, metrics, scoring, outputs }: SplitScores): Record<string, number> {
  const readings = Object.entries(scoring);
  const values = (readings.length > 1 ? readings : [["", metrics] as const]).flatMap(([reading, byName]) =>
    Object.entries(byName).map(([name, { value }]) => [reading === "" ? name : `${name} (${reading})`, value] as const),
  );
  const shares = outputs && { "format valid": outputs.valid / n, empty: outputs.empty / n, "cut off": outputs.cut / n };
  return { ...Object.fromEntries(values), ...shares };
}
