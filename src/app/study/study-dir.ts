/** @file Where the results of a study go. */

import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { attempt } from "../../base/attempt.ts";
import { findStudyLock } from "../../study/lock-file.ts";
import type { StudyInput } from "./read-study.ts";

/**
 * `studies/<name>` beside the study's file. Results of the same tasks in the current folder, where earlier versions wrote them, are gone on with.
 * @param note  told where these are
 */
export function studyDir({ study, folder = "." }: StudyInput, note: (text: string) => void): string {
  const [beside, here] = [folder, "."].map((parent) => resolve(parent, "studies", study.name)) as [string, string];
  if (beside === here || findStudyLock(beside) !== undefined) return beside;
  const tasks = Object.entries(attempt(() => findStudyLock(here))?.study.tasks ?? {});
  if (!tasks.some(([name, task]) => isDeepStrictEqual(task.data, study.tasks[name]?.data))) return beside;
  note(
    `The results of ${study.name} are in ${here}, where an earlier call began them. New studies are kept in ${beside}.`,
  );
  return here;
}
