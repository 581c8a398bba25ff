/** @file The Qwen2 family: model_type qwen2 (Qwen2, Qwen2.5). A Llama with biases on queries, keys and values; upper blocks may have a window. */

import type { DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readPlainDecoder, slidingFromLayer } from "./read-config.ts";

/** @source transformers configuration_qwen2.py, modeling_qwen2.py; golden test/golden/models/qwen2 */
export function readQwen2Config(json: ConfigReader): DecoderConfig {
  json.demand("hidden_act", "silu");
  const plain = readPlainDecoder(json);
  return { ...plain, ...slidingFromLayer(json, plain.num_hidden_layers), hasBias: true };
}
