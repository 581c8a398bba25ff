/** @file The Llama family: model_type llama (Llama 2 and 3.x, SmolLM2, TinyLlama, mixtune/tiny). */

import { CheckpointError } from "../base/errors.ts";
import type { DecoderConfig } from "./config.ts";
import { type ConfigReader, rotaryFrequencies } from "./read-config.ts";

/**
 * Reads a Llama config.json.
 *
 * @throws {CheckpointError} a size that is missing or does not fit another, or a feature that the decoder does not have
 * @source transformers configuration_llama.py: head_dim defaults to hidden_size / num_attention_heads, num_key_value_heads to num_attention_heads
 */
export function readLlamaConfig(json: ConfigReader): DecoderConfig {
  json.refuse("attention_bias", true);
  json.refuse("mlp_bias", true);
  json.demand("hidden_act", "silu");
  const hidden_size = json.count("hidden_size");
  const num_attention_heads = json.count("num_attention_heads");
  const num_key_value_heads = json.count("num_key_value_heads", num_attention_heads);
  const head_dim = json.count("head_dim", hidden_size / num_attention_heads);
  if (num_attention_heads % num_key_value_heads !== 0) {
    throw new CheckpointError({
      place: json.place,
      expected: "num_attention_heads to be a multiple of num_key_value_heads",
      got: `${num_attention_heads} and ${num_key_value_heads}`,
      remedy: "The folder's config.json is damaged: fetch the model again.",
    });
  }
  const max_position_embeddings = json.count("max_position_embeddings");
  return {
    model_type: "llama",
    vocab_size: json.count("vocab_size"),
    hidden_size,
    intermediate_size: json.count("intermediate_size"),
    num_hidden_layers: json.count("num_hidden_layers"),
    num_attention_heads,
    num_key_value_heads,
    head_dim,
    rms_norm_eps: json.positive("rms_norm_eps", 1e-6),
    max_position_embeddings,
    tie_word_embeddings: json.flag("tie_word_embeddings", false),
    initializer_range: json.positive("initializer_range", 0.02),
    rotary: { inverseFrequencies: rotaryFrequencies(json, head_dim) },
  };
}
