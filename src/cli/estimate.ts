/** @file What a run will cost, before it starts: exact examples, tokens and steps; rough seconds, memory and disk. */

import { type BatchPlan, planBatches } from "../data/batches.ts";
import { countsPerEpoch } from "../data/mixture.ts";
import type { PreparedTask } from "../data/prepare.ts";
import type { RunSpec } from "../specs/types.ts";
import type { Estimate } from "../study/types.ts";
import { MICRO_BATCH_TOKENS } from "../train/trainer.ts";

/** What of a model decides cost. */
export interface ModelSize {
  /** Weights in all. */
  parameters: number;
  /** Weights that a token is multiplied with: embeddings are looked up, a tied head is not. */
  active: number;
  layers: number;
  hidden: number;
  intermediate: number;
  vocabulary: number;
}

/**
 * Useful fp32 FLOP/s of one core with sharing of prefixes: 83e9 for the shipped model and 90e9 for a 135M one on an AMD EPYC core with AVX-512
 * (docs/LOG.md). Other machines are off by a factor of two in either direction.
 */
export const FLOPS_PER_THREAD = 75e9;
const NODE_BYTES = 300e6;
/** Size of one prediction on disk. */
const PREDICTION_BYTES = 400;

export function estimateRun(
  spec: RunSpec,
  ingredients: Record<string, PreparedTask>,
  model: ModelSize,
  evaluated: { examples: number; tokens: number },
): Estimate {
  const plan = batchesOf(spec, ingredients);
  const shown = plan.totals();
  const examples = Object.values(shown).reduce((sum, one) => sum + one.examples, 0);
  const tokens = Object.values(shown).reduce((sum, one) => sum + one.tokens, 0);
  const perToken = (spec.train.method === "full" ? 6 : 4) * model.active;
  const flops = tokens * perToken + evaluated.tokens * 2 * model.active;
  const trainable =
    spec.train.method === "full"
      ? model.parameters
      : model.layers * spec.train.lora_rank * (8 * model.hidden + 3 * model.intermediate);
  return {
    examples,
    tokens,
    ingredients: shown,
    steps: plan.numSteps,
    seconds: 2 + flops / (FLOPS_PER_THREAD * spec.worker.threads),
    memory_bytes: memoryOf(model, trainable),
    disk_bytes: KEPT_CHECKPOINTS[spec.train.keep] * trainable * 4 + evaluated.examples * PREDICTION_BYTES,
    working_disk_bytes: 3 * trainable * 4 * 3,
  };
}

/** The batches that a run trains on. */
export function batchesOf(spec: RunSpec, ingredients: Record<string, PreparedTask>): BatchPlan {
  const splits = Object.keys(spec.mixture.ingredients).map(
    (name) => [name, ingredients[name]!.split("train")] as const,
  );
  const sizes = splits.map(([name, { tokenized, numTokens }]) => [name, { num: tokenized.length, tokens: numTokens }]);
  const counts = countsPerEpoch(spec.mixture, Object.fromEntries(sizes));
  const lengths = Object.fromEntries(splits.map(([name, split]) => [name, split.lengths]));
  return planBatches(counts, lengths, spec.train, spec.seed);
}

/** Memory that a frozen weight takes: float32, three times (ours, the engine's packed copies). */
export const BYTES_PER_WEIGHT = 4 * 3;

/**
 * Peak memory: Node with the engine's library; frozen weights; of what trains: values, gradients and moments on both sides of the engine, in a
 * training and a scoring network; activations of a micro-batch.
 *
 * @param trainable weights; 0 where nothing is trained
 */
export function memoryOf(model: ModelSize, trainable: number): number {
  const perToken = model.layers * (12 * model.hidden + 4 * model.intermediate) + 4 * model.vocabulary;
  return NODE_BYTES + BYTES_PER_WEIGHT * model.parameters + 4 * (12 * trainable + MICRO_BATCH_TOKENS * perToken);
}

/** Checkpoints that stay: `weights` keeps last and best. */
const KEPT_CHECKPOINTS: Record<RunSpec["train"]["keep"], number> = { last: 1, best: 1, weights: 2, none: 0 };
