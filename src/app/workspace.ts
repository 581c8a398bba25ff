/** @file What every verb of the product works with: settings, cache, clock, chance, the signal that stops, and where notes and progress go. */

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Hub, openHub } from "../hub/hub.ts";
import type { Clock } from "../study/ledger.ts";
import { readSettings, type Settings } from "./settings.ts";

/** How far one piece of work is: a download, an evaluation, a run of a study. */
export interface Progress {
  /** What advances; the same for all reports of one piece of work. */
  id: string;
  /** Its name for people. */
  label: string;
  /** Its place among the pieces of the whole, from 1. */
  index: number;
  /** Pieces of the whole. */
  pieces: number;
  phase: string;
  done: number;
  /** 0: unknown. */
  total: number;
  unit: string;
  loss?: number;
  tokens_per_second?: number;
  /** Estimated seconds of the pieces that have not begun; absent where unknown. */
  secondsAfter?: number;
}

/** Where verbs work. Two of them in one process share nothing but the disk. */
export interface Workspace {
  settings: Settings;
  /** Sends nothing until something is fetched. */
  hub: Hub;
  /** Milliseconds since 1970. */
  clock: Clock;
  /** From 0 to 1: when to try again, and sampling without a seed. Nothing that a result follows from. */
  random(): number;
  /** Stops any verb at its next safe point. */
  signal: AbortSignal;
  /** Who holds a study while it runs. */
  self: { pid: number; host: string };
  /** Receives one sentence at a time for people: what was left out, what is about to be sent. */
  note(text: string): void;
  /** Receives the progress of work that belongs to no study; a study reports through `onEvent`. */
  progress(progress: Progress): void;
}

/**
 * Opens a workspace.
 * @param given  what replaces the defaults: settings of the environment, a signal that never fires, and notes and progress that go nowhere
 */
export function openWorkspace(given: Partial<Workspace> = {}): Workspace {
  const settings = given.settings ?? readSettings();
  const signal = given.signal ?? new AbortController().signal;
  const note = given.note ?? (() => {});
  return {
    clock: Date.now,
    random: Math.random,
    self: { pid: process.pid, host: hostname() },
    progress: () => {},
    hub: openHub({ settings: settings.hub, signal, note, sleep: (ms) => sleep(ms, undefined, { signal }) }),
    ...given,
    ...{ settings, signal, note },
  };
}
