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

function ledgerPath(studyDir: string): string {
  return join(studyDir, "ledger.jsonl");
}
