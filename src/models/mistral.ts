/** @file The Mistral family: model_type mistral (Mistral 7B and what is built on it, Mistral Nemo). A Llama whose blocks may all have a window. */

import type { DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readPlainDecoder, slidingEverywhere } from "./read-config.ts";

/**
 * note: without a word on sliding_window MistralConfig has one of 4096; null means none.
 * @source transformers configuration_mistral.py, modeling_mistral.py; golden test/golden/models/mistral
 */
export function readMistralConfig(json: ConfigReader): DecoderConfig {
  json.refuse("attention_bias", true);
  json.demand("hidden_act", "silu");
  if (json.has("layer_types")) json.unsupported("layer_types"); // transformers runs these as Ministral
  const plain = readPlainDecoder(json);
  return { ...plain, ...slidingEverywhere(plain.num_hidden_layers, json.countOrNull("sliding_window", 4096)) };
}
