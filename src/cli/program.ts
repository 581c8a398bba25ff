/** @file The command line as commander knows it: global options and every command. */

import { Command, Option } from "commander";
import { packageVersion } from "../app/package.ts";
import type { Act } from "./act.ts";
import { addCancel } from "./commands/cancel.ts";
import { addChat } from "./commands/chat.ts";
import { addCompare } from "./commands/compare.ts";
import { addDemo } from "./commands/demo.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEval } from "./commands/eval.ts";
import { addExport } from "./commands/export.ts";
import { addFetch } from "./commands/fetch.ts";
import { addImport } from "./commands/import.ts";
import { addInit } from "./commands/init.ts";
import { addJudge } from "./commands/judge.ts";
import { addLog } from "./commands/log.ts";
import { addPlan } from "./commands/plan.ts";
import { addPredict } from "./commands/predict.ts";
import { addRecommend } from "./commands/recommend.ts";
import { addReport } from "./commands/report.ts";
import { addRescore } from "./commands/rescore.ts";
import { addRun } from "./commands/run.ts";
import { addServe } from "./commands/serve.ts";
import { addSetup } from "./commands/setup.ts";
import { addStatus } from "./commands/status.ts";
import { addTasks } from "./commands/tasks.ts";
import { addTrain } from "./commands/train.ts";
import { addUi } from "./commands/ui.ts";
import { refuseOldSpellings } from "./options/old-spellings.ts";

const COMMANDS = [
  addDemo,
  addInit,
  addImport,
  addTasks,
  addFetch,
  addPlan,
  addRun,
  addTrain,
  addEval,
  addRescore,
  addExport,
  addJudge,
  addPredict,
  addServe,
  addChat,
  addStatus,
  addCancel,
  addReport,
  addLog,
  addCompare,
  addRecommend,
  addUi,
  addDoctor,
  addSetup,
];

/** @param act  runs what a command does */
export function commandLine(act: Act): Command {
  const program = new Command("mixtune")
    .description(
      "Mix task datasets, fine-tune a language model on each mixture, and learn which ingredient helps which task.",
    )
    .version(packageVersion())
    .option("--json", "print the result as JSON on standard output, everything else on standard error")
    .option("--quiet", "print no progress and no notes")
    .option("--debug", "print stack traces")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(mixtune --help lists the commands)")
    .addHelpText("after", "\nExamples:\n  mixtune demo\n  mixtune init tickets --data tickets.csv")
    .exitOverride();
  for (const add of COMMANDS) add(program, act);
  refuseOldSpellings(program);
  for (const command of program.commands) allowGlobalOptions(command, program);
  return program;
}

/** `mixtune run x --json` works as `mixtune --json run x` does. */
function allowGlobalOptions(command: Command, program: Command): void {
  for (const name of ["json", "quiet", "debug"]) {
    command.addOption(new Option(`--${name}`).hideHelp());
    command.on(`option:${name}`, () => program.setOptionValue(name, true));
  }
  for (const inner of command.commands) allowGlobalOptions(inner, program);
}
