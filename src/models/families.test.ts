import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { CheckpointError, SpecError } from "../base/errors.ts";
import { Rng } from "../base/rng.ts";
import { numElements } from "../base/shapes.ts";
import { allLinears, attentionKind, decoderTensors } from "./config.ts";
import { ConfigReader } from "./config-reader.ts";
import { readDecoderConfig } from "./families.ts";
import { adaptedModules, loraTensors } from "./lora.ts";
import { rotaryTables } from "./rotary.ts";
import { maxPositions } from "./tuning.ts";
import { initParameter } from "./weights.ts";

const GOLDEN = join(import.meta.dirname, "../../test/golden/models/configs/expected.json");
interface Expected {
  config: Record<string, unknown>;
  parameters: number;
  tensors: string;
  loraTargets: string[];
  loraParametersPerRank: number;
  slidingLayers: number[];
  window: number | null;
  rotaryScale: number;
  rotaryFirstLast: [number, number];
  rotaryWidth: number;
  longFirstLast: [number, number];
}
const expected: Record<string, Expected> = JSON.parse(readFileSync(GOLDEN, "utf8"));
const read = (config: Record<string, unknown>) => readDecoderConfig(new ConfigReader(config, "config.json"));
const like = (name: string, changes: Record<string, unknown> = {}) => read({ ...expected[name]!.config, ...changes });

describe.each(Object.entries(expected))("a config like that of %s", (_, want) => {
  const config = read(want.config);
  const size = (tensors: readonly { shape: readonly number[] }[]) =>
    tensors.reduce((sum, { shape }) => sum + numElements(shape), 0);

  test("has the parameters that transformers has", () => {
    const tensors = decoderTensors(config);
    expect(size(tensors)).toBe(want.parameters);
    const lines = tensors.map(({ name, shape }) => `${name} [${shape.join(", ")}]\n`).sort((a, b) => (a < b ? -1 : 1));
    expect(sha256(lines.join(""))).toBe(want.tensors);
  });

  test("is adapted where PEFT's all-linear adapts it", () => {
    const tensors = loraTensors(config, { lora_rank: 1, lora_alpha: 1, lora_target: "all" });
    expect(adaptedModules(tensors.map(({ name }) => name)).sort()).toEqual(want.loraTargets);
    expect(size(tensors)).toBe(want.loraParametersPerRank);
  });

  test("slides where transformers does", () => {
    const kinds = Array.from({ length: config.num_hidden_layers }, (_, i) => attentionKind(config, i, 1e9));
    expect(kinds.flatMap((kind, i) => (kind === "sliding_attention" ? [i] : []))).toEqual(want.slidingLayers);
    if (want.slidingLayers.length > 0) expect(config.sliding_window).toBe(want.window);
  });

  test("turns as transformers does, within and beyond the original context", () => {
    const { inverseFrequencies: short, long, scale } = config.rotary;
    const far = long?.inverseFrequencies ?? short;
    expect(2 * short.length).toBe(want.rotaryWidth);
    expect(scale).toBeCloseTo(want.rotaryScale, 12);
    // transformers computes them in float32
    [short[1]!, short.at(-1)!].forEach((own, i) => expect(own / want.rotaryFirstLast[i]!).toBeCloseTo(1, 5));
    [far[1]!, far.at(-1)!].forEach((own, i) => expect(own / want.longFirstLast[i]!).toBeCloseTo(1, 5));
  });
});

describe("a feature that is not there is refused with place and remedy", () => {
  test.each<[string, string, Record<string, unknown>, RegExp]>([
    ["an unknown family", "llama-135m", { model_type: "mixtral" }, /model_type: expected "one of llama, mistral/],
    ["a name of Object's", "llama-135m", { model_type: "constructor" }, /model_type/],
    ["biases in Llama", "llama-135m", { attention_bias: true }, /attention_bias/],
    ["biases in Qwen3", "qwen3-0.6b", { attention_bias: true }, /attention_bias/],
    ["quantised weights", "qwen2-0.5b", { quantization_config: { bits: 4 } }, /quantization_config/],
    ["dropout", "phi3-mini-4k", { resid_pdrop: 0.1 }, /resid_pdrop: expected 0/],
    ["Ministral's blocks", "mistral-7b", { layer_types: ["full_attention"] }, /layer_types/],
    [
      "blocks of an unknown kind",
      "gemma2-2b",
      { layer_types: ["chunked_attention"] },
      /layer_types: expected a list of 26/,
    ],
    ["sliding blocks without a window", "gemma2-2b", { sliding_window: null }, /layer_types|sliding_window/],
    ["gelu without tanh", "gemma2-2b", { hidden_activation: "gelu" }, /hidden_activation/],
    ["attention both ways", "gemma2-2b", { use_bidirectional_attention: true }, /use_bidirectional_attention/],
    ["yarn", "qwen2-0.5b", { rope_scaling: { rope_type: "yarn", factor: 4 } }, /rope_scaling: rope_type: expected/],
    ["longrope in Llama", "llama-135m", { rope_scaling: { rope_type: "longrope" } }, /rope_type.*got "longrope"/],
    ["a part of each head in Qwen2", "qwen2-0.5b", { partial_rotary_factor: 0.5 }, /partial_rotary_factor: expected 1/],
    ["an odd part of each head", "phi4-mini", { partial_rotary_factor: 0.7 }, /partial_rotary_factor.*got 0.7 of 128/],
    ["factors of another length", "phi4-mini", { partial_rotary_factor: 0.5 }, /short_factor: expected a list of 32/],
  ])("%s", (_, name, changes, message) => {
    expect(() => like(name, changes)).toThrow(CheckpointError);
    expect(() => like(name, changes)).toThrow(message);
    expect(() => like(name, changes)).toThrow(/\n {2}\w/); // the remedy's line
  });

  test("a lora_target of another family", () => {
    const tensors = () =>
      loraTensors(like("phi3-mini-4k"), { lora_rank: 1, lora_alpha: 1, lora_target: ["q_proj", "o_proj"] });
    expect(tensors).toThrow(SpecError);
    expect(tensors).toThrow(/train\.lora_target: expected .*qkv_proj.*got q_proj/);
  });
});

describe("longrope", () => {
  const config = like("phi3-mini-128k");

  test("stays with the short factors where cutoff_len is within the original context, and takes the long ones beyond", () => {
    const step = (cutoffLen: number) => {
      const { cos, sin, half } = rotaryTables(config.rotary, maxPositions(config, cutoffLen));
      return Math.atan2(sin[half + 1]!, cos[half + 1]!);
    };
    expect(step(2048)).toBeCloseTo(config.rotary.inverseFrequencies[1]!, 6);
    expect(step(4096)).toBeCloseTo(config.rotary.inverseFrequencies[1]!, 6);
    expect(step(4097)).toBeCloseTo(config.rotary.long!.inverseFrequencies[1]!, 6);
  });

  test("leaves room for labels that are longer than the answer, up to where the factors change", () => {
    expect(maxPositions(config, 1024)).toBe(1280);
    expect(maxPositions(config, 4000)).toBe(4096);
    expect(maxPositions(config, 5000)).toBe(5256);
  });
});

test.each([
  ["qwen2-windowed", "self_attn.q_proj.bias", 0],
  ["qwen2-windowed", "input_layernorm.weight", 1],
  ["gemma2-2b", "post_feedforward_layernorm.weight", 0],
  ["qwen3-0.6b", "self_attn.k_norm.weight", 1],
])("from scratch, %s's %s begins at %d", (name, tensor, value) => {
  const into = new Float32Array(5).fill(7);
  const parameter = { name: `model.layers.0.${tensor}`, shape: [5], offset: 0, size: 5 };
  initParameter(like(name), parameter, into, new Rng(1));
  expect([...into]).toEqual(new Array(5).fill(value));
});

test("a window that no sequence outgrows is none", () => {
  const config = like("mistral-7b");
  expect(attentionKind(config, 0, 4096)).toBe("full_attention");
  expect(attentionKind(config, 0, 4097)).toBe("sliding_attention");
});

test("every linear layer's output is cut into its parts", () => {
  for (const name of Object.keys(expected))
    for (const { parts, outFeatures } of allLinears(like(name)))
      expect(parts.reduce((a, b) => a + b, 0)).toBe(outFeatures);
});
