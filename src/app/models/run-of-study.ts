/**
 * @file A run by its place in a study: STUDY_DIR:MIXTURE, of which the seed that is best on dev counts; STUDY_DIR:MIXTURE@SEED; or STUDY_DIR alone,
 * where dev picks one mixture for all that is asked.
 */

import { basename, resolve } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { readScores, readSpec, readStatus } from "../../runs/run-dir.ts";
import { studyResults } from "../../study/results.ts";
import { isStudy, isStudyName, rowWord, type Side, sideNamed } from "../../study/sides.ts";
import type { Workspace } from "../workspace.ts";

/**
 * The directory of the run that a name of a study means; any other word as it is. Of several finished seeds the one with the highest mean score on
 * dev over the tasks that it was trained on, which is said.
 * @param task  that the model is wanted for: of a study without a name, the mixture that dev picks for it. Default: all its tasks
 * @throws {SpecError} a study whose tasks have different best mixtures, a row that is not there or was not trained, no finished run
 */
export function runOfStudy(word: string, workspace: Workspace, task?: string): string {
  if (!isStudyName(word)) return word;
  const side = sideNamed(isStudy(word) ? chosenIn(word, task) : word);
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

/** STUDY_DIR:MIXTURE of what dev picks. */
function chosenIn(word: string, task: string | undefined): string {
  const { table } = studyResults(resolve(word));
  const picked = Object.values(table.chosen).flatMap((byTask) =>
    Object.entries(byTask).map(([name, row]) => {
      return { task: name, row: `${word}:${rowWord(table.rows[row]!, table.rows)}` };
    }),
  );
  const asked = picked.filter((one) => one.task === task);
  const rows = new Set((asked.length > 0 ? asked : picked).map(({ row }) => row));
  if (rows.size === 1) return [...rows][0]!;
  throw new SpecError({
    place: word,
    expected: "one mixture of the study",
    got:
      rows.size === 0 ? "a study in which nothing is chosen yet" : "a study whose tasks have different best mixtures",
    remedy:
      rows.size === 0
        ? "Finish it with mixtune run, or name a mixture: mixtune status lists them."
        : `Name one: ${picked.map(({ task: name, row }) => `${row} (best on dev for ${name})`).join(", ")}.`,
  });
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
