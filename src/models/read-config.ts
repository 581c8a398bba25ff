/** @file What all model families have in common in their config.json. */

import { CheckpointError } from "../base/errors.ts";
import type { AttentionKind, DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { type RotaryConfig, readRotary } from "./rotary.ts";

/** Far more than any model has; what is made of a config before its weights are looked at stays small. */
const [MAX_LAYERS, MAX_HEAD] = [10_000, 100_000];

/** What {@link readPlainDecoder} is told by a family; the defaults are those of LlamaConfig. */
export interface PlainDefaults {
  head_dim?: number;
  tie_word_embeddings?: boolean;
  rotary?: (json: ConfigReader, headDim: number) => RotaryConfig;
}

/**
 * Sizes and rotary embeddings as every family writes them, and beyond these a plain Llama: a family lays what it has more or otherwise over it.
 *
 * @throws {CheckpointError} a size that is missing or does not fit another, or a feature that no family here has
 * @source transformers configuration_llama.py: head_dim defaults to hidden_size / num_attention_heads, num_key_value_heads to num_attention_heads
 */
export function readPlainDecoder(json: ConfigReader, defaults: PlainDefaults = {}): DecoderConfig {
  // numbers that are no weights yet; weights in another file than everybody's
  for (const key of ["quantization_config", "transformers_weights"]) if (json.has(key)) json.unsupported(key);
  for (const dropout of ["attention_dropout", "resid_pdrop", "embd_pdrop"]) json.demand(dropout, 0);
  const hidden_size = json.count("hidden_size");
  const num_hidden_layers = json.count("num_hidden_layers", undefined, MAX_LAYERS);
  const num_attention_heads = json.count("num_attention_heads");
  const num_key_value_heads = json.count("num_key_value_heads", num_attention_heads);
  const head_dim = json.count("head_dim", defaults.head_dim ?? hidden_size / num_attention_heads, MAX_HEAD);
  if (num_attention_heads % num_key_value_heads !== 0) {
    throw new CheckpointError({
      place: json.place,
      expected: "num_attention_heads to be a multiple of num_key_value_heads",
      got: `${num_attention_heads} and ${num_key_value_heads}`,
      remedy: "The folder's config.json is damaged: fetch the model again.",
    });
  }
  return {
    model_type: json.text("model_type"),
    vocab_size: json.count("vocab_size"),
    hidden_size,
    intermediate_size: json.count("intermediate_size"),
    num_hidden_layers,
    num_attention_heads,
    num_key_value_heads,
    head_dim,
    rms_norm_eps: json.positive("rms_norm_eps", 1e-6),
    max_position_embeddings: json.count("max_position_embeddings"),
    tie_word_embeddings: json.flag("tie_word_embeddings", defaults.tie_word_embeddings ?? false),
    initializer_range: json.positive("initializer_range", 0.02),
    rotary: (defaults.rotary ?? readRotary)(json, head_dim),
    layer_types: allBlocks(num_hidden_layers, "full_attention"),
    sliding_window: null,
    hidden_act: "silu",
    isFused: false,
    hasBias: false,
    hasHeadNorms: false,
    blockNorms: {
      attentionIn: "input_layernorm",
      attentionOut: null,
      mlpIn: "post_attention_layernorm",
      mlpOut: null,
    },
    normOffset: 0,
    attentionScale: 1 / Math.sqrt(head_dim),
    embeddingScale: 1,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
  };
}

type Windows = Pick<DecoderConfig, "sliding_window" | "layer_types">;

/** Every block slides, or none where the window is null. */
export function slidingEverywhere(numLayers: number, sliding_window: number | null): Windows {
  const kind = sliding_window === null ? "full_attention" : "sliding_attention";
  return { sliding_window, layer_types: allBlocks(numLayers, kind) };
}

/**
 * Some blocks slide: those that `layer_types` names, else those that `slides` says.
 * @throws {CheckpointError} sliding blocks without a window
 */
export function slidingInSome(
  json: ConfigReader,
  numLayers: number,
  sliding_window: number | null,
  slides: (layer: number) => boolean,
): Windows {
  const layer_types = json.has("layer_types")
    ? json.names("layer_types", numLayers, ["full_attention", "sliding_attention"])
    : Array.from({ length: numLayers }, (_, i): AttentionKind => (slides(i) ? "sliding_attention" : "full_attention"));
  if (sliding_window === null && layer_types.includes("sliding_attention")) json.unsupported("layer_types");
  return { sliding_window, layer_types };
}

/** The blocks from `max_window_layers` on slide, where `use_sliding_window` says so: Qwen's rule. */
export function slidingFromLayer(json: ConfigReader, numLayers: number): Windows {
  const window = json.flag("use_sliding_window", false) ? json.countOrNull("sliding_window", 4096) : null;
  const first = json.whole("max_window_layers", 28);
  return slidingInSome(json, numLayers, window, (layer) => window !== null && layer >= first);
}

function allBlocks(numLayers: number, kind: AttentionKind): AttentionKind[] {
  return new Array<AttentionKind>(numLayers).fill(kind);
}
