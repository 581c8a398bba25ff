/** @file What is timed: model shapes with random weights, and batches shaped like FPB prompts (60 shared tokens, about 30 of their own). */

import { closeSync, existsSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "../src/base/rng.ts";
import { numElements } from "../src/base/shapes.ts";
import type { TokenizedExample } from "../src/data/types.ts";
import { type DecoderConfig, decoderTensors } from "../src/models/config.ts";
import { ConfigReader } from "../src/models/config-reader.ts";
import { readDecoderConfig } from "../src/models/families.ts";
import { type RawWeights, rawOffsets } from "../src/models/weights.ts";

const shape = (json: Record<string, unknown>): DecoderConfig =>
  readDecoderConfig(new ConfigReader(json, "bench/workloads.ts"));

/** As config.json says them: mixtune/tiny's shape, SmolLM2-135M's, Llama-3-8B's. */
export const LLAMA_SHAPES = {
  tiny: {
    model_type: "llama",
    vocab_size: 4096,
    hidden_size: 256,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
  },
  m135: {
    model_type: "llama",
    vocab_size: 49_152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
  },
  l8b: {
    model_type: "llama",
    vocab_size: 128_256,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 8192,
    rope_theta: 500_000,
    tie_word_embeddings: false,
  },
};
export type LlamaShape = keyof typeof LLAMA_SHAPES;

/** SmolLM2-135M's shape, that of mixtune/tiny, Qwen2-0.5B's, and Phi-3-mini's with four of its 32 blocks. */
export const SHAPES = {
  m135: shape(LLAMA_SHAPES.m135),
  tiny: shape(LLAMA_SHAPES.tiny),
  qwen2: shape({
    model_type: "qwen2",
    vocab_size: 151_936,
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    max_position_embeddings: 32_768,
    rope_theta: 1_000_000,
    tie_word_embeddings: true,
  }),
  phi3: shape({
    model_type: "phi3",
    vocab_size: 32_064,
    hidden_size: 3072,
    intermediate_size: 8192,
    num_hidden_layers: 4,
    num_attention_heads: 32,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 4096,
    sliding_window: 2047,
  }),
};
export type ShapeName = keyof typeof SHAPES;

/** Useful operations a real token of LoRA rank 8 on every linear layer, as peers are counted (135M, FPB lengths). */
export const USEFUL_FLOPS_PER_TOKEN: Partial<Record<ShapeName, number>> = { m135: 0.451e9 };

/** Random weights as a raw file in the temp folder, made once. */
export function randomWeights(name: ShapeName): RawWeights {
  const folder = join(tmpdir(), "mixtune-bench");
  mkdirSync(folder, { recursive: true });
  const specs = decoderTensors(SHAPES[name]);
  const file = join(folder, `${name}.f32`);
  const bytes = 4 * specs.reduce((sum, { shape }) => sum + numElements(shape), 0);
  if (!existsSync(file) || statSync(file).size !== bytes) {
    const fd = openSync(file, "w");
    const rng = new Rng(name);
    const block = new Float32Array(1 << 20); // in blocks, so that making a large file does not count as the workload's memory
    for (const { shape } of specs) {
      for (let left = numElements(shape); left > 0; left -= block.length) {
        const part = block.subarray(0, Math.min(left, block.length));
        for (let i = 0; i < part.length; i++) part[i] = shape.length === 1 ? 1 : 0.07 * (rng.float() - 0.5);
        writeSync(fd, new Uint8Array(part.buffer, 0, part.byteLength));
      }
    }
    closeSync(fd);
  }
  return { folder, file, byteOffsets: rawOffsets(specs) };
}

/** Tokens of made-up examples: a shared instruction, `least` and up to `spread` - 1 more of their own, an answer whose last is the end. */
export interface Lengths {
  shared: number;
  least: number;
  spread: number;
  answer: number;
  vocabulary: number;
}

/** `count` examples; each answer is one of three tokens, again and again, and the end. */
export function examplesLike(
  { shared, least, spread, answer, vocabulary }: Lengths,
  count: number,
): TokenizedExample[] {
  const rng = new Rng("fpb-like");
  const ids = (length: number) => Int32Array.from({ length }, () => 2 + rng.int(vocabulary - 2));
  const instruction = ids(shared);
  return Array.from({ length: count }, (_, i) => ({
    id: `bench#${i}`,
    prompt: Int32Array.from([...instruction, ...ids(least + rng.int(spread))]),
    answer: Int32Array.from([...new Array<number>(answer - 1).fill(2 + rng.int(3)), 0]),
  }));
}

/** `count` examples: an instruction of 60 tokens that all share, 15 to 43 tokens of their own, an answer of one token and the end. */
export function fpbLikeExamples(count: number, vocabulary: number): TokenizedExample[] {
  return examplesLike({ shared: 60, least: 15, spread: 29, answer: 2, vocabulary }, count);
}
