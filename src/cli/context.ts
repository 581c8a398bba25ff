/** @file What every command is given: a workspace whose notes and progress appear on standard error, and where results go. */

import { openWorkspace, type Workspace } from "../app/workspace.ts";
import { visible } from "../base/visible.ts";
import { withFlags } from "./options/flags.ts";
import { ProgressLine } from "./screen/progress.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

export interface Context extends Workspace {
  options: GlobalOptions;
  /** The progress line; notes and results end it. */
  line: ProgressLine;
  /** The result: standard output. */
  print(text: string): void;
  /** The result: a machine's form with --json, else a person's. */
  result(machine: unknown, person: string): void;
}

/** The context of this process. @param signal fires on the first SIGINT or SIGTERM */
export function processContext(options: GlobalOptions, signal: AbortSignal): Context {
  const toError = (text: string) => {
    if (!options.quiet) process.stderr.write(text);
  };
  const note = (text: string) => line.say(visible(withFlags(text)));
  const workspace = openWorkspace({ signal, note, progress: (progress) => line.update(progress) });
  const line = new ProgressLine({
    isTerminal: process.stderr.isTTY === true && !workspace.settings.isPlain,
    columns: process.stderr.columns ?? 100,
    now: workspace.clock,
    write: toError,
  });
  const print = (text: string) => {
    line.close();
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  };
  return {
    ...workspace,
    options,
    line,
    print,
    result: (machine, person) => print(options.json ? JSON.stringify(machine, nanAbsent, 2) : person),
  };
}

function nanAbsent(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
}
