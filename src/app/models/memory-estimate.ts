/** @file The memory that a model takes, in our own engine and in PyTorch. */

import { MICRO_BATCH_TOKENS } from "../../data/batches/run-batches.ts";
import type { RunSpec, TrainSpec } from "../../specs/types.ts";
import type { ModelSize } from "./base-model.ts";

/** Node with the program in memory. */
export const NODE_BYTES = 300e6;
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
export function memoryOfTorch(model: ModelSize, trainable: number, train: TrainSpec): number {
  const cost = weightCost({ worker: { kind: "torch", threads: 1 }, train });
  const adapters = train.method === "full" ? 0 : 16 * trainable;
  const numKept = (10 * model.hidden + 4 * model.intermediate) * (train.use_dora === true ? 2 : 1);
  const perToken = model.layers * numKept * (train.bf16 === true ? 2 : 4);
  const head = 8 * model.vocabulary;
  return TORCH_BYTES + cost.bytes(model) + adapters + TORCH_TOKENS * (perToken + head);
}
