/** @file What a decoder-only model is made of, in Hugging Face's words; each family's file reads its config.json into this. */

import type { RotaryConfig } from "./rotary.ts";

/** Whether a block's tokens see every earlier token or only the last `sliding_window` ones, themselves included. */
export type AttentionKind = "full_attention" | "sliding_attention";

/** Names of a block's norms, each before (In) or after (Out) what it belongs to; null where a family has none. */
export interface BlockNorms {
  attentionIn: string;
  attentionOut: string | null;
  mlpIn: string;
  mlpOut: string | null;
}

/** A decoder: sizes, then what families differ in; snake_case field names are those of config.json. */
export interface DecoderConfig {
  model_type: string;
  vocab_size: number; // V
  hidden_size: number; // D
  intermediate_size: number; // F
  num_hidden_layers: number;
  num_attention_heads: number; // H
  num_key_value_heads: number; // K
  head_dim: number; // E
  rms_norm_eps: number;
  max_position_embeddings: number;
  tie_word_embeddings: boolean;
  initializer_range: number;
  rotary: RotaryConfig;
  /** Kind of each block. */
  layer_types: readonly AttentionKind[];
  /** In tokens; null where no block slides. */
  sliding_window: number | null;
  hidden_act: "silu" | "gelu_pytorch_tanh";
  /** Whether q_proj, k_proj and v_proj are one qkv_proj, and gate_proj and up_proj one gate_up_proj. */
  isFused: boolean;
  /** Whether queries, keys and values have biases. */
  hasBias: boolean;
  /** Whether each query and key head is normalised (q_norm, k_norm). */
  hasHeadNorms: boolean;
  blockNorms: BlockNorms;
  /** A norm multiplies with this plus its weight. */
  normOffset: 0 | 1;
  /** What a query's product with a key is multiplied with. */
  attentionScale: number;
  /** What an embedding is multiplied with where it enters the first block. */
  embeddingScale: number;
  /** Attention scores become cap * tanh(score / cap); null: they stay. */
  attn_logit_softcapping: number | null;
  /** The same of the logits. */
  final_logit_softcapping: number | null;
}

/** A tensor of a model in Hugging Face's name and layout (linear weights are [out, in]). */
export interface TensorSpec {
  name: string;
  shape: readonly number[];
}

/** One linear layer inside the decoder's blocks: `<module>.weight` of [out, in], and perhaps `<module>.bias` of [out]. */
export interface LinearSpec {
  /** Full name without `.weight`, as in model.layers.0.self_attn.q_proj */
  module: string;
  inFeatures: number;
  outFeatures: number;
  /** Widths that its output is cut into; one but for fused layers. */
  parts: readonly number[];
  hasBias: boolean;
}

/** The linear layers of block `layer`, grouped by what they read. */
export interface BlockLinears {
  /** Their parts are queries, keys and values. */
  attentionIn: readonly LinearSpec[];
  attentionOut: LinearSpec;
  /** Their parts are gate and up. */
  mlpIn: readonly LinearSpec[];
  mlpOut: LinearSpec;
}

/** @source transformers modeling_llama.py and modeling_phi3.py, the names of their parameters */
export function blockLinears(config: DecoderConfig, layer: number): BlockLinears {
  const { hidden_size: D, intermediate_size: F, num_attention_heads: H, num_key_value_heads: K, head_dim: E } = config;
  const linear = (name: string, inFeatures: number, parts: readonly number[], hasBias = false): LinearSpec => ({
    module: `model.layers.${layer}.${name}`,
    inFeatures,
    outFeatures: parts.reduce((a, b) => a + b, 0),
    parts,
    hasBias,
  });
  return {
    attentionIn: config.isFused
      ? [linear("self_attn.qkv_proj", D, [H * E, K * E, K * E], config.hasBias)]
      : [
          linear("self_attn.q_proj", D, [H * E], config.hasBias),
          linear("self_attn.k_proj", D, [K * E], config.hasBias),
          linear("self_attn.v_proj", D, [K * E], config.hasBias),
        ],
    attentionOut: linear("self_attn.o_proj", H * E, [D]),
    mlpIn: config.isFused
      ? [linear("mlp.gate_up_proj", D, [F, F])]
      : [linear("mlp.gate_proj", D, [F]), linear("mlp.up_proj", D, [F])],
    mlpOut: linear("mlp.down_proj", F, [D]),
  };
}

/** Every linear layer of every block, in the order in which they are read. */
export function allLinears(config: DecoderConfig): LinearSpec[] {
  return Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    const block = blockLinears(config, layer);
    return [...block.attentionIn, block.attentionOut, ...block.mlpIn, block.mlpOut];
  }).flat();
}

/** Every tensor of the model in a fixed order: that of the forward pass, layers that read the same input side by side. */
export function decoderTensors(config: DecoderConfig): TensorSpec[] {
  const { hidden_size: D, vocab_size: V, head_dim: E, blockNorms: norms } = config;
  const linears = (layers: readonly LinearSpec[]): TensorSpec[] => [
    ...layers.map(({ module, inFeatures, outFeatures }) => ({
      name: `${module}.weight`,
      shape: [outFeatures, inFeatures],
    })),
    ...layers.flatMap(({ module, outFeatures, hasBias }) =>
      hasBias ? [{ name: `${module}.bias`, shape: [outFeatures] }] : [],
    ),
  ];
  const blocks = Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    const block = blockLinears(config, layer);
    const norm = (name: string | null, size: number): TensorSpec[] =>
      name === null ? [] : [{ name: `model.layers.${layer}.${name}.weight`, shape: [size] }];
    return [
      ...norm(norms.attentionIn, D),
      ...linears(block.attentionIn),
      ...(config.hasHeadNorms ? [...norm("self_attn.q_norm", E), ...norm("self_attn.k_norm", E)] : []),
      ...linears([block.attentionOut]),
      ...norm(norms.attentionOut, D),
      ...norm(norms.mlpIn, D),
      ...linears(block.mlpIn),
      ...linears([block.mlpOut]),
      ...norm(norms.mlpOut, D),
    ];
  });
  return [
    { name: "model.embed_tokens.weight", shape: [V, D] },
    ...blocks.flat(),
    { name: "model.norm.weight", shape: [D] },
    ...(config.tie_word_embeddings ? [] : [{ name: "lm_head.weight", shape: [V, D] }]),
  ];
}

/** How block `layer` attends in a network for sequences of up to `maxPositions`: a window that none outgrows is none. */
export function attentionKind(config: DecoderConfig, layer: number, maxPositions: number): AttentionKind {
  const { sliding_window, layer_types } = config;
  return sliding_window !== null && sliding_window < maxPositions ? layer_types[layer]! : "full_attention";
}
