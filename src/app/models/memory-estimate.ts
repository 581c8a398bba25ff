/** @file The memory that a model takes, in our own engine and in PyTorch. */

import { MICRO_BATCH_TOKENS } from "../../data/batches/run-batches.ts";
import type { RunSpec, TrainSpec } from "../../specs/types.ts";
import type { MemoryParts } from "../../study/types.ts";
import type { ModelSize } from "./base-model.ts";

/** Node with the program in memory. */
export const NODE_BYTES = 200e6;
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

/** Weights that training changes: all, or about those of adapters of a rank on every projection. */
export function trainableWeights(
  { parameters, layers, hidden, intermediate }: ModelSize,
  { method, lora_rank, use_dora }: Pick<TrainSpec, "method" | "lora_rank" | "use_dora">,
): number {
  if (method === "full") return parameters;
  const magnitudes = use_dora === true ? layers * (5 * hidden + 2 * intermediate) : 0;
  return layers * lora_rank * (8 * hidden + 3 * intermediate) + magnitudes;
}

/** The sum of parts. */
export function sumOf(parts: object): number {
  return Object.values(parts as Record<string, number>).reduce((sum, part) => sum + part, 0);
}

/** Tokens that the head predicts in a pass where nobody has laid one out. */
const LOSS_ROWS = 128;
/** Tokens and rows of a scoring pass. */
const SCORING_TOKENS = 2048;
/** What the engine holds of a pass beyond what the pass needs: its buffers grow by doubling. */
const ARENA = 1.25;

/**
 * Peak memory in our own engine, where dev losses are measured beside training, by part.
 *
 * @param trainable weights; 0 where nothing is trained
 * @param pass      the largest pass of training: tokens through the net, and those that the head predicts
 */
export function memoryOf(
  model: ModelSize,
  trainable: number,
  { tokens = MICRO_BATCH_TOKENS, lossRows = LOSS_ROWS }: { tokens?: number; lossRows?: number } = {},
): MemoryParts {
  const { layers, hidden, intermediate, vocabulary } = model;
  const kept = layers * (12 * hidden + 4 * intermediate);
  const isTrained = trainable > 0;
  return {
    process: NODE_BYTES,
    weights: OWN_WEIGHTS.bytes(model),
    // Values, gradients of a batch and of a pack, two moments; the values that are scored.
    optimizer: 4 * 6 * trainable,
    activations: isTrained ? ARENA * 4 * tokens * kept : 0,
    logits: isTrained ? 4 * 4 * lossRows * vocabulary : 0,
    scoring: ARENA * 4 * SCORING_TOKENS * (10 * hidden + 4 * intermediate) + 4 * 4 * LOSS_ROWS * vocabulary,
  };
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
export function memoryOfTorch(model: ModelSize, trainable: number, train: TrainSpec): MemoryParts {
  const cost = weightCost({ worker: { kind: "torch", threads: 1 }, train });
  const numKept = (10 * model.hidden + 4 * model.intermediate) * (train.use_dora === true ? 2 : 1);
  return {
    process: TORCH_BYTES,
    weights: cost.bytes(model),
    optimizer: train.method === "full" ? 0 : 16 * trainable,
    activations: TORCH_TOKENS * model.layers * numKept * (train.bf16 === true ? 2 : 4),
    logits: TORCH_TOKENS * 8 * model.vocabulary,
    scoring: 0,
  };
}
