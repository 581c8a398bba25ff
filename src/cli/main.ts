#!/usr/bin/env node
/** @file The command line: global options, commands, and one place where errors become messages and exit statuses. */

import { Command, CommanderError, Option } from "commander";
import { packageVersion } from "../app/package.ts";
import { visible } from "../base/visible.ts";
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
import { type GlobalOptions, processContext } from "./context.ts";
import { describeError, EXIT_INTERRUPTED, EXIT_WRONG_REQUEST, Exit, errorRecord, exitStatus } from "./exit.ts";

async function main(): Promise<number> {
  const program = new Command("mixtune")
    .description(
      "Mix task datasets, fine-tune a language model on each mixture, and learn which ingredient helps which task.",
    )
    .version(packageVersion())
    .option("--json", "the result as JSON on standard output, all else on standard error")
    .option("--quiet", "no progress and no notes")
    .option("--debug", "stack traces")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(mixtune --help lists the commands)")
    .addHelpText("after", "\nExample: mixtune demo")
    .exitOverride();
  let status = 0;
  const interrupt = interruptSignal();
  const act: Act = async (action) => {
    const options = program.opts<GlobalOptions>();
    const context = processContext(options, interrupt);
    try {
      status = await action(context);
    } catch (error) {
      status = exitStatus(error);
      if (error instanceof Exit) return;
      if (interrupt.aborted && error === interrupt.reason) {
        status = EXIT_INTERRUPTED;
        context.note("Interrupted; the same command goes on where this stopped.");
        return;
      }
      process.stderr.write(`${visible(describeError(error, options.debug === true))}\n`);
      if (options.json) context.print(JSON.stringify({ error: errorRecord(error) }));
    }
  };
  for (const add of [
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
  ]) {
    add(program, act);
  }
  for (const command of program.commands) allowGlobalOptions(command, program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : EXIT_WRONG_REQUEST;
  }
  return status;
}

/** The first SIGINT or SIGTERM asks work to stop; a second one stops the process. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    process.stderr.write("\nStopping at the next safe point; once more to stop at once.\n");
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

/** `mixtune run x --json` works as `mixtune --json run x` does. */
function allowGlobalOptions(command: Command, program: Command): void {
  for (const name of ["json", "quiet", "debug"]) {
    command.addOption(new Option(`--${name}`).hideHelp());
    command.on(`option:${name}`, () => program.setOptionValue(name, true));
  }
  for (const inner of command.commands) allowGlobalOptions(inner, program);
}

// A reader that has seen enough (mixtune report … | head) closes the pipe: that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await main();
