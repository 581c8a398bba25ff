/** @file What a run will cost, before it starts: exact examples, tokens and steps; rough seconds, memory and disk. */

import { type BatchPlan, planBatches } from "../../data/batches/batches.ts";
import { countsPerEpoch, type epochOrder } from "../../data/batches/mixture.ts";
import { type PackShape, packShapes } from "../../data/batches/packing.ts";
import { lengthOf } from "../../data/tokens/fit.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import type { TokenizedExample } from "../../data/types.ts";
import type { RunSpec, TrainSpec } from "../../specs/types.ts";
import type { Estimate } from "../../study/types.ts";
import { MICRO_BATCH_TOKENS, packOptionsOf } from "../../train/trainer.ts";

/** What of a model decides cost. */
export interface ModelSize {
  /** Weights in all. */
  parameters: number;
  /** Weights of the blocks: those that every token is multiplied with. The head sees only tokens that predict one that counts. */
  blocks: number;
  layers: number;
  hidden: number;
  intermediate: number;
  vocabulary: number;
}

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
/** Node with the program in memory. */
export const NODE_BYTES = 300e6;
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
  const trainable =
    spec.train.method === "full"
      ? model.parameters
      : model.layers * spec.train.lora_rank * (8 * model.hidden + 3 * model.intermediate) +
        (spec.train.use_dora === true ? model.layers * (5 * model.hidden + 2 * model.intermediate) : 0);
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
  const splits = Object.keys(spec.mixture.ingredients).map(
    (name) => [name, ingredients[name]!.split("train")] as const,
  );
  const sizes = splits.map(([name, { tokenized, numTokens }]) => [name, { num: tokenized.length, tokens: numTokens }]);
  const counts = countsPerEpoch(spec.mixture, Object.fromEntries(sizes));
  const lengths = Object.fromEntries(splits.map(([name, split]) => [name, split.lengths]));
  return planBatches(counts, lengths, spec.train, spec.seed, makeOrder);
}

/** What a model's weights take, and why. */
export interface WeightCost {
  bytes(model: ModelSize): number;
  what: string;
}

/** In our own engine. */
export const OWN_WEIGHTS: WeightCost = each(4 * 3, "float32, three copies: ours, and the engine's packed ones");

/** NF4 and its quantised constants: blocks of 64 weights with one of 8 bits, 256 of which share a float32. */
const NF4_BYTES = (4 + 8 / 64 + 32 / (64 * 256)) / 8;

/** With what trains it. */
export function weightCost({ worker, train }: Pick<RunSpec, "worker" | "train">): WeightCost {
  if (worker.kind !== "torch") return OWN_WEIGHTS;
  if (train.method === "full") return each(16, "float32, with gradient and two moments");
  const kept = train.bf16 === true ? each(2, "bfloat16") : each(4, "float32");
  if (train.load_in_4bit !== true) return kept;
  return {
    bytes: (model) => NF4_BYTES * model.blocks + kept.bytes({ ...model, parameters: model.parameters - model.blocks }),
    what: `of 4 bits in the blocks (NF4), beyond them ${kept.what}`,
  };
}

function each(size: number, why: string): WeightCost {
  return { bytes: ({ parameters }) => size * parameters, what: `of ${size} bytes (${why})` };
}

/**
 * Peak memory: Node with the engine's library; frozen weights; of what trains: values, gradients and moments on both sides of the engine, in a
 * training and a scoring network; activations of a micro-batch.
 *
 * @param trainable weights; 0 where nothing is trained
 */
export function memoryOf(model: ModelSize, trainable: number): number {
  const perToken = model.layers * (12 * model.hidden + 4 * model.intermediate) + 4 * model.vocabulary;
  return NODE_BYTES + OWN_WEIGHTS.bytes(model) + 4 * (12 * trainable + MICRO_BATCH_TOKENS * perToken);
}

/** Python with PyTorch, transformers and PEFT. */
const TORCH_BYTES = 0.9e9;
/** Tokens in a pass that must fit: packs that do not are cut. */
const TORCH_TOKENS = 1024;

/**
 * What the PyTorch worker takes at least, on the device that computes: weights as they are kept, gradients and moments of what trains, and what a
 * short pass keeps for its way back: a token and layer 10 times the width and 4 times the inner one, with DoRA twice that (counted from saved tensors,
 * docs/LOG.md), the logits and their gradients in float32.
 */
function memoryOfTorch(model: ModelSize, trainable: number, train: TrainSpec): number {
  const cost = weightCost({ worker: { kind: "torch", threads: 1 }, train });
  const adapters = train.method === "full" ? 0 : 16 * trainable;
  const numKept = (10 * model.hidden + 4 * model.intermediate) * (train.use_dora === true ? 2 : 1);
  const perToken = model.layers * numKept * (train.bf16 === true ? 2 : 4);
  const head = 8 * model.vocabulary;
  return TORCH_BYTES + cost.bytes(model) + adapters + TORCH_TOKENS * (perToken + head);
}

/** Checkpoints that stay: `weights` keeps last and best. */
const KEPT_CHECKPOINTS: Record<RunSpec["train"]["keep"], number> = { last: 1, best: 1, weights: 2, none: 0 };
