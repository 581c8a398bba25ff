/** @file Counting over simulated studies, and Markdown tables of the counts. */

import type { Interval } from "../../src/stats/interval.ts";

/** Resamples of every bootstrap in the simulations; fewer than in use, to save time. */
export const RESAMPLES = 400;

/** Share of studies in which each named thing happens. */
export function shares<Name extends string>(
  numStudies: number,
  study: (s: number) => Record<Name, boolean>,
): Record<Name, number> {
  const totals = {} as Record<Name, number>;
  for (let s = 0; s < numStudies; s++) {
    for (const [name, happened] of Object.entries(study(s)) as [Name, boolean][]) {
      totals[name] = (totals[name] ?? 0) + (happened ? 1 / numStudies : 0);
    }
  }
  return totals;
}

/** Whether the interval leaves the value out; one that does not exist leaves nothing out. */
export function excludes({ low, high }: Interval, value: number): boolean {
  return value < low || value > high;
}

/** In percent, one decimal. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
