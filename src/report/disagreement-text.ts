/** @file A panel's disagreements as a table for a terminal. */

import type { Disagreement, TaskDisagreement } from "../metrics/disagreement.ts";
import { aligned } from "./tables.ts";

/** Panels of answers that are no labels: of those the readings beside each other say as much. */
export function panelsText(panels: readonly TaskDisagreement[]): string {
  return panels
    .filter(({ scorers }) => !scorers.includes("strict"))
    .map(
      (panel) =>
        `\n\n${panel.task} ${panel.split}, where scorers of the same answers differ:\n${disagreementText(panel)}`,
    )
    .join("");
}

/** In each field: of the items that both judge, the share that the row's scorer calls right and the column's wrong. */
export function disagreementText({ scorers, bothJudge, onlyRowRight }: Disagreement): string {
  const share = (i: number, j: number) =>
    i === j || bothJudge[i]![j] === 0 ? "-" : `${((100 * onlyRowRight[i]![j]!) / bothJudge[i]![j]!).toFixed(1)} %`;
  const rows = scorers.map((name, i) => [name, ...scorers.map((_, j) => share(i, j)), `${bothJudge[i]![i]}`]);
  return aligned([["right by, wrong by", ...scorers, "judged"], ...rows]);
}
