/** @file What every command is given: where to write, the settings, the clock, and the signal that says stop. */

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { readSettings, type Settings } from "../app/settings.ts";
import { visible } from "../base/visible.ts";
import { type Hub, openHub } from "../hub/hub.ts";
import type { Clock } from "../study/ledger.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

export interface Context {
  settings: Settings;
  /** Asks nothing of the network until something is fetched. */
  hub: Hub;
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
  const note = (text: string) => {
    if (!options.quiet) process.stderr.write(`${visible(text)}\n`);
  };
  const settings = readSettings();
  return {
    settings,
    hub: openHub({ settings: settings.hub, signal, note, sleep: (ms) => sleep(ms, undefined, { signal }) }),
    options,
    clock: Date.now,
    signal,
    self: { pid: process.pid, host: hostname() },
    print,
    note,
    result: (machine, person) => print(options.json ? JSON.stringify(machine, nanAbsent, 2) : person),
  };
}

function nanAbsent(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
}
