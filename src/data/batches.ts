/**
 * @file Which examples each optimiser step sees. A pure function of counts, lengths, train spec and seed: resuming at a step means asking for it.
 */

import type { TrainSpec } from "../specs/types.ts";
import { type EpochOrder, epochOrder } from "./mixture.ts";

/** What of a train spec decides the batches. */
export type BatchSpec = Pick<TrainSpec, "batch_tokens" | "train_batch_size" | "num_train_epochs" | "max_steps">;

/** Tokens of each training example of an ingredient. */
export interface ExampleLengths {
  /** Prompt and answer together. */
  tokens: Int32Array;
  /** Tokens that the loss is on. */
  supervised: Int32Array;
}

/** The examples of one optimiser step; `names[ingredient[k]]` is the ingredient of the k-th, `example[k]` its index there. */
export interface Batch {
  /** From 0. */
  epoch: number;
  names: readonly string[];
  ingredient: Uint16Array;
  example: Int32Array;
}

/** What a run shows of one ingredient, repetitions counted. */
export interface Shown {
  examples: number;
  tokens: number;
  supervised_tokens: number;
}

/** All batches of a run. */
export interface BatchPlan {
  numSteps: number;
  /** Optimiser steps of the first epoch; with `batch_tokens` others may differ by a few. */
  stepsPerEpoch: number;
  /** The batch of step `index`, counted from 0. */
  batch(index: number): Batch;
  /** What the whole run shows, per ingredient. Walks all epochs. */
  totals(): Record<string, Shown>;
}

/**
 * Cuts the epochs of a mixture into batches. A batch never crosses an epoch; the short rest of an epoch is a batch of its own, so that no
 * example is dropped. With `batch_tokens` a batch takes examples in order as long as their tokens (each counted in full, as if nothing were
 * shared) fit, at least one. Of a fractional last epoch the first batches are taken.
 */
export function planBatches(
  counts: Readonly<Record<string, number>>,
  lengths: Readonly<Record<string, ExampleLengths>>,
  spec: BatchSpec,
  seed: number,
): BatchPlan {
  const sizes = Object.fromEntries(Object.entries(lengths).map(([name, { tokens }]) => [name, { num: tokens.length }]));
  const cuts: Int32Array[] = []; // per epoch: where its batches begin, and its end
  let recent: { epoch: number; order: EpochOrder } | null = null;
  const orderOf = (epoch: number): EpochOrder => {
    if (recent?.epoch !== epoch) recent = { epoch, order: epochOrder(counts, sizes, seed, epoch) };
    return recent.order;
  };
  const cutsOf = (epoch: number): Int32Array => {
    cuts[epoch] ??= cut(orderOf(epoch), lengths, spec);
    return cuts[epoch];
  };
  const stepsOf = (epoch: number) => cutsOf(epoch).length - 1;

  let numSteps = spec.max_steps ?? 0;
  if (spec.max_steps === null) {
    const numWhole = Math.floor(spec.num_train_epochs);
    for (let epoch = 0; epoch < numWhole; epoch++) numSteps += stepsOf(epoch);
    const rest = spec.num_train_epochs - numWhole;
    if (rest > 0) numSteps += Math.ceil(rest * stepsOf(numWhole));
  }
  const batch = (index: number): Batch => {
    let epoch = 0;
    let local = index;
    while (local >= stepsOf(epoch)) local -= stepsOf(epoch++);
    const { names, ingredient, example } = orderOf(epoch);
    const [from, to] = cutsOf(epoch).subarray(local, local + 2);
    return { epoch, names, ingredient: ingredient.subarray(from, to), example: example.subarray(from, to) };
  };
  return {
    numSteps,
    stepsPerEpoch: stepsOf(0),
    batch,
    totals: () => {
      const shown: Record<string, Shown> = {};
      for (const name of Object.keys(counts)) shown[name] = { examples: 0, tokens: 0, supervised_tokens: 0 };
      for (let index = 0; index < numSteps; index++) addBatch(shown, batch(index), lengths);
      return shown;
    },
  };
}

function cut(order: EpochOrder, lengths: Readonly<Record<string, ExampleLengths>>, spec: BatchSpec): Int32Array {
  const total = order.example.length;
  const starts = [0];
  const size = spec.train_batch_size ?? Number.POSITIVE_INFINITY;
  const room = spec.batch_tokens ?? Number.POSITIVE_INFINITY;
  const tokensOf = order.names.map((name) => (lengths[name] as ExampleLengths).tokens);
  let inBatch = 0;
  let tokens = 0;
  for (let k = 0; k < total; k++) {
    const length = tokensOf[order.ingredient[k] as number]?.[order.example[k] as number] as number;
    if (inBatch > 0 && (inBatch === size || tokens + length > room)) {
      starts.push(k);
      inBatch = 0;
      tokens = 0;
    }
    inBatch++;
    tokens += length;
  }
  return Int32Array.from([...starts, total]);
}

function addBatch(shown: Record<string, Shown>, batch: Batch, lengths: Readonly<Record<string, ExampleLengths>>): void {
  for (const [k, which] of batch.ingredient.entries()) {
    const name = batch.names[which] as string;
    const index = batch.example[k] as number;
    const { tokens, supervised } = lengths[name] as ExampleLengths;
    const entry = shown[name] as Shown;
    entry.examples++;
    entry.tokens += tokens[index] as number;
    entry.supervised_tokens += supervised[index] as number;
  }
}
