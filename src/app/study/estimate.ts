/** @file What a run will cost, before it starts: exact examples, tokens and steps; rough seconds, memory and disk. */

import type { BatchPlan } from "../../data/batches/batches.ts";
import type { epochOrder } from "../../data/batches/mixture.ts";
import { type PackShape, packShapes } from "../../data/batches/packing.ts";
import { packOptionsOf, runBatches } from "../../data/batches/run-batches.ts";
import { lengthOf } from "../../data/tokens/fit.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import type { TokenizedExample } from "../../data/types.ts";
import type { RunSpec, TrainSpec } from "../../specs/types.ts";
import type { Estimate } from "../../study/types.ts";
import type { ModelSize } from "../models/base-model.ts";
import { memoryOf, memoryOfTorch, trainableWeights } from "../models/memory-estimate.ts";

/**
 * fp32 FLOP/s that go through one core, fitted to the bench of four widths on an AMD EPYC core with AVX-512 (docs/LOG.md): narrow products run at
 * half the speed of wide ones. Other machines are off by a factor of two in either direction.
 */
function flopsPerThread({ hidden }: ModelSize): number {
  return (88e9 * hidden ** 2) / (hidden ** 2 + 256 ** 2);
}
/** Batches that are laid out to see how many tokens sharing saves, and how many tokens of each: of a larger one its first examples. */
const SAMPLED_BATCHES = 2;
const SAMPLED_TOKENS = 8192;
/** Size of one prediction on disk. */
export const PREDICTION_BYTES = 400;

/** @param makeOrder  as in {@link batchesOf} */
export function estimateRun(
  spec: RunSpec,
  ingredients: Record<string, PreparedTask>,
  model: ModelSize,
  evaluated: { examples: number; tokens: number },
  makeOrder?: typeof epochOrder,
): Estimate {
  const plan = batchesOf(spec, ingredients, makeOrder);
  const shown = plan.totals();
  const examples = Object.values(shown).reduce((sum, one) => sum + one.examples, 0);
  const tokens = Object.values(shown).reduce((sum, one) => sum + one.tokens, 0);
  const sample = sampleOf(plan, spec, ingredients);
  const perSample = secondsOf(sample.packs, model, spec.train.method, spec.worker.threads);
  const perEvaluated = perSample / TRAINING_PASSES[spec.train.method];
  const seconds = sample.tokens === 0 ? 0 : (tokens * perSample + evaluated.tokens * perEvaluated) / sample.tokens;
  const trainable = trainableWeights(model, spec.train);
  return {
    examples,
    tokens,
    ingredients: shown,
    steps: plan.numSteps,
    seconds: 2 + seconds,
    memory_bytes:
      spec.worker.kind === "torch" ? memoryOfTorch(model, trainable, spec.train) : memoryOf(model, trainable),
    disk_bytes: KEPT_CHECKPOINTS[spec.train.keep] * trainable * 4 + evaluated.examples * PREDICTION_BYTES,
    working_disk_bytes: 3 * trainable * 4 * 3,
  };
}

/**
 * Passes through the net in training, where one forward is one: backward goes to activations, and to weights where they train, whose update takes
 * half a pass more at the bench's batch sizes.
 */
const TRAINING_PASSES = { full: 3.5, lora: 2 } as const;

/** Seconds that the packs of some batches take. A multiply-add is two operations; attention reads its whole row, masked or not. */
export function secondsOf(
  packs: readonly PackShape[],
  model: ModelSize,
  method: TrainSpec["method"],
  threads: number,
): number {
  const macs = packs.reduce((sum, { numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S, numLossRows }) => {
    const attended = Q * P * P + B * S * (P + S);
    const ofBlocks = (Q * P + B * S) * model.blocks + 2 * attended * model.hidden * model.layers;
    return sum + ofBlocks + numLossRows * model.hidden * model.vocabulary;
  }, 0);
  return (TRAINING_PASSES[method] * 2 * macs) / (flopsPerThread(model) * threads);
}

/** Packs of a few batches over the run, or of their beginnings, and the tokens of their examples, each counted in full. */
function sampleOf(
  plan: BatchPlan,
  { train }: RunSpec,
  ingredients: Record<string, PreparedTask>,
): { packs: PackShape[]; tokens: number } {
  const packs: PackShape[] = [];
  let tokens = 0;
  for (let k = 0; k < Math.min(SAMPLED_BATCHES, plan.numSteps); k++) {
    const { names, ingredient, example } = plan.batch(Math.floor((k * plan.numSteps) / SAMPLED_BATCHES));
    const examples: TokenizedExample[] = [];
    for (let i = 0, room = SAMPLED_TOKENS; i < example.length && room > 0; i++) {
      const one = ingredients[names[ingredient[i]!]!]!.split("train").tokenized[example[i]!]!;
      examples.push(one);
      room -= lengthOf(one);
      tokens += lengthOf(one);
    }
    packs.push(...packShapes(examples, packOptionsOf(train)));
  }
  return { packs, tokens };
}

/** The batches that a run trains on. @param makeOrder  of a study's epochs: many runs have the same (keptOrders) */
export function batchesOf(
  spec: RunSpec,
  ingredients: Record<string, PreparedTask>,
  makeOrder?: typeof epochOrder,
): BatchPlan {
  const rows = Object.keys(spec.mixture.ingredients).map((name) => [name, ingredients[name]!.split("train")]);
  return runBatches(spec, Object.fromEntries(rows), makeOrder);
}

/** Checkpoints that stay: `weights` keeps last and best. */
const KEPT_CHECKPOINTS: Record<RunSpec["train"]["keep"], number> = { last: 1, best: 1, weights: 2, none: 0 };
