/** @file What a decoder-only model is made of, in Hugging Face's words; each family's file reads its config.json into this. */

/** How positions become angles. `inverseFrequencies` is [E / 2], in radians a position. */
export interface RotaryConfig {
  inverseFrequencies: Float64Array;
}

/** Shape of a decoder; field names are those of config.json. */
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
}

/** A tensor of a model in Hugging Face's name and layout (linear weights are [out, in]). */
export interface TensorSpec {
  name: string;
  shape: readonly number[];
}

/** One linear layer inside the decoder's blocks: `<prefix>.<name>.weight` of [out, in]. */
export interface LinearSpec {
  /** Full name without `.weight`, as in model.layers.0.self_attn.q_proj */
  module: string;
  inFeatures: number;
  outFeatures: number;
}

/** The linear layers of block `layer`, grouped by what they read. */
export interface BlockLinears {
  attentionIn: [q: LinearSpec, k: LinearSpec, v: LinearSpec];
  attentionOut: LinearSpec;
  mlpIn: [gate: LinearSpec, up: LinearSpec];
  mlpOut: LinearSpec;
}

/** @source transformers modeling_llama.py, the names of its parameters */
export function blockLinears(config: DecoderConfig, layer: number): BlockLinears {
  const { hidden_size: D, intermediate_size: F, num_attention_heads: H, num_key_value_heads: K, head_dim: E } = config;
  const linear = (name: string, inFeatures: number, outFeatures: number): LinearSpec => ({
    module: `model.layers.${layer}.${name}`,
    inFeatures,
    outFeatures,
  });
  return {
    attentionIn: [
      linear("self_attn.q_proj", D, H * E),
      linear("self_attn.k_proj", D, K * E),
      linear("self_attn.v_proj", D, K * E),
    ],
    attentionOut: linear("self_attn.o_proj", H * E, D),
    mlpIn: [linear("mlp.gate_proj", D, F), linear("mlp.up_proj", D, F)],
    mlpOut: linear("mlp.down_proj", F, D),
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
  const { hidden_size: D, vocab_size: V } = config;
  const weight = ({ module, inFeatures, outFeatures }: LinearSpec): TensorSpec => ({
    name: `${module}.weight`,
    shape: [outFeatures, inFeatures],
  });
  const blocks = Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    const block = blockLinears(config, layer);
    return [
      { name: `model.layers.${layer}.input_layernorm.weight`, shape: [D] },
      ...[...block.attentionIn, block.attentionOut].map(weight),
      { name: `model.layers.${layer}.post_attention_layernorm.weight`, shape: [D] },
      ...[...block.mlpIn, block.mlpOut].map(weight),
    ];
  });
  return [
    { name: "model.embed_tokens.weight", shape: [V, D] },
    ...blocks.flat(),
    { name: "model.norm.weight", shape: [D] },
    ...(config.tie_word_embeddings ? [] : [{ name: "lm_head.weight", shape: [V, D] }]),
  ];
}

export function numElements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
