/** @file The Qwen3 family: model_type qwen3 (dense Qwen3). A Llama whose query and key heads are normalised; upper blocks may have a window. */

import type { DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readPlainDecoder, slidingFromLayer } from "./read-config.ts";

/** @source transformers configuration_qwen3.py, modeling_qwen3.py; golden test/golden/models/qwen3 */
export function readQwen3Config(json: ConfigReader): DecoderConfig {
  json.refuse("attention_bias", true);
  json.demand("hidden_act", "silu");
  const plain = readPlainDecoder(json, { head_dim: 128 });
  return { ...plain, ...slidingFromLayer(json, plain.num_hidden_layers), hasHeadNorms: true };
}
