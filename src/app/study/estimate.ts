/** @file What a run will cost, before it starts: exact examples, tokens and steps; rough seconds, memory and disk. */

import type { BatchPlan } from "../../data/batches/batches.ts";
import type { epochOrder } from "../../data/batches/mixture.ts";
import { type PackShape, packShapes } from "../../data/batches/packing.ts";
import { packOptionsOf, runBatches } from "../../data/batches/run-batches.ts";
import { lengthOf } from "../../data/tokens/fit.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import type { TokenizedExample } from "../../data/types.ts";
import type { RunSpec } from "../../specs/types.ts";
import type { Estimate, TimeParts } from "../../study/types.ts";
import type { ModelSize } from "../models/base-model.ts";
import { memoryOf, memoryOfTorch, sumOf, trainableWeights } from "../models/memory-estimate.ts";
import { secondsOf, startSeconds } from "./pass-cost.ts";

/** Batches that are laid out to see how many tokens sharing saves, and how many tokens of each: of a larger one its first examples. */
const SAMPLED_BATCHES = 2;
const SAMPLED_TOKENS = 8192;
/** Size of one prediction on disk. */
export const PREDICTION_BYTES = 400;

/** What of scoring a run's estimate is made of. */
export interface EvaluatedCost {
  /** Of all splits that are scored. */
  examples: number;
  /** Seconds of scoring all of them, and of one round of dev losses. */
  seconds: number;
  devSeconds: number;
}

/** @param makeOrder  as in {@link batchesOf} */
export function estimateRun(
  spec: RunSpec,
  ingredients: Record<string, PreparedTask>,
  model: ModelSize,
  evaluated: EvaluatedCost,
  makeOrder?: typeof epochOrder,
): Estimate {
  const { train, worker } = spec;
  const plan = batchesOf(spec, ingredients, makeOrder);
  const shown = plan.totals();
  const examples = Object.values(shown).reduce((sum, one) => sum + one.examples, 0);
  const tokens = Object.values(shown).reduce((sum, one) => sum + one.tokens, 0);
  const sample = sampleOf(plan, spec, ingredients);
  const perSample = secondsOf(sample.packs, model, train.method, worker.threads);
  const stepping = sample.tokens === 0 ? 0 : (tokens * perSample) / sample.tokens;
  const time: TimeParts = {
    start: startSeconds(model, 3),
    train: stepping + Math.ceil(plan.numSteps / train.eval_steps) * evaluated.devSeconds,
    score: evaluated.seconds,
  };
  const trainable = trainableWeights(model, train);
  const largest = {
    tokens: Math.max(0, ...sample.packs.map((one) => one.numPrefixes * one.prefixLen + one.numRows * one.rowLen)),
    lossRows: Math.max(0, ...sample.packs.map(({ numLossRows }) => numLossRows)),
  };
  const memory = worker.kind === "torch" ? memoryOfTorch(model, trainable, train) : memoryOf(model, trainable, largest);
  return {
    examples,
    tokens,
    ingredients: shown,
    steps: plan.numSteps,
    seconds: sumOf(time),
    time,
    memory_bytes: sumOf(memory),
    memory,
    disk_bytes: KEPT_CHECKPOINTS[train.keep] * trainable * 4 + evaluated.examples * PREDICTION_BYTES,
    working_disk_bytes: 3 * trainable * 4 * 3,
  };
}

/** Seconds of a run's steps from one on, each laid out whole, without what else training takes. */
export function stepsSeconds(
  spec: RunSpec,
  ingredients: Record<string, PreparedTask>,
  model: ModelSize,
  from: number,
): number {
  const plan = batchesOf(spec, ingredients);
  const packs = Array.from({ length: plan.numSteps - from }, (_, k) => {
    const { names, ingredient, example } = plan.batch(from + k);
    const rows = Array.from(example, (row, i) => ingredients[names[ingredient[i]!]!]!.split("train").tokenized[row]!);
    return packShapes(rows, packOptionsOf(spec.train));
  });
  return secondsOf(packs.flat(), model, spec.train.method, spec.worker.threads);
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
