/** @file What every command is given: where to write, the settings, the clock, and the signal that says stop. */

import { hostname } from "node:os";
import type { Clock } from "../study/ledger.ts";
import { readSettings, type Settings } from "./settings.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

export interface Context {
  settings: Settings;
  options: GlobalOptions;
  clock: Clock;
  /** Fires on the first SIGINT or SIGTERM. */
  signal: AbortSignal;
  self: { pid: number; host: string };
  /** The result: standard output. */
  print(text: string): void;
  /** Everything that is no result: standard error; nothing with --quiet. */
  note(text: string): void;
  /** The result: a machine's form with --json, else a person's. */
  result(machine: unknown, person: string): void;
}

/** The context of this process. */
export function processContext(options: GlobalOptions, signal: AbortSignal): Context {
  const print = (text: string) => {
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  };
  return {
    settings: readSettings(),
    options,
    clock: Date.now,
    signal,
    self: { pid: process.pid, host: hostname() },
    print,
    note: (text) => {
      if (!options.quiet) process.stderr.write(`${text}\n`);
    },
    result: (machine, person) => print(options.json ? JSON.stringify(machine, nanAbsent, 2) : person),
  };
}

function nanAbsent(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
}
