/** @file The learning rate of each step. */

import type { TrainSpec } from "../specs/types.ts";

export type ScheduleConfig = Pick<TrainSpec, "learning_rate" | "lr_scheduler_type" | "warmup_steps">;

/** Warm-up in steps: a number below 1 is a share of all steps, rounded up. */
export function warmupSteps(warmup: number, numSteps: number): number {
  return warmup < 1 ? Math.ceil(warmup * numSteps) : warmup;
}

/**
 * Learning rate of update `step` (from 0): linear warm-up from 0, then constant, or down to 0 at `numSteps` linearly or along half a cosine.
 * @source transformers optimization.py get_{constant,linear,cosine}_schedule_with_warmup
 */
export function learningRate(config: ScheduleConfig, step: number, numSteps: number): number {
  const warmup = warmupSteps(config.warmup_steps, numSteps);
  if (step < warmup) return (config.learning_rate * step) / Math.max(1, warmup);
  const progress = (step - warmup) / Math.max(1, numSteps - warmup);
  const decay = {
    constant: 1,
    linear: Math.max(0, 1 - progress),
    cosine: 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress))),
  };
  return config.learning_rate * decay[config.lr_scheduler_type];
}
