/**
 * @file A table with a picture in each row: dots, a mean and an interval on one common scale. The numbers stand beside it as text, so the pictures
 * are hidden from screen readers. Places are percentages, so that pictures fit any width.
 */

import { type Child, h, s } from "./dom.ts";
import { extent, ticks } from "./numbers.ts";
import { readable, tells } from "./readout.ts";

export interface Strip {
  name: Child;
  value: number | null;
  low: number | null;
  high: number | null;
  /** One a seed. */
  dots?: readonly number[];
  mark?: "above" | "below" | "none";
  /** Texts of the columns after the picture. */
  texts: readonly string[];
  /** In full, for who asks ({@link ./readout.ts}). */
  tell?: string;
  isStrong?: boolean;
}

export interface StripTable {
  caption: string;
  /** Of the names, and of the texts. */
  columns: readonly string[];
  strips: readonly Strip[];
  /** A line to compare with. */
  reference?: number;
  /** Writes the scale's numbers. */
  writeTick(value: number): string;
}

/** Undefined where no strip has a value. */
export function stripTable({ caption, columns, strips, reference, writeTick }: StripTable): HTMLElement | undefined {
  const values = strips.flatMap(({ value, low, high, dots = [] }) => [value, low, high, ...dots]);
  const range = extent([...values, reference]);
  if (extent(values) === undefined || range === undefined) return undefined;
  const place = (value: number) => `${(100 * (value - range[0])) / (range[1] - range[0])}%`;
  const marks = ticks(range[0], range[1], 4);
  const [nameColumn, ...textColumns] = columns;
  // Roles are said, since a narrow window lays rows out as blocks.
  return readable(
    caption,
    h(
      "table",
      { class: "strips" },
      h("caption", {}, caption),
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          h("th", { scope: "col", role: "columnheader" }, nameColumn),
          h("td", { class: "picture", role: "gridcell" }, axis(marks, place, writeTick)),
          ...textColumns.map((text) => h("th", { scope: "col", role: "columnheader", class: "number" }, text)),
        ),
      ),
      h(
        "tbody",
        { role: "rowgroup" },
        ...strips.map((strip) =>
          h(
            "tr",
            { role: "row", class: [strip.mark ?? "none", strip.isStrong ? "strong" : ""].join(" ").trim() },
            h("th", { scope: "row", role: "rowheader" }, strip.name),
            h(
              "td",
              { class: "picture", role: "gridcell", ...tells(strip.tell) },
              picture(strip, marks, reference, place),
            ),
            ...strip.texts.map((text, i) =>
              h("td", { class: "number", role: "gridcell", "data-column": textColumns[i] }, text),
            ),
          ),
        ),
      ),
    ),
  );
}

function axis(
  marks: readonly number[],
  place: (value: number) => string,
  writeTick: (value: number) => string,
): SVGElement {
  return s(
    "svg",
    { class: "strip ruler", height: 18, "aria-hidden": "true" },
    ...marks.map((mark) => s("text", { x: place(mark), y: 13, "text-anchor": "middle" }, writeTick(mark))),
  );
}

function picture(
  { value, low, high, dots = [], mark = "none" }: Omit<Strip, "name" | "texts" | "tell">,
  marks: readonly number[],
  reference: number | undefined,
  place: (value: number) => string,
): SVGElement {
  const upright = (x: string, kind: string) => s("line", { x1: x, x2: x, y1: 0, y2: "100%", class: kind });
  return s(
    "svg",
    { class: `strip ${mark}`, "aria-hidden": "true" },
    ...marks.map((tick) => upright(place(tick), "tick")),
    reference === undefined ? undefined : upright(place(reference), "reference"),
    // All that follows is around the middle, however high the row is.
    s(
      "svg",
      { y: "50%", overflow: "visible" },
      low === null || high === null
        ? undefined
        : s("line", { x1: place(low), x2: place(high), y1: 0, y2: 0, class: "interval" }),
      ...dots.map((dot) => s("circle", { cx: place(dot), cy: 0, r: 3.5, class: "dot" })),
      value === null
        ? undefined
        : dots.length > 0
          ? s("line", { x1: place(value), x2: place(value), y1: -8, y2: 8, class: "mean" })
          : s("circle", { cx: place(value), cy: 0, r: 4.5, class: "estimate" }),
    ),
  );
}
