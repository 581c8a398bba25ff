/**
 * @file Which examples each optimiser step sees. A pure function of counts, lengths, train spec and seed: resuming at a step means asking for it.
 */

import type { Shown, TrainSpec } from "../../specs/types.ts";
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

/** All batches of a run. */
export interface BatchPlan {
  numSteps: number;
  /** Optimiser steps of the first epoch; with `batch_tokens` others may differ by a few. */
  stepsPerEpoch: number;
  /** The batch of step `index`, counted from 0. */
  batch(index: number): Batch;
  /** What the whole run shows, per ingredient. Walks all epochs. */
  totals(): Record<string, Shown>;
  /** The first number of steps by when so many tokens are shown, through as many epochs as it takes; at least 1. */
  stepsToShow(tokens: number): number;
}

/**
 * Cuts the epochs of a mixture into batches. A batch never crosses an epoch; the short rest of an epoch is a batch of its own, so that no
 * example is dropped. With `batch_tokens` a batch takes examples in order as long as their tokens (each counted in full, as if nothing were
 * shared) fit, at least one. Of a fractional last epoch the first batches are taken.
 *
 * @param makeOrder  where orders come from
 */
export function planBatches(
  counts: Readonly<Record<string, number>>,
  lengths: Readonly<Record<string, ExampleLengths>>,
  spec: BatchSpec,
  seed: number,
  makeOrder: typeof epochOrder = epochOrder,
): BatchPlan {
  const sizes = Object.fromEntries(Object.entries(lengths).map(([name, { tokens }]) => [name, { num: tokens.length }]));
  const cuts: Int32Array[] = []; // per epoch: where its batches begin, and its end
  let recent: { epoch: number; order: EpochOrder } | null = null;
  const orderOf = (epoch: number): EpochOrder => {
    if (recent?.epoch !== epoch) recent = { epoch, order: makeOrder(counts, sizes, seed, epoch) };
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
  let near = { epoch: 0, first: 0 }; // an epoch and its first step: steps are mostly asked for in order
  const batch = (index: number): Batch => {
    if (index < near.first) near = { epoch: 0, first: 0 };
    while (index - near.first >= stepsOf(near.epoch)) {
      near = { epoch: near.epoch + 1, first: near.first + stepsOf(near.epoch) };
    }
    const { epoch, first } = near;
    const { names, ingredient, example } = orderOf(epoch);
    const [from, to] = cutsOf(epoch).subarray(index - first, index - first + 2);
    return { epoch, names, ingredient: ingredient.subarray(from, to), example: example.subarray(from, to) };
  };
  return {
    numSteps,
    stepsPerEpoch: stepsOf(0),
    batch,
    totals: () => {
      const { names } = orderOf(0);
      const own = names.map((name) => lengths[name] as ExampleLengths);
      const times = own.map(({ tokens }) => new Uint32Array(tokens.length)); // how often each example is shown
      for (let epoch = 0, left = numSteps; left > 0; left -= stepsOf(epoch), epoch++) {
        const { ingredient, example } = orderOf(epoch);
        const end = cutsOf(epoch)[Math.min(left, stepsOf(epoch))] as number;
        for (let k = 0; k < end; k++) (times[ingredient[k] as number] as Uint32Array)[example[k] as number]!++;
      }
      return Object.fromEntries(names.map((name, k) => [name, shownOf(times[k]!, own[k]!)]));
    },
    stepsToShow: (tokens) => {
      let steps = 0;
      for (let left = tokens; steps === 0 || left > 0; steps++) left -= tokensOf(batch(steps), lengths);
      return steps;
    },
  };
}

function cut(order: EpochOrder, lengths: Readonly<Record<string, ExampleLengths>>, spec: BatchSpec): Int32Array {
  const { ingredient, example } = order;
  const total = example.length;
  const starts = [0];
  const size = spec.train_batch_size ?? Number.POSITIVE_INFINITY;
  const room = spec.batch_tokens ?? Number.POSITIVE_INFINITY;
  const tokensOf = order.names.map((name) => (lengths[name] as ExampleLengths).tokens);
  let inBatch = 0;
  let tokens = 0;
  for (let k = 0; k < total; k++) {
    const length = (tokensOf[ingredient[k] as number] as Int32Array)[example[k] as number] as number;
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

function tokensOf({ names, ingredient, example }: Batch, lengths: Readonly<Record<string, ExampleLengths>>): number {
  const own = names.map((name) => (lengths[name] as ExampleLengths).tokens);
  let tokens = 0;
  for (let k = 0; k < example.length; k++) tokens += own[ingredient[k] as number]?.[example[k] as number] as number;
  return tokens;
}

function shownOf(times: Uint32Array, { tokens, supervised }: ExampleLengths): Shown {
  const shown: Shown = { examples: 0, distinct_examples: 0, tokens: 0, supervised_tokens: 0 };
  for (let i = 0; i < times.length; i++) {
    const count = times[i] as number;
    if (count === 0) continue;
    shown.examples += count;
    shown.distinct_examples++;
    shown.tokens += count * (tokens[i] as number);
    shown.supervised_tokens += count * (supervised[i] as number);
  }
  return shown;
}
