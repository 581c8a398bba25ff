/** @file From work on a job to its outcome, with its status.json. */

import { MixtuneError } from "../base/errors.ts";
import { openRunDir } from "../runs/run-dir.ts";
import type { Job, Outcome } from "../study/types.ts";
import { Interrupted, LeftToOthers } from "./engine.ts";
import { StatusKeeper } from "./status-keeper.ts";

/**
 * Works on a job to its end; whatever goes wrong is an outcome, and status.json says it.
 * @param now     milliseconds since the epoch
 * @param work    throws {@link Interrupted} to be gone on with later, {@link LeftToOthers} where it goes on elsewhere
 * @param tidyUp  called once status.json says `done`
 */
export async function outcomeOf(
  job: Job,
  now: () => number,
  work: (status: StatusKeeper) => Promise<void>,
  tidyUp: () => void = () => {},
): Promise<Outcome> {
  const status = new StatusKeeper(job, now);
  try {
    openRunDir(job.dir);
    status.write({ state: "running" });
    await work(status);
    status.write({ state: "done" });
    tidyUp();
    return { state: "done" };
  } catch (error) {
    if (error instanceof Interrupted || error instanceof LeftToOthers) {
      const isLeft = error instanceof LeftToOthers;
      status.write({ state: isLeft ? "planned" : "interrupted" });
      return { state: isLeft ? "left" : "interrupted" };
    }
    const reason = error instanceof MixtuneError ? error.message : `a fault in mixtune: ${(error as Error).message}`;
    status.tryWrite({ state: "failed", reason });
    return { state: "failed", reason, stack: (error as Error).stack ?? "" };
  }
}
