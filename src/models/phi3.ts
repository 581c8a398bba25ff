/**
 * @file The Phi-3 family: model_type phi3 (Phi-3-mini, Phi-3-medium, Phi-3.5-mini, Phi-4-mini, Phi-4). A Llama with fused projections, rotary
 * embeddings of a part of each head, longrope, and perhaps a window.
 */

import type { DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readPlainDecoder, slidingEverywhere } from "./read-config.ts";
import { readRotary } from "./rotary.ts";

/** @source transformers configuration_phi3.py, modeling_phi3.py; golden test/golden/models/phi3, phi3-long */
export function readPhi3Config(json: ConfigReader): DecoderConfig {
  json.refuse("attention_bias", true);
  json.demand("hidden_act", "silu");
  const plain = readPlainDecoder(json, {
    rotary: (reader, headDim) => readRotary(reader, headDim, ["default", "longrope"], true),
  });
  return {
    ...plain,
    ...slidingEverywhere(plain.num_hidden_layers, json.countOrNull("sliding_window", null)),
    isFused: true,
  };
}
