/**
 * @file The Gemma 2 family: model_type gemma2. Tanh-capped attention scores and logits, norms of (1 + weight) before and after attention and
 * feed-forward, scaled embeddings, a window in every other block.
 */

import type { DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readPlainDecoder, slidingInSome } from "./read-config.ts";

/** @source transformers configuration_gemma2.py, modeling_gemma2.py; golden test/golden/models/gemma2 */
export function readGemma2Config(json: ConfigReader): DecoderConfig {
  json.refuse("attention_bias", true);
  json.refuse("use_bidirectional_attention", true);
  json.demand("hidden_activation", "gelu_pytorch_tanh");
  const plain = readPlainDecoder(json, { head_dim: 256, tie_word_embeddings: true });
  const window = json.countOrNull("sliding_window", 4096);
  return {
    ...plain,
    ...slidingInSome(json, plain.num_hidden_layers, window, (layer) => layer % 2 === 0),
    hidden_act: "gelu_pytorch_tanh",
    blockNorms: {
      attentionIn: "input_layernorm",
      attentionOut: "post_attention_layernorm",
      mlpIn: "pre_feedforward_layernorm",
      mlpOut: "post_feedforward_layernorm",
    },
    normOffset: 1,
    attentionScale: 1 / Math.sqrt(json.positive("query_pre_attn_scalar", 256)),
    embeddingScale: Math.sqrt(plain.hidden_size),
    attn_logit_softcapping: json.positiveOrNull("attn_logit_softcapping", 50),
    final_logit_softcapping: json.positiveOrNull("final_logit_softcapping", 30),
  };
}
