/** @file What a person reads at the end of a study's run: the table, what it says, and what is left to do. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describeUnderWay } from "../../app/study/hosted/jobs-under-way.ts";
import type { PlannedStudy } from "../../app/study/planned-study.ts";
import type { StudyOutcome } from "../../app/study/run-study.ts";
import { reportText } from "../../report/report-text.ts";
import { reportPage } from "../../report/write-report.ts";
import { readReceipt, readStatus, runPaths } from "../../runs/run-dir.ts";
import type { ReportData } from "../../study/report-data.ts";
import { runDir } from "../../study/scored.ts";
import type { StudyTable } from "../../study/study-table.ts";
import { takenText } from "../../study/take.ts";
import { afterResults, nextText, shownDir } from "./next-text.ts";

/** @param report  undefined: nothing was scored */
export function studyText(
  planned: PlannedStudy,
  outcome: StudyOutcome,
  table: StudyTable,
  report: ReportData | undefined,
  withStacks: boolean,
): string {
  const { dir, plan } = planned;
  const { failed, interrupted, left, notSent, underWay } = outcome;
  const next = "run the same command again to resume.";
  return [
    report === undefined ? "Nothing was scored: no task has labels." : reportText(table, report),
    "",
    `Results are in ${dir} (mixtune report ${dir} prints this again).`,
    ...(report === undefined ? [] : [`With charts: ${reportPage(dir)}, which opens in any browser.`]),
    ...(plan.length === 1 ? modelText(runDir(dir, plan[0]!.id)) : []),
    ...otherRuns(planned),
    ...failed.map(({ id, reason }) => `failed: ${id}: ${reason}`),
    ...(withStacks ? failed.map(({ stack }) => stack ?? "") : []),
    ...(failed.length > 0 ? [`${failed.length} failed. Fix the cause, then ${next}`] : []),
    ...(interrupted.length > 0 ? [`Interrupted with ${interrupted.length} to do: ${next}`] : []),
    ...(left.length > 0
      ? [`${left.length} left to the cluster: the same command fetches what is done, or waits without --detach.`]
      : []),
    ...describeUnderWay(dir, underWay),
    ...notSent.map(
      ({ baseline, requests, base_url }) =>
        `Nothing was sent to ${baseline}: its row is empty. Add --allow-hosted for ${requests} requests to ${base_url}.`,
    ),
    ...(failed.length + interrupted.length === 0 ? whatNext(planned, table, report) : []),
  ].join("\n");
}

/** What to take for each task, and the commands that come next. */
function whatNext({ dir }: PlannedStudy, table: StudyTable, report: ReportData | undefined): string[] {
  if (report === undefined || report.numDone === 0) return [];
  const taken = report.take.length === 0 ? [] : ["", takenText(report, shownDir(dir))];
  const isUncompared = table.comparisons.length === 0 && table.tasks.length > 1 && report.numDone === report.numRuns;
  const design = isUncompared
    ? ["", "To compare, train each task alone too: add 'design=[singles,all]' behind the study file and run it again."]
    : [];
  return [...taken, ...design, "", ...nextText(afterResults(dir, report))];
}

/** Where the model of a single run is, once it is done. */
function modelText(dir: string): string[] {
  if (!existsSync(runPaths.status(dir)) || readStatus(dir).state !== "done") return [];
  const tuned = readReceipt(dir)?.hosted?.fine_tuned_model;
  if (tuned !== undefined) return [`The model is openai:${tuned}: mixtune eval takes that name.`];
  return existsSync(runPaths.hostedJob(dir)) ? [] : [`The model is in ${dir}: mixtune predict takes that folder.`];
}

/** Runs of earlier calls that the study as it now stands does not hold. */
function otherRuns({ dir, lock }: PlannedStudy): string[] {
  const planned = new Set(lock.runs.map(({ id }) => id));
  const runs = join(dir, "runs");
  const others = existsSync(runs) ? readdirSync(runs).filter((id) => !planned.has(id)) : [];
  return others.length === 0 ? [] : [`Other runs, of earlier calls, are kept: ${others.join(", ")}.`];
}
