/** @file mixtune report DIR: the table of a study. */

import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { formatStudyTable, type TableFormat } from "../../report/tables.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { studyTable } from "../run-study.ts";

export function addReport(program: Command, act: Act): void {
  program
    .command("report <dir>")
    .description("the table of a study, as far as it is done")
    .addOption(
      new Option("--format <format>", "how the table is written")
        .choices(["text", "md", "csv", "json", "latex"])
        .default("text"),
    )
    .addOption(new Option("--split <split>", "which split").choices(["dev", "test"]).default("test"))
    .addHelpText("after", "\nExample: mixtune report studies/demo --format md > table.md")
    .action((dir: string, { format, split }: { format: TableFormat; split: "dev" | "test" }) =>
      act((context) => {
        const table = studyTable(resolve(dir));
        const text = formatStudyTable(table, format, split);
        context.result(table, format === "text" ? `${text}${table.sentence}` : text);
        return EXIT_DONE;
      }),
    );
}
