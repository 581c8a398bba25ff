/** @file Where scorers of the same answers differ: how much of a score is its scorer. */

import { NUMBER_SCORERS } from "./number-panel.ts";
import type { ItemScores } from "./score-items.ts";

/** Scorers that judge the same answers right or wrong, by their names in an item's scores. */
const PANELS: readonly (readonly string[])[] = [
  NUMBER_SCORERS,
  ["constrained", "strict", "lenient"],
  ["exact_match", "exact_match_lenient"],
  ["prompt_accuracy", "prompt_accuracy_loose"],
];

/** [row][column] of `scorers`. */
export interface Disagreement {
  scorers: string[];
  /** Items that both judge; on the diagonal those that the scorer judges. */
  bothJudge: number[][];
  /** Of these, items that the row calls right and the column wrong. */
  onlyRowRight: number[][];
}

/** Of one split of a task. */
export interface TaskDisagreement extends Disagreement {
  task: string;
  split: string;
}

/** Counts over items. Undefined where fewer than two scorers judged. Items that a scorer does not apply to are missing from its counts alone. */
export function disagreementOf(items: readonly { scores: ItemScores }[]): Disagreement | undefined {
  const isThere = (name: string) => items.some(({ scores }) => scores[name] !== undefined);
  const scorers = PANELS.map((panel) => panel.filter(isThere)).find((panel) => panel.length > 1);
  if (scorers === undefined) return undefined;
  const matrix = (holds: (row: number, column: number) => boolean) =>
    scorers.map((row) =>
      scorers.map((column) => {
        const both = items.flatMap(({ scores: { [row]: a, [column]: b } }) =>
          a === undefined || b === undefined || !holds(a, b) ? [] : [1],
        );
        return both.length;
      }),
    );
  return { scorers, bothJudge: matrix(() => true), onlyRowRight: matrix((row, column) => row === 1 && column === 0) };
}
