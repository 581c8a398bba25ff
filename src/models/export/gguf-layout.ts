/**
 * @file How llama.cpp wants each family's tensors: names, order of rows, and what its values say of the architecture. A feature that llama.cpp
 * would compute otherwise is refused by name.
 * @source ggml-org/llama.cpp convert_hf_to_gguf.py and src/llama-arch.cpp: names and keys; src/llama-model.cpp: what is read
 */

import { CheckpointError } from "../../base/errors.ts";
import type { GgufValue } from "../../formats/gguf.ts";
import type { DecoderConfig, TensorSpec } from "../config.ts";
import { ConfigReader } from "../config-reader.ts";
import type { ExportSource } from "./source.ts";

/** A tensor as it stands in the file. */
export interface LaidTensor extends TensorSpec {
  /** Values that llama.cpp computes with in full: vectors, and factors that no model has. */
  isVector: boolean;
  data(): Float32Array;
}

/** What a family is to llama.cpp. */
interface Architecture {
  name: "llama" | "qwen2" | "qwen3" | "phi3" | "gemma2";
  /** Queries and keys are rotated in neighbouring pairs, not halves: their rows are put in that order. */
  hasPairs: boolean;
  /** Which blocks slide where the model has a window; absent: none can. */
  slides?: (layer: number) => boolean;
}

const ARCHITECTURES: Record<string, Architecture> = {
  llama: { name: "llama", hasPairs: true },
  mistral: { name: "llama", hasPairs: true },
  qwen2: { name: "qwen2", hasPairs: false },
  qwen3: { name: "qwen3", hasPairs: false },
  phi3: { name: "phi3", hasPairs: false },
  gemma2: { name: "gemma2", hasPairs: false, slides: (layer) => layer % 2 === 0 },
};

const OUTER_NAMES: Record<string, string> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
};

const LAYER_NAMES: Record<string, string> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.qkv_proj": "attn_qkv",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.gate_up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** Gemma 2 has norms behind attention and feed-forward too, and the name of one of them means another place. */
const GEMMA2_NAMES: Record<string, string> = {
  post_attention_layernorm: "post_attention_norm",
  pre_feedforward_layernorm: "ffn_norm",
  post_feedforward_layernorm: "post_ffw_norm",
};

/** The name in GGUF of a tensor in Hugging Face's. */
export function ggufName({ model_type }: DecoderConfig, name: string): string {
  const [, module = "", kind = ""] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  const outer = OUTER_NAMES[module];
  if (outer !== undefined) return `${outer}.${kind}`;
  const [, layer = "", inner = ""] = /^model\.layers\.(\d+)\.(.*)$/.exec(module) ?? [];
  const known = (model_type === "gemma2" ? GEMMA2_NAMES[inner] : undefined) ?? LAYER_NAMES[inner];
  if (known === undefined) throw new Error(`no name in GGUF for ${name}`);
  return `blk.${layer}.${known}.${kind}`;
}

/** The model's tensors as llama.cpp reads them. @throws {CheckpointError} a family or feature that it would compute otherwise */
export function ggufTensors(source: ExportSource): LaidTensor[] {
  const { config, tensors, read } = source;
  const { normOffset } = config;
  const laid = tensors.map(({ name, shape }): LaidTensor => {
    const isVector = shape.length === 1;
    return {
      name: ggufName(config, name),
      shape,
      isVector,
      data: () => {
        const values = read(name);
        const order = rowOrder(config, name);
        if (order !== undefined) return reordered(values, order, values.length / order.length);
        return isVector && normOffset !== 0 ? values.map((value) => value + normOffset) : values;
      },
    };
  });
  return [...laid, ...rotaryTensors(source)];
}

/** A tensor of the model out of one that was laid so: the way back of {@link ggufTensors}. */
export function fromGguf(config: DecoderConfig, name: string, laid: Float32Array): Float32Array {
  const order = rowOrder(config, name);
  if (order !== undefined) {
    const back = new Int32Array(order.length);
    for (const [to, from] of order.entries()) back[from] = to;
    return reordered(laid, back, laid.length / order.length);
  }
  const isVector = /norm\.weight$/.test(name);
  return isVector && config.normOffset !== 0 ? laid.map((value) => value - config.normOffset) : laid;
}

/**
 * For queries and keys of architectures that rotate pairs: the row that comes to stand at each place. Within each head the i-th rows of both halves
 * come side by side.
 */
function rowOrder(config: DecoderConfig, name: string): Int32Array | undefined {
  if (!ARCHITECTURES[config.model_type]?.hasPairs) return undefined;
  const side = /\.self_attn\.([qk])_proj\.(weight|bias)$/.exec(name)?.[1];
  if (side === undefined) return undefined;
  const heads = side === "q" ? config.num_attention_heads : config.num_key_value_heads;
  const half = config.head_dim / 2;
  return Int32Array.from({ length: heads * config.head_dim }, (_, to) => {
    const [head, within] = [Math.floor(to / config.head_dim), to % config.head_dim];
    return head * config.head_dim + (within % 2) * half + Math.floor(within / 2);
  });
}

function reordered(values: Float32Array, order: Int32Array, width: number): Float32Array {
  const out = new Float32Array(values.length);
  for (const [to, from] of order.entries()) out.set(values.subarray(from * width, (from + 1) * width), to * width);
  return out;
}

/** Factors by which frequencies are divided, where a scaling is no plain number. */
function rotaryTensors({ config, configText }: ExportSource): LaidTensor[] {
  const { kind, theta } = rotaryFacts(configText);
  const plain = plainFrequencies(config, theta);
  const factors = (name: string, frequencies: Float64Array): LaidTensor => {
    const values = Float32Array.from(frequencies, (frequency, i) => plain[i]! / frequency);
    return { name: `${name}.weight`, shape: [values.length], isVector: true, data: () => values };
  };
  const { inverseFrequencies, long } = config.rotary;
  if (kind === "llama3") return [factors("rope_freqs", inverseFrequencies)];
  if (kind !== "longrope" || long === null) return [];
  return [factors("rope_factors_long", long.inverseFrequencies), factors("rope_factors_short", inverseFrequencies)];
}

function plainFrequencies({ rotary }: DecoderConfig, theta: number): Float64Array {
  const half = rotary.inverseFrequencies.length;
  return Float64Array.from({ length: half }, (_, i) => theta ** (-i / half));
}

interface RotaryFacts {
  kind: string;
  theta: number;
  factor: number;
}

/** What config.json says of rotary embeddings, which models/rotary.ts has checked and turned into frequencies. */
function rotaryFacts(configText: string): RotaryFacts {
  const json = new ConfigReader(JSON.parse(configText), "config.json");
  const key = json.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const scaling = json.has(key) ? json.object(key) : json.empty(key);
  return {
    kind: scaling.text("rope_type", scaling.text("type", "default")),
    theta: scaling.positive("rope_theta", json.positive("rope_theta", 10_000)),
    factor: scaling.positive("factor", 1),
  };
}

/** Longest text that llama.cpp computes as the model does: up to a window that it does not have. */
export function ggufContext(config: DecoderConfig): number {
  const { sliding_window, max_position_embeddings } = config;
  const isCut = sliding_window !== null && architecture(config).slides === undefined;
  return isCut ? Math.min(sliding_window, max_position_embeddings) : max_position_embeddings;
}

/** `general.architecture` and everything under its name. @throws {CheckpointError} as {@link ggufTensors} */
export function architectureValues(source: ExportSource): Map<string, GgufValue> {
  const { config, configText } = source;
  refuseOtherwise(config);
  const { name, slides } = architecture(config);
  const { kind, theta, factor } = rotaryFacts(configText);
  const { rotary, head_dim, sliding_window } = config;
  const values = new Map<string, GgufValue>([["general.architecture", { type: "string", value: name }]]);
  const whole = (key: string, value: number) => values.set(`${name}.${key}`, { type: "uint32", value });
  const real = (key: string, value: number) => values.set(`${name}.${key}`, { type: "float32", value });
  whole("context_length", ggufContext(config));
  whole("embedding_length", config.hidden_size);
  whole("block_count", config.num_hidden_layers);
  whole("feed_forward_length", config.intermediate_size);
  whole("attention.head_count", config.num_attention_heads);
  whole("attention.head_count_kv", config.num_key_value_heads);
  whole("attention.key_length", head_dim);
  whole("attention.value_length", head_dim);
  real("attention.layer_norm_rms_epsilon", config.rms_norm_eps);
  whole("rope.dimension_count", 2 * rotary.inverseFrequencies.length);
  real("rope.freq_base", theta);
  whole("vocab_size", config.vocab_size);
  if (kind === "linear") {
    values.set(`${name}.rope.scaling.type`, { type: "string", value: "linear" });
    real("rope.scaling.factor", factor);
  }
  if (rotary.long !== null) {
    whole("rope.scaling.original_context_length", rotary.long.originalPositions);
    real("rope.scaling.attn_factor", rotary.scale);
  }
  if (name === "phi3") whole("attention.sliding_window", 0); // a reader of some versions stops without the key
  if (slides !== undefined) whole("attention.sliding_window", sliding_window ?? config.max_position_embeddings);
  if (config.attn_logit_softcapping !== null) real("attn_logit_softcapping", config.attn_logit_softcapping);
  if (config.final_logit_softcapping !== null) real("final_logit_softcapping", config.final_logit_softcapping);
  if (kind === "llama3" && name !== "llama")
    throw cannot(config, "rotary embeddings without factors of their own", "llama3's");
  return values;
}

function architecture(config: DecoderConfig): Architecture {
  const known = ARCHITECTURES[config.model_type];
  if (known !== undefined) return known;
  throw cannot(config, `a family among ${Object.keys(ARCHITECTURES).join(", ")}`, config.model_type);
}

/** Blocks from which on llama.cpp takes a Gemma 2 for the 27B, whose scale is another. */
const GEMMA2_27B_BLOCKS = 46;

function refuseOtherwise(config: DecoderConfig): void {
  const { name, slides } = architecture(config);
  if (slides !== undefined && config.sliding_window !== null) {
    const asThere = config.layer_types.every((kind, i) => (kind === "sliding_attention") === slides(i));
    if (!asThere) throw cannot(config, "windows in every other block, the first one included", "others");
  }
  if (name !== "gemma2") return;
  if (!config.tie_word_embeddings) throw cannot(config, "tied embeddings", "a head of its own");
  if (config.attn_logit_softcapping === null || config.final_logit_softcapping === null)
    throw cannot(config, "capped attention scores and logits", "uncapped ones");
  const { num_hidden_layers, hidden_size, num_attention_heads, head_dim } = config;
  const width = num_hidden_layers === GEMMA2_27B_BLOCKS ? hidden_size / num_attention_heads : head_dim;
  const expected = 1 / Math.sqrt(width);
  if (Math.abs(config.attentionScale - expected) > 1e-9)
    throw cannot(
      config,
      `query_pre_attn_scalar ${width}, which llama.cpp takes it to be`,
      `${config.attentionScale ** -2}`,
    );
}

function cannot(config: DecoderConfig, expected: string, got: string): CheckpointError {
  return new CheckpointError({
    place: `GGUF of a ${config.model_type}`,
    expected,
    got,
    remedy: "llama.cpp would compute something else than the model: export it with options.to hf or onnx.",
  });
}
