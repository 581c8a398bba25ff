/**
 * @file What a GGUF file says of a model's architecture, as the config.json that the model's own folder has.
 * @source ggml-org/llama.cpp src/llama-arch.cpp: keys; src/llama-model.cpp: what is read, and what is taken where a key is missing
 */

import type { GgufFile } from "../../formats/gguf.ts";
import { decoderTensors } from "../config.ts";
import { ConfigReader } from "../config-reader.ts";
import { ggufName } from "../export/gguf-layout.ts";
import { readDecoderConfig } from "../families.ts";
import type { GgufValues } from "./gguf-values.ts";

type Json = Record<string, unknown>;

/** Architectures by llama.cpp's name, with the family that computes the same. Mistral's files say llama. */
const FAMILIES: Readonly<Record<string, string>> = { llama: "llama", qwen2: "qwen2", qwen3: "qwen3" };

/** Tensors that say what config.json says: they are read there. */
const ROPE_FREQUENCIES = "rope_freqs.weight";

/** The scalings that Llama 3.1, and 3.2 of the small sizes, were published with. */
const LLAMA3_SCALINGS = [8, 32].map((factor) => ({
  ...{ rope_type: "llama3", factor, low_freq_factor: 1, high_freq_factor: 4 },
  original_max_position_embeddings: 8192,
}));

/**
 * Content of config.json.
 * @throws {CheckpointError} an architecture or feature that is not computed here as it is there, a tensor that is missing, unknown or of another shape
 */
export function configOfGguf(file: GgufFile, values: GgufValues): Json {
  const architecture = values.text("general.architecture");
  const family = Object.hasOwn(FAMILIES, architecture) ? FAMILIES[architecture]! : undefined;
  if (family === undefined)
    return values.refuse("general.architecture", `one of ${Object.keys(FAMILIES).join(", ")}`, OTHER_MODEL);
  const key = (name: string) => `${architecture}.${name}`;
  if (values.has(key("expert_count")) && values.whole(key("expert_count"), 0, 0) > 0)
    values.refuse(key("expert_count"), "a model without experts", OTHER_MODEL);
  const embedding = file.tensors.get("token_embd.weight")?.shape;
  const heads = values.whole(key("attention.head_count"));
  const hidden = values.whole(key("embedding_length"));
  const headDim = values.whole(key("attention.key_length"), hidden / heads);
  if (values.whole(key("attention.value_length"), headDim) !== headDim)
    values.refuse(key("attention.value_length"), `${headDim}, as attention.key_length`, OTHER_MODEL);
  if (values.whole(key("rope.dimension_count"), headDim) !== headDim)
    values.refuse(key("rope.dimension_count"), `${headDim}: the whole of each head`, OTHER_MODEL);
  const config: Json = {
    model_type: family,
    vocab_size: embedding?.[0] ?? values.whole(key("vocab_size")),
    hidden_size: hidden,
    intermediate_size: values.whole(key("feed_forward_length")),
    num_hidden_layers: values.whole(key("block_count")),
    num_attention_heads: heads,
    num_key_value_heads: values.whole(key("attention.head_count_kv"), heads),
    head_dim: headDim,
    rms_norm_eps: values.real(key("attention.layer_norm_rms_epsilon")),
    max_position_embeddings: values.whole(key("context_length")),
    tie_word_embeddings: !file.tensors.has("output.weight"),
    rope_theta: values.real(key("rope.freq_base"), 10_000),
    hidden_act: "silu",
  };
  const scaling = scalingOf(file, values, key, config);
  const whole = scaling === undefined ? config : { ...config, rope_scaling: scaling };
  checkTensors(file, values, whole);
  return whole;
}

const OTHER_MODEL = "This model is not computed here as llama.cpp does: choose another, or its original weights.";

/** rope_scaling; undefined: none. @throws {CheckpointError} one that no configuration here says */
function scalingOf(file: GgufFile, values: GgufValues, key: (name: string) => string, config: Json): Json | undefined {
  const type = values.text(key("rope.scaling.type"), "none");
  if (type === "linear") return { rope_type: "linear", factor: values.real(key("rope.scaling.factor")) };
  if (type !== "none") values.refuse(key("rope.scaling.type"), "none or linear", OTHER_MODEL);
  if (!file.tensors.has(ROPE_FREQUENCIES)) return undefined;
  const divisors = file.readFloat32(ROPE_FREQUENCIES);
  if (divisors.every((divisor) => divisor === 1)) return undefined;
  const frequencies = (rope_scaling: Json | null) =>
    readDecoderConfig(new ConfigReader({ ...config, rope_scaling }, values.place)).rotary.inverseFrequencies;
  const plain = frequencies(null);
  const isThat = (scaling: Json) =>
    frequencies(scaling).every((frequency, i) => {
      const stated = plain[i]! / divisors[i]!;
      return Math.abs(stated - frequency) <= 1e-6 * frequency;
    });
  const known = divisors.length === plain.length ? LLAMA3_SCALINGS.find(isThat) : undefined;
  if (known !== undefined) return known;
  return values.refuse("rope_freqs.weight", "the frequencies of Llama 3.1 or 3.2", OTHER_MODEL);
}

/** Every tensor that the model has, in its shape, and none besides: a bias that is left out would change the answers in silence. */
function checkTensors(file: GgufFile, values: GgufValues, json: Json): void {
  const config = readDecoderConfig(new ConfigReader(json, values.place));
  const expected = new Map(decoderTensors(config).map(({ name, shape }) => [ggufName(config, name), shape]));
  for (const [name, shape] of expected) {
    const got = file.tensors.get(name)?.shape;
    if (got?.join() !== shape.join())
      values.refuse(`tensor ${name}`, `[${shape.join(", ")}], got ${got ? `[${got.join(", ")}]` : "none"}`);
  }
  const other = [...file.tensors.keys()].find((name) => !expected.has(name) && name !== ROPE_FREQUENCIES);
  if (other !== undefined) values.refuse(`tensor ${other}`, "no tensor that the architecture has not", OTHER_MODEL);
}
