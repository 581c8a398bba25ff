/** @file A table of numbers on coloured ground: orange below, blue above, paler towards the middle. */

import { type Child, h } from "./dom.ts";
import { readable, tells } from "./readout.ts";

export interface MatrixCell {
  /** What is written in it. */
  text: string;
  /** -1 … 1: how strong the ground is, and of which colour (orange below 0, blue above); null: none. */
  shade: number | null;
  /** In full, for who asks ({@link ./readout.ts}). */
  tell?: string;
  isStrong?: boolean;
}

/** Where the full colour begins unless a larger difference is shown: ten points, so that small differences stay pale. */
const LEAST_END = 0.1;

/** The difference that has the full colour, of those of one unit that are significant. */
export function scaleEnd(significant: readonly number[]): number {
  return Math.max(LEAST_END, ...significant.map(Math.abs));
}

/** Colour is for evidence: what cannot be told from nothing stays on plain ground, however large it is. */
export function shadeOf(difference: number, isSignificant: boolean, end: number): number {
  return isSignificant ? difference / end : 0;
}

export interface Matrix {
  caption: string;
  corner: string;
  columns: readonly Child[];
  groups: readonly { name?: string; rows: readonly { name: string; cells: readonly MatrixCell[] }[] }[];
}

export function matrixTable({ caption, corner, columns, groups }: Matrix): HTMLElement {
  return readable(
    caption,
    h(
      "table",
      { class: "matrix" },
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, corner),
          ...columns.map((column) => h("th", { scope: "col", class: "number" }, column)),
        ),
      ),
      ...groups.map(({ name, rows }) =>
        h(
          "tbody",
          {},
          name === undefined
            ? undefined
            : h(
                "tr",
                { class: "group" },
                h("th", { scope: "rowgroup", colspan: columns.length + 1 }, h("span", {}, name)),
              ),
          ...rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), ...row.cells.map(shaded))),
        ),
      ),
    ),
  );
}

function shaded({ text, shade, tell, isStrong }: MatrixCell): HTMLElement {
  const cell = h(
    "td",
    { class: `number${isStrong ? " strong" : shade === null ? " aside" : ""}`, ...tells(tell) },
    text,
  );
  if (shade !== null) {
    const strength = Math.round(100 * Math.min(1, Math.abs(shade)));
    cell.style.background = `color-mix(in oklab, var(${shade < 0 ? "--below-ground" : "--above-ground"}) ${strength}%, var(--ground))`;
  }
  return cell;
}

/** What the colours mean, beneath a matrix. */
export function matrixLegend(low: string, high: string, scale: "diverging" | "rising", words: string): HTMLElement {
  return h(
    "p",
    { class: "scale" },
    h("span", {}, low),
    h("span", { class: `ramp ${scale}`, "aria-hidden": "true" }),
    h("span", {}, high),
    h("span", { class: "quiet" }, words),
  );
}
