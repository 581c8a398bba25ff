/** @file How far a run or baseline is: what its own status.json says, and what the ledger says of one that failed before it had a folder. */

import { isInterrupted, isPidAlive, readStatus } from "../runs/run-dir.ts";
import type { RunState } from "../runs/types.ts";

export interface JobProgress {
  /** `interrupted`: says that it runs, but its process is gone. */
  state: RunState | "interrupted";
  /** Of a failed one, in one line. */
  reason?: string;
  /** As of the last beat. */
  step?: number;
  numSteps?: number;
}

/** Who asks, and when. */
export interface Asker {
  /** Milliseconds since the epoch. */
  now: number;
  /** This machine's name. */
  host: string;
}

/**
 * @param dir     of a run or baseline; it need not exist
 * @param reason  why it failed when it was last tried, as the ledger has it
 * @throws {DataError} a damaged status.json
 */
export function jobProgress(dir: string, reason: string | undefined, { now, host }: Asker): JobProgress {
  const status = readStatus(dir);
  const { state, step, num_steps } = status;
  const isDead = isInterrupted(status, { pidAlive: isPidAlive, now, host });
  const at = step === undefined || num_steps === undefined ? {} : { step, numSteps: num_steps };
  if (state === "done") return { state };
  if (state === "running" && !isDead) return { state, ...at };
  const failure = reason ?? status.reason;
  if (failure !== undefined) return { state: "failed", reason: failure.split("\n")[0]! };
  return isDead ? { state: "interrupted", ...at } : { state };
}
