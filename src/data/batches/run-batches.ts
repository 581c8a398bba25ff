/** @file The batches of a run: which examples each step shows, and how they are packed. Training, prepared runs and estimates all ask here. */

import { Rng } from "../../base/rng.ts";
import type { RunSpec, TrainSpec } from "../../specs/types.ts";
import { type BatchPlan, type ExampleLengths, planBatches } from "./batches.ts";
import { countsPerEpoch, type epochOrder } from "./mixture.ts";
import type { PackOptions } from "./packing.ts";

/**
 * Tokens through the net in one forward and backward pass. Part of the numerics, so one constant for everyone: large enough for full-speed
 * products, small enough that the activations of a 135M model stay near a gigabyte, and that a processor's dense masks stay small.
 */
export const MICRO_BATCH_TOKENS = 1024;

/** The same on a GPU, which wants work. */
export const GPU_MICRO_BATCH_TOKENS = 8192;

/** What batches depend on of an ingredient's training split. */
export interface TrainingRows {
  lengths: ExampleLengths;
  /** Of all examples together. */
  numTokens: number;
}

/**
 * The batches that a run trains on.
 * @param rows       of each ingredient of the mixture
 * @param makeOrder  of a study's epochs: many runs have the same (keptOrders)
 */
export function runBatches(
  { mixture, train, seed }: Pick<RunSpec, "mixture" | "train" | "seed">,
  rows: Readonly<Record<string, TrainingRows>>,
  makeOrder?: typeof epochOrder,
): BatchPlan {
  const sizes = mapped(rows, ({ lengths, numTokens }) => ({ num: lengths.tokens.length, tokens: numTokens }));
  const lengths = mapped(rows, (one) => one.lengths);
  return planBatches(countsPerEpoch(mixture, sizes), lengths, train, seed, makeOrder);
}

/** How a run's batches are packed. @param maxTokens  of a pack, but for contaminated ones, which are as long as `cutoff_len` */
export function packOptionsOf(
  {
    packing,
    cutoff_len,
    loss_on,
    lora_dropout,
  }: Pick<TrainSpec, "packing" | "cutoff_len" | "loss_on" | "lora_dropout">,
  maxTokens = MICRO_BATCH_TOKENS,
): PackOptions {
  const isContaminated = packing === "contaminated";
  return {
    packing,
    // With dropout no two examples have the same numbers in common.
    sharePrefix: !isContaminated && lora_dropout === undefined,
    maxTokens: isContaminated ? cutoff_len : maxTokens,
    lossOn: loss_on,
  };
}

/** Keys of the examples of a step for dropout; undefined without it. */
export function dropoutKeysOf(
  { train, seed }: Pick<RunSpec, "train" | "seed">,
  step: number,
  numExamples: number,
): number[] | undefined {
  if (train.lora_dropout === undefined) return undefined;
  const rng = new Rng(seed, "lora_dropout", step);
  return Array.from({ length: numExamples }, () => rng.uint32());
}

function mapped<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
