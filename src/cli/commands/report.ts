/** @file mixtune report DIR: the table of a study. */

import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { testQuestions } from "../../app/study/test-questions.ts";
import { SpecError } from "../../base/errors.ts";
import { reportText } from "../../report/report-text.ts";
import { formatStudyTable, type TableFormat } from "../../report/tables.ts";
import { taskText } from "../../report/task-text.ts";
import { reportPage, writeReport } from "../../report/write-report.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { studyResults } from "../../study/results.ts";
import { takenText } from "../../study/take.ts";
import { taskDetail } from "../../study/task-detail.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";
import { afterResults, nextText, shownDir } from "../screen/next-text.ts";

export function addReport(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .addOption(
      new Option("--format <format>", "form of the table")
        .choices(["text", "md", "csv", "json", "latex"])
        .default("text"),
    )
    .option(
      "--no-texts",
      "leave questions and answers of test items out of report.html and report.json, to share them when the data must stay private",
    )
    .optionsGroup("Data:")
    .addOption(new Option("--split <split>", "split whose scores are shown").choices(["dev", "test"]).default("test"))
    .option(
      "--task <name>",
      "task to show in full: every metric of every row, and where scorers of the same answers differ",
    )
    .addHelpText("after", "\nExample: mixtune report studies/demo --format md > table.md")
    .action((dir: string, options: ReportOptions) => act((context) => report(resolve(dir), options, context)));
}

interface ReportOptions {
  format: TableFormat;
  split: "dev" | "test";
  task?: string;
  texts: boolean;
}

async function report(dir: string, { format, split, task, texts }: ReportOptions, context: Context): Promise<number> {
  const results = studyResults(dir);
  const { table } = results;
  for (const problem of results.problems) context.note(`left out: ${problem}`);
  if (task === undefined) {
    const data = writeReport(results, texts ? await testQuestions(results.lock, context) : "no texts");
    const charts = `With charts: ${reportPage(dir)}`;
    if (format !== "text") context.note(charts);
    const taken = takenText(data, shownDir(dir));
    const reportPageText = () =>
      [
        ...(taken === "" ? [] : [taken, ""]),
        ...[reportText(table, data, split), "", charts, "", ...nextText(afterResults(dir, data))],
      ].join("\n");
    const text = format === "text" ? reportPageText() : formatStudyTable(table, format, split);
    context.result({ ...table, hints: data.hints }, text);
    return EXIT_DONE;
  }
  const names = table.tasks.map(({ name }) => name);
  if (!names.includes(task)) {
    throw new SpecError({
      place: "--task",
      expected: `one of ${names.join(", ")}`,
      got: task,
      remedy: didYouMean(task, names),
    });
  }
  const detail = taskDetail(table, results.read, task, split);
  context.result(detail, taskText(detail));
  return EXIT_DONE;
}
