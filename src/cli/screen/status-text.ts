/** @file How far a study is, as a person reads it. */

import type { RunStanding, StudyStatus } from "../../app/study/study-status.ts";
import { counted } from "../../base/human-numbers.ts";
import { aligned } from "../../report/tables.ts";
import type { TestOpenings } from "../../study/ledger.ts";

/** A table of the runs, and what is to be known beside it. */
export function statusText({ runs, failedBaselines, damagedBaselines, testOpenings }: StudyStatus): string {
  const count = (wanted: string) => runs.filter(({ state }) => state === wanted).length;
  const rows = runs.map((run) => [run.id, run.mixture, `${run.seed}`, run.state, detailOf(run)]);
  const others = ["failed", "interrupted", "damaged"].flatMap((state) =>
    count(state) > 0 ? [`, ${count(state)} ${state}`] : [],
  );
  return [
    aligned([["run", "mixture", "seed", "state", ""], ...rows]),
    "",
    `${count("done")} of ${counted(runs.length, "run")} done${others.join("")}.`,
    ...(runs.some(({ state }) => state === "damaged") || damagedBaselines.length > 0
      ? ["Run the study again: it makes predictions and scores again where it can, and names what is lost."]
      : []),
    ...damagedBaselines.map(({ id, reason }) => `baseline ${id} is damaged: ${reason}`),
    ...failedBaselines.map(({ id, reason }) => `baseline ${id} failed: ${firstLine(reason)}`),
    openingsText(testOpenings),
  ].join("\n");
}

/** Why a run failed, else how far it is. */
export function detailOf({ reason, step, numSteps }: RunStanding): string {
  return reason ?? (step === undefined ? "" : `step ${step} of ${numSteps}`);
}

/** How often test was looked at, in a sentence. */
function openingsText({ times, runs, tasks }: TestOpenings): string {
  if (times === 0) return "No test split was opened yet.";
  return `Test splits of ${counted(tasks, "task")} were opened ${counted(times, "time")}, by ${counted(runs, "run or baseline", "runs and baselines")}.`;
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
