/** @file Plain tables whose columns sort at the press of their heading. */

import { h } from "./dom.ts";
import type { View } from "./view.ts";

export interface Column<T> {
  name: string;
  /** What is written. */
  text(row: T): string;
  /** What it sorts by, of numbers; absent: the text. */
  number?(row: T): number | null;
}

export interface TableOptions<T> {
  /** Key of the view that keeps the order. */
  key: string;
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
}

export function dataTable<T>(view: View, { key, caption, columns, rows }: TableOptions<T>): HTMLElement {
  const orders = columns.flatMap((_, i) => [`${i}`, `-${i}`]);
  const order = view.choice(`sort-${key}`, orders, "");
  const isDown = order.startsWith("-");
  const by = order === "" ? -1 : Math.abs(Number(order));
  // on a narrow screen its rows are blocks, each value with its column's name; numbers alone fit side by side
  const isWide = columns.length > 3 && !columns.every(({ number }) => number);
  return h(
    "div",
    { class: "scroll tall", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: isWide ? "data cards" : "data" },
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ...columns.map(({ name, number }, i) =>
            h(
              "th",
              {
                scope: "col",
                class: number ? "number" : undefined,
                "aria-sort": i === by ? (isDown ? "descending" : "ascending") : undefined,
              },
              h(
                "button",
                {
                  id: `sort-${key}-${i}`,
                  type: "button",
                  click: () => view.set({ [`sort-${key}`]: i === by && !isDown ? `-${i}` : `${i}` }),
                },
                name,
              ),
            ),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        ...sorted(rows, columns[by], isDown).map((row) =>
          h(
            "tr",
            {},
            ...columns.map(({ name, text, number }) =>
              h("td", { "data-column": name, class: number ? "number" : undefined }, text(row)),
            ),
          ),
        ),
      ),
    ),
  );
}

/** What does not exist comes last, whichever way. */
function sorted<T>(rows: readonly T[], column: Column<T> | undefined, isDown: boolean): readonly T[] {
  if (column === undefined) return rows;
  const sign = isDown ? -1 : 1;
  return rows.toSorted((a, b) => {
    if (column.number === undefined)
      return sign * (column.text(a) < column.text(b) ? -1 : column.text(a) > column.text(b) ? 1 : 0);
    const [left, right] = [column.number(a), column.number(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  });
}
