/** @file What is timed: model shapes with random weights, and batches shaped like FPB prompts (60 shared tokens, about 30 of their own). */

import { closeSync, existsSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng } from "../src/base/rng.ts";
import type { TokenizedExample } from "../src/data/types.ts";
import { type DecoderConfig, decoderTensors, numElements } from "../src/models/config.ts";
import { type RawWeights, rawOffsets } from "../src/models/weights.ts";

function llama(
  sizes: Pick<
    DecoderConfig,
    | "vocab_size"
    | "hidden_size"
    | "intermediate_size"
    | "num_hidden_layers"
    | "num_attention_heads"
    | "num_key_value_heads"
  >,
): DecoderConfig {
  const head_dim = 64;
  return {
    ...sizes,
    model_type: "llama",
    head_dim,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
    initializer_range: 0.02,
    rotary: {
      inverseFrequencies: Float64Array.from({ length: head_dim / 2 }, (_, i) => 10_000 ** ((-2 * i) / head_dim)),
    },
  };
}

/** SmolLM2-135M's shape, and that of mixtune/tiny. */
export const SHAPES = {
  m135: llama({
    vocab_size: 49_152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
  }),
  tiny: llama({
    vocab_size: 4096,
    hidden_size: 256,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    num_key_value_heads: 2,
  }),
};
export type ShapeName = keyof typeof SHAPES;

/** Useful operations a real token of LoRA rank 8 on every linear layer, as peers are counted (135M, FPB lengths). */
export const USEFUL_FLOPS_PER_TOKEN = { m135: 0.451e9, tiny: undefined };

/** Random weights as a raw file in the temp folder, made once. */
export function randomWeights(name: ShapeName): RawWeights {
  const folder = join(tmpdir(), "mixtune-bench");
  mkdirSync(folder, { recursive: true });
  const specs = decoderTensors(SHAPES[name]);
  const file = join(folder, `${name}.f32`);
  const bytes = 4 * specs.reduce((sum, { shape }) => sum + numElements(shape), 0);
  if (!existsSync(file) || statSync(file).size !== bytes) {
    const fd = openSync(file, "w");
    for (const { name: tensor, shape } of specs) {
      const rng = new Rng(tensor);
      const uniform = () => 0.07 * (rng.float() - 0.5);
      writeSync(
        fd,
        new Uint8Array(
          Float32Array.from({ length: numElements(shape) }, shape.length === 1 ? () => 1 : uniform).buffer,
        ),
      );
    }
    closeSync(fd);
  }
  return { folder, file, byteOffsets: rawOffsets(specs) };
}

/** `count` examples: an instruction of 60 tokens that all share, 15 to 43 tokens of their own, an answer of one token and the end. */
export function fpbLikeExamples(count: number, vocabulary: number): TokenizedExample[] {
  const rng = new Rng("fpb-like");
  const ids = (length: number) => Int32Array.from({ length }, () => 2 + rng.int(vocabulary - 2));
  const instruction = ids(60);
  return Array.from({ length: count }, (_, i) => ({
    id: `bench#${i}`,
    prompt: Int32Array.from([...instruction, ...ids(15 + rng.int(29))]),
    answer: Int32Array.of(2 + rng.int(3), 0),
  }));
}
