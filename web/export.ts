/** @file Saves a table of the page as a file, in four formats; made here, nothing is asked of a server. */

import { csvLines, type Grid, latexTable, markdownTable } from "../src/report/grid.ts";
import type { MixtureDifference } from "../src/study/report-data.ts";
import { h } from "./dom.ts";
import { NOTHING, plain } from "./numbers.ts";

const FORMATS: readonly { name: string; ending: string; type: string; write(grid: Grid): string }[] = [
  {
    name: "CSV",
    ending: "csv",
    type: "text/csv",
    write: (grid) => csvLines(texts(grid, (value) => String(value ?? ""))),
  },
  { name: "Markdown", ending: "md", type: "text/markdown", write: (grid) => `${markdownTable(texts(grid, short))}\n` },
  { name: "LaTeX", ending: "tex", type: "text/x-tex", write: (grid) => latexTable(texts(grid, short)) },
  { name: "JSON", ending: "json", type: "application/json", write: json },
];

/** A button a format. */
export function exportButtons(name: string, grid: Grid): HTMLElement {
  return h(
    "div",
    { class: "export", role: "group", "aria-label": "Save this table" },
    h("span", {}, "Save as"),
    ...FORMATS.map(({ name: format, ending, type, write }) =>
      h(
        "button",
        { id: `save-${name}-${ending}`, type: "button", click: () => save(`${name}.${ending}`, type, write(grid)) },
        format,
      ),
    ),
  );
}

function save(fileName: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: fileName }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const short = (value: string | number | null): string =>
  value === null ? NOTHING : typeof value === "number" ? plain(value) : value;

function texts({ columns, rows }: Grid, write: (value: string | number | null) => string): string[][] {
  return [columns, ...rows.map((row) => row.map(write))];
}

function json({ columns, rows }: Grid): string {
  const records = rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])));
  return `${JSON.stringify(records, null, 2)}\n`;
}

/** What a saved table says of a difference, behind its mixture and task. */
export const DIFFERENCE_COLUMNS: readonly string[] = ["difference", "low", "high", "p", "p_adjusted", "mark"];

/** In the order of {@link DIFFERENCE_COLUMNS}. */
export function differenceCells({ difference, low, high, pValue, pAdjusted, mark }: MixtureDifference) {
  return [difference, low, high, pValue, pAdjusted, mark];
}
