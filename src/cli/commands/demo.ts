/** @file mixtune demo: a whole small study, offline. */

import { join } from "node:path";
import type { Command } from "commander";
import { packageRoot } from "../../app/package.ts";
import { planStudy } from "../../app/study/plan-study.ts";
import { readStudy } from "../../app/study/read-study.ts";
import type { Act } from "../act.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { runAndReport } from "../run-and-report.ts";

export function addDemo(command: Command, act: Act): void {
  command
    .optionsGroup("Output:")
    .option("--out <dir>", "directory for the results (default: studies/demo)")
    .addHelpText("after", "\nExamples:\n  mixtune demo\n  mixtune demo seeds=[1] --out /tmp/demo")
    .action((words: string[], options: { out?: string }) =>
      act(async (context) => {
        const input = readStudy(join(packageRoot(), "recipes", "demo.yaml"), assignmentsOf(words));
        return runAndReport(await planStudy(input, context, { out: options.out }), context);
      }),
    );
}
