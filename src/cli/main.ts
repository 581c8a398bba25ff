#!/usr/bin/env node
/** @file The command: the one place where errors become messages and exit statuses. */

import { CommanderError } from "commander";
import { visible } from "../base/visible.ts";
import type { Act } from "./act.ts";
import type { GlobalOptions } from "./context.ts";
import { describeError, EXIT_INTERRUPTED, EXIT_WRONG_REQUEST, Exit, errorRecord, exitStatus } from "./exit.ts";
import { commandLine } from "./program.ts";

async function main(): Promise<number> {
  let status = 0;
  const interrupt = interruptSignal();
  const act: Act = async (action) => {
    const { processContext } = await import("./context.ts");
    const options = program.opts<GlobalOptions>();
    const context = processContext(options, interrupt);
    try {
      status = await action(context);
    } catch (error) {
      status = exitStatus(error);
      if (error instanceof Exit) return;
      if (interrupt.aborted && error === interrupt.reason) {
        status = EXIT_INTERRUPTED;
        context.note("Interrupted. Run the same command again to resume.");
        return;
      }
      process.stderr.write(`${visible(describeError(error, options.debug === true))}\n`);
      if (options.json) context.print(JSON.stringify({ error: errorRecord(error) }));
    }
  };
  const program = await commandLine(act, process.argv.slice(2));
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
    process.stderr.write("\nStopping at the next safe point. Press Ctrl-C again to stop at once.\n");
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

// A reader that has seen enough (mixtune report … | head) closes the pipe: that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await main();
