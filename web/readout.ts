/** @file What a table has to tell about one of its cells: shown for the one under the pointer, and for the one that is reached with the arrow keys. */

import { h } from "./dom.ts";

/** Attributes of a cell that has something to tell; undefined: nothing. */
export function tells(text: string | undefined): Record<string, string | number> {
  return text === undefined ? {} : { "data-tell": text, tabindex: -1 };
}

/** A fact and what goes with it, without what there is not. */
export function told(subject: string, ...facts: readonly string[]): string {
  return `${subject}: ${facts.filter((fact) => fact !== "").join(" · ")}`;
}

/** Seeds one by one, where there are several. */
export function seedsTold(values: readonly number[], write: (value: number) => string): string {
  return values.length < 2 ? `${values.length} seed` : `${values.length} seeds: ${values.map(write).join(", ")}`;
}

/** A box that scrolls around a table, with a line beneath for what its cells tell. */
export function readable(caption: string, table: HTMLTableElement): HTMLElement {
  const cells = table.querySelectorAll<HTMLElement>("[data-tell]");
  const box = h("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": caption }, table);
  if (cells.length === 0) return box;
  cells[0]!.tabIndex = 0;
  table.setAttribute("role", "grid");
  const line = h(
    "p",
    { class: "readout", role: "status" },
    "Point at a value, or go from one to the next with the arrow keys.",
  );
  const show = ({ target }: Event) => {
    const cell = (target as Element).closest<HTMLElement>("[data-tell]");
    if (cell !== null) line.textContent = cell.dataset.tell!;
  };
  table.addEventListener("pointerover", show);
  table.addEventListener("focusin", show);
  table.addEventListener("keydown", (event) => {
    const from = (event.target as Element).closest<HTMLTableCellElement>("td[data-tell]");
    const to = from === null ? undefined : neighbour(table, from, event.key);
    if (from === null || to === undefined) return;
    event.preventDefault();
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
  return h("div", { class: "told" }, box, line);
}

/** The next cell that has something to tell, in the direction of a key. */
function neighbour(table: HTMLTableElement, from: HTMLTableCellElement, key: string): HTMLTableCellElement | undefined {
  const row = from.parentElement as HTMLTableRowElement;
  const [cells, rows] = [[...row.cells], [...table.rows]];
  const told = (line: readonly HTMLTableCellElement[]) => line.filter((cell) => cell.dataset.tell !== undefined);
  const column = (line: readonly HTMLTableRowElement[]) =>
    told(line.flatMap(({ cells }) => cells[from.cellIndex] ?? []));
  const [x, y] = [from.cellIndex, rows.indexOf(row)];
  const ways: Readonly<Record<string, () => HTMLTableCellElement | undefined>> = {
    ArrowLeft: () => told(cells.slice(0, x)).at(-1),
    ArrowRight: () => told(cells.slice(x + 1))[0],
    ArrowUp: () => column(rows.slice(0, y)).at(-1),
    ArrowDown: () => column(rows.slice(y + 1))[0],
    Home: () => told(cells)[0],
    End: () => told(cells).at(-1),
  };
  return ways[key]?.();
}
