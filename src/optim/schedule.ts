/** @file The learning rate of each step. */

import type { TrainSpec } from "../specs/types.ts";

export type ScheduleConfig = Pick<TrainSpec, "learning_rate" | "lr_scheduler_type" | "warmup_steps" | "decay_steps">;

/** A number of steps: below 1 it is a share of all steps, rounded up. */
export function stepsOf(written: number, numSteps: number): number {
  return written < 1 ? Math.ceil(written * numSteps) : written;
}

/**
 * Learning rate of update `step` (from 0): linear warm-up from 0, then constant, or down to 0 at `numSteps`: linearly, along half a cosine, or
 * linearly over the last `decay_steps` only.
 * @source transformers optimization.py get_{constant,linear,cosine}_schedule_with_warmup, get_wsd_schedule with linear decay to 0
 */
export function learningRate(config: ScheduleConfig, step: number, numSteps: number): number {
  const warmup = stepsOf(config.warmup_steps, numSteps);
  if (step < warmup) return (config.learning_rate * step) / Math.max(1, warmup);
  const progress = (step - warmup) / Math.max(1, numSteps - warmup);
  const decaySteps = stepsOf(config.decay_steps, numSteps);
  const factors = {
    constant: 1,
    linear: Math.max(0, 1 - progress),
    cosine: 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress))),
    warmup_stable_decay: Math.min(1, Math.max(0, numSteps - step) / Math.max(1, decaySteps)),
  };
  return config.learning_rate * factors[config.lr_scheduler_type];
}
