/** @file A study's table as text: aligned for a terminal, Markdown, CSV, LaTeX; the same cells in each. Pure. */

import { isLabelMetric, METRICS } from "../specs/metrics.ts";
import type { Cell, Row, StudyTable } from "../study/study-table.ts";
import { rowLabel } from "../study/words.ts";
import { csvLines, latexTable, markdownTable } from "./grid.ts";

export type TableFormat = "text" | "md" | "csv" | "json" | "latex";

/** The table of one split in a format. JSON holds everything, both splits included. */
export function formatStudyTable(table: StudyTable, format: TableFormat, split: "dev" | "test" = "test"): string {
  if (format === "json")
    return `${JSON.stringify(table, (_, value) => (Number.isNaN(value) ? undefined : value), 2)}\n`;
  if (format === "csv") return csv(table);
  const cells = gridOf(table, split);
  if (format === "md") return `${markdownTable(cells)}\n\n${legend(table, split)}\n\n${table.sentence}\n`;
  if (format === "latex") return latexTable(cells);
  return `${aligned(cells)}\n\n${legend(table, split)}\n`;
}

/** Rows of cells as lines of equal columns: the first column to the left, the others to the right unless asked. */
export function aligned(cells: readonly (readonly string[])[], others: "left" | "right" = "right"): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const padded = (text: string, column: number) =>
    column === 0 || others === "left" ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  return cells.map((row) => row.map(padded).join("  ").trimEnd()).join("\n");
}

/** Header and rows; `*` marks the mixture that dev chooses for a task. */
function gridOf(table: StudyTable, split: "dev" | "test"): string[][] {
  const header = ["mixture", ...table.tasks.map(({ name, metric }) => `${name} (${metric})`)];
  return [
    header,
    ...table.rows.map((row, index) => [
      rowName(row, table),
      ...table.tasks.map(({ name }) => shown(row, index, name, table, split)),
    ]),
  ];
}

function rowName(row: Row, table: StudyTable): string {
  const numModels = new Set(table.rows.flatMap(({ model }) => model ?? [])).size;
  const isTrained = row.kind === "mixture" || row.kind === "control";
  const model = isTrained && numModels > 1 ? `${row.model} ` : "";
  return `${model}${rowLabel(row)}`;
}

function shown(row: Row, index: number, task: string, table: StudyTable, split: "dev" | "test"): string {
  const cell = row.cells[task]![split];
  const isChosen = row.kind === "mixture" && table.chosen[row.model ?? ""]?.[task] === index;
  return `${isChosen && !Number.isNaN(cell.mean) ? "*" : ""}${number(cell)}`;
}

function number(cell: Cell): string {
  if (Number.isNaN(cell.mean)) return "-";
  return Number.isNaN(cell.sd) ? cell.mean.toFixed(3) : `${cell.mean.toFixed(3)} ± ${cell.sd.toFixed(3)}`;
}

/** What the numbers are: n per task, seeds, the mark. */
export function legend(table: StudyTable, split: "dev" | "test"): string {
  const sizes = table.tasks.map(
    ({ name }) => `${name} ${Math.max(...table.rows.map((row) => row.cells[name]![split].n))}`,
  );
  const seeds = Math.max(0, ...table.rows.filter((row) => row.kind === "mixture").map((row) => row.runs.length));
  const spread = seeds > 1 ? `mean ± standard deviation over ${seeds} seeds` : "one seed";
  const reading = table.tasks.some(({ metric }) => isLabelMetric(metric))
    ? `; labels read ${READINGS[table.scoring]}`
    : "";
  const names = [...new Set(table.tasks.map(({ metric }) => metric))];
  const meanings = names.flatMap((name) => {
    const { meaning } = METRICS[name];
    return meaning === undefined ? [] : [`; ${name}: ${meaning}`];
  });
  const isBaseline = ({ kind }: Row) => kind === "majority" || kind === "ngram";
  const isLabelled = table.tasks.every(({ metric }) => isLabelMetric(metric));
  const baselines = table.rows.some(isBaseline) && !isLabelled ? "; majority and ngram answer with labels alone" : "";
  return `${split}: n = ${sizes.join(", ")}; ${spread}; * chosen on dev${reading}${meanings.join("")}${baselines}.`;
}

const READINGS: Record<StudyTable["scoring"], string> = {
  constrained: "by log-probability (constrained)",
  strict: "from the generated text as a whole (strict)",
  lenient: "from the first label in the generated text (lenient)",
};

/** Long form: a line per row, task and split. */
function csv(table: StudyTable): string {
  const header = [
    "kind",
    "mixture",
    "model",
    "factors",
    "task",
    "metric",
    "split",
    "mean",
    "sd",
    "n",
    "num_seeds",
    "chosen_on_dev",
  ];
  const lines = table.rows.flatMap((row, index) =>
    table.tasks.flatMap(({ name, metric }) =>
      (["dev", "test"] as const).map((split) => {
        const cell = row.cells[name]![split];
        const factors = Object.entries(row.factors).map(([key, value]) => `${key}=${String(value)}`);
        const isChosen = row.kind === "mixture" && table.chosen[row.model ?? ""]?.[name] === index;
        const numbers = [cell.mean, cell.sd, cell.n, cell.values.length].map((value) =>
          Number.isNaN(value) ? "" : String(value),
        );
        return [
          row.kind,
          row.name,
          row.model ?? "",
          factors.join(" "),
          name,
          metric,
          split,
          ...numbers,
          isChosen ? "1" : "0",
        ];
      }),
    ),
  );
  return csvLines([header, ...lines]);
}
