/** @file A run by its place in a study: STUDY_DIR:MIXTURE, of which the seed that is best on dev counts, or STUDY_DIR:MIXTURE@SEED. */

import { basename } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { readScores, readSpec, readStatus } from "../../runs/run-dir.ts";
import { isStudyName, type Side, sideNamed } from "../../study/sides.ts";
import type { Workspace } from "../workspace.ts";

/**
 * The directory of the run that a name of a study means; any other word as it is. Of several finished seeds the one with the highest mean score on
 * dev over the tasks that it was trained on, which is said.
 * @throws {SpecError} a study without a name, a row that is not there or was not trained, no finished run
 */
export function runOfStudy(word: string, workspace: Workspace): string {
  if (!isStudyName(word)) return word;
  const side = sideNamed(word);
  const done = side.isTrained ? side.dirs.filter((dir) => readStatus(dir).state === "done") : [];
  if (done.length === 0) throw withoutRun(word, side);
  const scores = done.map((dir) => devScore(dir, side));
  const [best] = scores.flatMap((score, i) => (score === Math.max(...scores) ? [done[i]!] : [])).concat(done) as [
    string,
  ];
  const { seed } = readSpec(best);
  const among = done.length === 1 ? "" : `, the best of ${done.length} on dev`;
  workspace.note(`${word} is the run ${basename(best)} (seed ${seed}${among}).`);
  return best;
}

/** Mean of the tasks' own metrics on dev; NaN without any. */
function devScore(dir: string, { study }: Side): number {
  const { tasks } = readScores(dir);
  const values = Object.keys(readSpec(dir).mixture.ingredients).flatMap((task) => {
    const value = tasks[task]?.dev?.metrics[study!.lock.tasks[task]?.metric ?? ""]?.value;
    return value === undefined ? [] : [value];
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function withoutRun(word: string, { isTrained, dirs }: Side): SpecError {
  return new SpecError({
    place: word,
    expected: "a mixture of the study with a finished run",
    got: isTrained ? `${dirs.length} runs, none of them done` : "a baseline, which nothing was trained for",
    remedy: isTrained
      ? "Finish the study with mixtune run: the same command resumes it."
      : "Name a mixture, or the base model itself by its own name.",
  });
}
