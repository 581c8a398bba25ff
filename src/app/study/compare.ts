/** @file A paired test of two scored models, by the names that people give them. */

import { SpecError } from "../../base/errors.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { compareSides, type SideComparison } from "../../study/compare.ts";
import { readSide, type SideAnswers } from "../../study/side-answers.ts";
import { sideNamed } from "../../study/sides.ts";
import type { Workspace } from "../workspace.ts";

export interface CompareOptions {
  /** Default test. */
  split?: "dev" | "test" | undefined;
  /** Default all that both have. */
  tasks?: readonly string[] | undefined;
}

/**
 * Compares two scored models task by task.
 * @param a  a run's directory, a folder that `evaluate` filled, or `STUDY_DIR:NAME`: all seeds of a mixture, or a baseline
 * @param b  likewise
 * @throws {SpecError} nothing there, an unknown name or task (with the nearest known one), two that have no items in common
 */
export function compare(
  a: string,
  b: string,
  workspace: Workspace,
  { split = "test", tasks }: CompareOptions = {},
): SideComparison {
  const onProblem = (message: string) => workspace.note(`left out: ${message}`);
  const [first, second] = [readSide(sideNamed(a), onProblem), readSide(sideNamed(b), onProblem)];
  if (tasks !== undefined) refuseUnknown(tasks, first, second);
  return compareSides(first, second, { split, ...(tasks && { tasks }) });
}

function refuseUnknown(asked: readonly string[], a: SideAnswers, b: SideAnswers): void {
  const names = [...new Set([...a.tasks(), ...b.tasks()])];
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new SpecError({
    place: "options.tasks",
    expected: `tasks that either has scores of: ${names.join(", ")}`,
    got: unknown,
    remedy: didYouMean(unknown, names),
  });
}
