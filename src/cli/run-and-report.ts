/** @file Runs a prepared study, writes its report and prints how it ended: the end of demo, run and train. */

import { jobNames } from "../app/study/hosted/jobs-under-way.ts";
import type { PlannedStudy } from "../app/study/planned-study.ts";
import { type RunOptions, runStudy } from "../app/study/run-study.ts";
import { testQuestions } from "../app/study/test-questions.ts";
import { writeReport } from "../report/write-report.ts";
import { studyResults } from "../study/results.ts";
import type { Context } from "./context.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED } from "./exit.ts";
import { StudyProgress } from "./screen/study-progress.ts";
import { studyText } from "./screen/study-text.ts";

/** @returns exit status */
export async function runAndReport(
  planned: PlannedStudy,
  context: Context,
  options: Pick<RunOptions, "concurrency" | "ray"> = {},
): Promise<number> {
  const progress = new StudyProgress(context.line, context.clock);
  const outcome = await runStudy(planned, context, { ...options, onEvent: (event) => progress.onEvent(event) });
  const results = studyResults(outcome.dir);
  const { table } = results;
  const report = table.tasks.length > 0 ? writeReport(results, await testQuestions(results.lock, context)) : undefined;
  const { dir, done, doneBefore, failed, interrupted, left, notSent, underWay } = outcome;
  const record = {
    dir,
    done: done.length,
    done_before: doneBefore.length,
    failed: failed.map(({ id, reason }) => ({ id, reason })),
    interrupted: interrupted.length,
    ...(notSent.length > 0 && { not_sent: notSent }),
    ...(underWay.length > 0 && { going_on: jobNames(underWay) }),
    ...(left.length > 0 && { left: left.length }),
    ...(report !== undefined && report.hints.length > 0 && { hints: report.hints }),
    table,
  };
  context.result(record, studyText(planned, outcome, table, report, context.options.debug === true));
  if (interrupted.length > 0) return EXIT_INTERRUPTED;
  return failed.length > 0 ? EXIT_FAILED : EXIT_DONE;
}
