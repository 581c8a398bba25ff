/** @file What every section draws from: the data, the reader's choices, and names of rows. */

import type { Grid } from "../src/report/grid.ts";
import type { ReportCell, ReportData, ReportRow, ReportTask } from "../src/study/report-data.ts";
import type { Child } from "./dom.ts";
import type { View } from "./view.ts";

export interface Context {
  data: ReportData;
  view: View;
}

export interface Drawn {
  nodes: Child[];
  /** What the export buttons under the section save: the numbers that it shows. */
  table?: Grid;
}

export interface Section {
  id: string;
  title: string;
  /** How to read it, in a sentence. */
  how: string;
  /** Why the section is not in the report; undefined where it is. */
  missing(data: ReportData): string | undefined;
  draw(context: Context): Drawn;
}

export function chosenModel({ data, view }: Context): string {
  return view.choice("model", data.models, data.models[0] ?? "");
}

/** Only of data with tasks. */
export function chosenTask({ data, view }: Context): ReportTask {
  const names = data.tasks.map(({ name }) => name);
  const name = view.choice("task", names, names[0]!);
  return data.tasks.find((task) => task.name === name)!;
}

export function chosenSplit({ view }: Context): "dev" | "test" {
  return view.choice("split", ["test", "dev"], "test") as "dev" | "test";
}

/** Indices of the rows of a model, and of those without one; in the order of the table. */
export function rowsOf(data: ReportData, model: string): number[] {
  return data.rows.flatMap((row, index) => (row.model === null || row.model === model ? [index] : []));
}

/** The mixture with the values of the study's factors. */
export function rowName(row: ReportRow | undefined): string {
  if (row === undefined) return "?";
  return [row.name, ...Object.entries(row.factors).map(([key, value]) => `${key}=${value}`)].join(" ");
}

export function nameOf(data: ReportData, index: number): string {
  return rowName(data.rows[index]);
}

/** Undefined where the row was not scored on the task. Names are hostile: `constructor` is a name like any other. */
export function cellOf(row: ReportRow, task: string, split: "dev" | "test"): ReportCell | undefined {
  return Object.hasOwn(row.cells, task) ? row.cells[task]![split] : undefined;
}
