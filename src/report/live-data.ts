/** @file What the live page is told of a study that runs, as plain JSON. Names and reasons in it are hostile text. */

import type { RunState } from "../runs/types.ts";

export interface LiveNews {
  /** Of the report: a digest, so that it says the same after a restart. */
  version: string;
  /** Why the report could not be made anew: what is shown is older than the files. Null: it is up to date, or soon will be. */
  problem: string | null;
  /** Runs, each once. */
  counts: Record<RunState | "damaged", number>;
  /** Runs and baselines that run, failed, were interrupted or are damaged: baselines first, then in the order of the plan. */
  jobs: LiveJob[];
}

/** Numbers that are not known are null. */
export interface LiveJob {
  id: string;
  name: string;
  state: "running" | "failed" | "interrupted" | "damaged";
  reason: string | null;
  step: number | null;
  numSteps: number | null;
  /** Of the last step. */
  loss: number | null;
  /** Of an optimiser step, over the last few. */
  secondsPerStep: number | null;
}
