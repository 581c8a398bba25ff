/** @file The Llama family: model_type llama (Llama 2 and 3.x, SmolLM2, TinyLlama, mixtune/tiny). */

import type { DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readPlainDecoder } from "./read-config.ts";

/** @source transformers configuration_llama.py, modeling_llama.py; golden test/golden/models/llama, llama3 */
export function readLlamaConfig(json: ConfigReader): DecoderConfig {
  json.refuse("attention_bias", true);
  json.refuse("mlp_bias", true);
  json.demand("hidden_act", "silu");
  return readPlainDecoder(json);
}
