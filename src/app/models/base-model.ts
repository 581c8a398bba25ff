/** @file A base model: what is known of it before its weights are there, and what its size follows from. */

import { numElements } from "../../base/shapes.ts";
import { openTemplate } from "../../data/tokens/chat-template.ts";
import { openTokenizer } from "../../data/tokens/tokenizers.ts";
import type { HubRecord } from "../../hub/types.ts";
import { type DecoderConfig, decoderTensors, type TensorSpec } from "../../models/config.ts";
import type { ModelIdentity } from "../../specs/types.ts";

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

/** A base model: what is known of it before its weights are there. */
export interface BaseModel {
  /** Holds config, tokenizer and template; the weights too once {@link fetchWeights} is done. */
  folder: string;
  identity: ModelIdentity;
  size: ModelSize;
  /** Whether the weights are on this machine. */
  isThere: boolean;
  fetchWeights(): Promise<void>;
  /** Of a model of the hub. */
  record?: HubRecord;
}

/** Digests of what decides a model's answers. @param weightsDigest of {@link openModelFolder} */
export function modelIdentity(name: string, folder: string, weightsDigest: string): ModelIdentity {
  const tokenizer = openTokenizer(folder);
  return {
    name,
    weights_digest: weightsDigest,
    tokenizer_digest: tokenizer.digest,
    template_digest: openTemplate(folder, tokenizer).digest,
  };
}

/** The size of a model with this configuration. */
export function sizeOf(config: DecoderConfig): ModelSize {
  const tensors = decoderTensors(config);
  const weights = (some: readonly TensorSpec[]) => some.reduce((sum, { shape }) => sum + numElements(shape), 0);
  return {
    parameters: weights(tensors),
    blocks: weights(tensors.filter(({ name }) => name.startsWith("model.layers."))),
    layers: config.num_hidden_layers,
    hidden: config.hidden_size,
    intermediate: config.intermediate_size,
    vocabulary: config.vocab_size,
  };
}
