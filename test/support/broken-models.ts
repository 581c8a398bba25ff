/** @file Model folders that are damaged at random: whatever comes, a model that answers or an error for people. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { MixtuneError } from "../../src/base/errors.ts";
import { numElements } from "../../src/base/shapes.ts";
import { endIdsOf, openTemplate, plainJinja } from "../../src/data/tokens/chat-template.ts";
import { openTokenizer, readJson } from "../../src/data/tokens/tokenizers.ts";
import { generate } from "../../src/eval/generate.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { CachedNetwork } from "../../src/models/cached-network.ts";
import { decoderTensors } from "../../src/models/config.ts";
import { writeModelGguf } from "../../src/models/export/gguf.ts";
import { exportSource } from "../../src/models/export/source.ts";
import { type Tuning, tunedLayout } from "../../src/models/network.ts";
import { maxPositions } from "../../src/models/tuning.ts";
import { openModelFolder, rawWeights, readModelConfig } from "../../src/models/weights.ts";

const KIND = join(import.meta.dirname, "../golden/data-tokenizer/kinds/byte-level-pattern");
const CONFIG = {
  ...{ model_type: "llama", vocab_size: 448, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1 },
  ...{ num_attention_heads: 2, num_key_value_heads: 1, head_dim: 4, max_position_embeddings: 256, rms_norm_eps: 1e-5 },
  ...{ rope_theta: 10_000, rope_scaling: null, tie_word_embeddings: true, hidden_act: "silu", attention_bias: false },
  ...{ eos_token_id: [0, 2], bos_token_id: 1, pad_token_id: 0, torch_dtype: "float32", initializer_range: 0.02 },
  rope_parameters: { rope_type: "llama3", rope_theta: 5e5, factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
};
/** Files that are damaged, those with most that can go wrong more often. */
const TEXTS = ["config.json", "config.json", "tokenizer.json", "tokenizer.json", "tokenizer_config.json"];
const FILES = [...TEXTS, "generation_config.json", "model.safetensors.index.json", "a.safetensors", "b.safetensors"];

/** A small whole model in two shards, the first with a head of its own. */
function writeSeed(folder: string): void {
  cpSync(KIND, folder, { recursive: true });
  const { rope_parameters, ...rest } = CONFIG;
  const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  write("config.json", {
    ...rest,
    rope_parameters: { ...rope_parameters, original_max_position_embeddings: 64 },
  });
  write("generation_config.json", { eos_token_id: [0, 3], do_sample: true, temperature: 0.7 });
  const { config } = readModelConfig(folder);
  const tensors = decoderTensors({ ...config, tie_word_embeddings: false }).map(({ name, shape }, k) => ({
    ...{ name, shape, dtype: "F32" as const },
    data: Float32Array.from({ length: numElements(shape) }, (_, i) => Math.sin(i * 1.7 + k)),
  }));
  const isFirst = (name: string) => /embed|head|mlp/.test(name);
  const parts = {
    "a.safetensors": tensors.filter(({ name }) => isFirst(name)),
    "b.safetensors": tensors.filter(({ name }) => !isFirst(name)),
  };
  for (const [name, part] of Object.entries(parts)) writeSafetensors(join(folder, name), part, { format: "pt" });
  const weight_map = Object.fromEntries(
    tensors.map(({ name }) => [name, isFirst(name) ? "a.safetensors" : "b.safetensors"]),
  );
  write("model.safetensors.index.json", { metadata: { total_size: 1 }, weight_map });
}

/** Values that a field may wrongly have. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1,
    2,
    3,
    7,
    1.5,
    1e9,
    2 ** 31,
    2 ** 53,
    1e300,
    -1e300,
    "",
    "x",
    "<0x41>",
    [],
    {},
    [[]],
    [null],
    "__proto__",
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const change = fc.record({
  file: fc.constantFrom(...FILES),
  /** Where: in JSON a member at each depth, in bytes a place. */
  path: fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { minLength: 1, maxLength: 6 }),
  deed: fc.constantFrom("set", "set", "remove", "bytes", "copy"),
  value: odd,
  bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** A damaged file's new bytes. */
function damaged(bytes: Buffer, { path, deed, value, bytes: put }: Change): Buffer {
  const isTensors = bytes[0] !== 0x7b;
  const headerEnd = isTensors ? 8 + Number(bytes.readBigUInt64LE()) : bytes.length;
  if (deed === "bytes") {
    const out = Buffer.from(bytes);
    out.set(put.subarray(0, headerEnd), Math.floor(path[0]! * Math.max(1, headerEnd - put.length)));
    return out;
  }
  const json = JSON.parse(bytes.subarray(isTensors ? 8 : 0, headerEnd).toString());
  let at = json;
  for (const [depth, part] of path.entries()) {
    const keys = Object.keys(at);
    const key = keys[Math.floor(part * keys.length)];
    if (key === undefined) break;
    const inner = at[key];
    if (typeof inner === "object" && inner !== null && depth < path.length - 1) {
      at = inner;
      continue;
    }
    if (deed === "remove") delete at[key];
    else if (deed === "set") at[key] = value;
    else at[keys[Math.floor(path[0]! * 7919) % keys.length]!] = structuredClone(inner);
    break;
  }
  const text = Buffer.from(JSON.stringify(json));
  if (!isTensors) return text;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, bytes.subarray(headerEnd)]);
}

/** Opens a folder as commands do, has the model answer, and exports it. */
async function use(folder: string): Promise<void> {
  const model = openModelFolder(folder);
  const tokenizer = openTokenizer(folder);
  const template = openTemplate(folder, tokenizer);
  const prompt = Int32Array.of(
    ...template.leadIds,
    ...tokenizer.encode(template.render([{ role: "user", content: "Profit rose 13 %?" }])),
  );
  const tuning: Tuning = { method: "frozen", frozen: rawWeights(model, join(folder, "cache")) };
  const network = await CachedNetwork.create(model.config, tuning, {
    threads: 1,
    maxPositions: maxPositions(model.config, 128),
  });
  try {
    const endIds = endIdsOf(template, tokenizer);
    await generate(network, new Float32Array(0), [{ id: "q", prompt }], {
      endIds,
      maxNewTokens: 3,
      decode: tokenizer.decode,
    });
  } finally {
    await network.release();
  }
  const source = exportSource(model, tuning, tunedLayout(model.config, tuning), new Float32Array(0));
  const facts = {
    ...{
      place: folder,
      vocabSize: model.config.vocab_size,
      endIds: endIdsOf(template, tokenizer),
      hasLead: tokenizer.leadIds.length > 0,
    },
    ...{ bosId: tokenizer.bosId, padId: tokenizer.padId, chatTemplate: plainJinja(false), promptsBeginSpecial: false },
  };
  const texts = { name: "broken", tokenizer: readJson(folder, "tokenizer.json")!, facts };
  writeModelGguf(source, texts, "f32", join(folder, "model.gguf"));
}

/**
 * Damages a model folder `numRuns` times.
 * @returns how often the model was one all the same
 * @throws of the first folder with which neither is so
 */
export async function breakModels(numRuns: number, seed?: number): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), "mixtune-broken-"));
  const [whole, folder] = [join(root, "whole"), join(root, "model")];
  let numWhole = 0;
  try {
    writeSeed(whole);
    await use(whole);
    const survives = async (changes: readonly Change[]): Promise<void> => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(whole, folder, { recursive: true });
      for (const one of changes.filter(({ file }, i) => changes.findIndex((other) => other.file === file) === i)) {
        const path = join(folder, one.file);
        writeFileSync(path, damaged(readFileSync(path), one));
      }
      try {
        await use(folder);
        numWhole++;
      } catch (error) {
        if (!(error instanceof MixtuneError)) throw error;
      }
    };
    const changes = fc.array(change, { minLength: 1, maxLength: 2 });
    await fc.assert(fc.asyncProperty(changes, survives), { numRuns, ...(seed !== undefined && { seed }) });
    return numWhole;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
