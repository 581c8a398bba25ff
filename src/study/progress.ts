/** @file How far a run or baseline is: what its own status.json says, and what the ledger says of one that failed before it had a folder. */

import { damageOf, describeDamage } from "../runs/damage.ts";
import { isInterrupted, isPidAlive, readStatus } from "../runs/run-dir.ts";
import type { RunState } from "../runs/types.ts";

export interface JobProgress {
  /** `interrupted`: also one that says that it runs, but its process is gone. `damaged`: one that is done, but not as its records have it. */
  state: RunState | "damaged";
  /** Of a failed or damaged one, in one line. */
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
 * @param tasks   that the study scores
 * @param reason  why it failed when it was last tried, as the ledger has it
 * @throws {DataError} a damaged status.json
 */
export function jobProgress(
  dir: string,
  tasks: readonly string[],
  reason: string | undefined,
  { now, host }: Asker,
): JobProgress {
  const status = readStatus(dir);
  const { state, step, num_steps } = status;
  const isDead = isInterrupted(status, { pidAlive: isPidAlive, now, host });
  const at = step === undefined || num_steps === undefined ? {} : { step, numSteps: num_steps };
  if (state === "done") {
    const damage = damageOf(dir, tasks);
    return damage.length === 0 ? { state } : { state: "damaged", reason: describeDamage(damage, dir) };
  }
  if (state === "running" && !isDead) return { state, ...at };
  const failure = reason ?? status.reason;
  if (failure !== undefined) return { state: "failed", reason: failure.split("\n")[0]! };
  return isDead || state === "interrupted" ? { state: "interrupted", ...at } : { state };
}
