/** @file The history of a study: one JSON line per event, only ever appended. The truth of a run's state is its own status.json. */

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LedgerLine } from "../runs/types.ts";

/** Milliseconds since the epoch: the clock comes in as an argument. */
export type Clock = () => number;

/** Writes one event. A torn last line (a kill while writing) is closed first, so that it cannot swallow this one. */
export function appendLedger(studyDir: string, clock: Clock, line: Omit<LedgerLine, "time">): void {
  const path = ledgerPath(studyDir);
  const torn = existsSync(path) && !/(^|\n)$/.test(readFileSync(path, "utf8"));
  const time = new Date(clock()).toISOString();
  appendFileSync(path, `${torn ? "\n" : ""}${JSON.stringify({ time, ...line })}\n`);
}

/** All events in order; lines that are no JSON (torn by a kill) are left out. */
export function readLedger(studyDir: string): LedgerLine[] {
  const path = ledgerPath(studyDir);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").flatMap(parsed);
}

function parsed(line: string): LedgerLine[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as LedgerLine];
  } catch {
    return [];
  }
}

function ledgerPath(studyDir: string): string {
  return join(studyDir, "ledger.jsonl");
}
