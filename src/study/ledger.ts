/** @file The history of a study: one JSON line per event, only ever appended. The truth of a run's state is its own status.json. */

import { join } from "node:path";
import { appendLog, readLog } from "../formats/jsonl.ts";
import type { LedgerLine } from "../runs/types.ts";

/** Milliseconds since the epoch: the clock comes in as an argument. */
export type Clock = () => number;

/** Writes one event with its time. */
export function appendLedger(studyDir: string, clock: Clock, line: Omit<LedgerLine, "time">): void {
  appendLog(ledgerPath(studyDir), { time: new Date(clock()).toISOString(), ...line });
}

/** All events in order; a last line that was torn by a kill is left out. */
export function readLedger(studyDir: string): LedgerLine[] {
  return readLog(ledgerPath(studyDir)).map(({ value }) => value as LedgerLine);
}

/** How often test splits were opened (one task's by one run is once), by how many runs and baselines, over how many tasks. */
export interface TestOpenings {
  times: number;
  runs: number;
  tasks: number;
}

/** Counts every opening of a test split, those of runs that were killed and began anew too. */
export function testOpenings(ledger: readonly LedgerLine[]): TestOpenings {
  const opened = ledger.flatMap(({ event, run, detail }) => {
    return event === "test_opened" ? [{ run, tasks: (detail?.tasks ?? []) as string[] }] : [];
  });
  const tasks = opened.flatMap((one) => one.tasks);
  return {
    times: tasks.length,
    runs: new Set(opened.map(({ run }) => run)).size,
    tasks: new Set(tasks).size,
  };
}

/** Why runs and baselines failed when they were last tried, by id; those that have done better since are left out. */
export function failures(ledger: readonly LedgerLine[]): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const { event, run, detail } of ledger) {
    if (event === "failed") reasons.set(run, String(detail?.reason ?? "no reason was kept"));
    else if (event === "started" || event === "finished") reasons.delete(run);
  }
  return reasons;
}

function ledgerPath(studyDir: string): string {
  return join(studyDir, "ledger.jsonl");
}
