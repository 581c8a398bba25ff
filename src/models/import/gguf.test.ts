/** @file A GGUF file as a model folder. Its blocks are those of the gguf package (formats/gguf.test.ts); how llama.cpp reads them: scripts/ci/llama.ts. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CheckpointError } from "../../base/errors.ts";
import { openTokenizer } from "../../data/tokens/tokenizers.ts";
import { type GgufValue, openGguf, writeGguf } from "../../formats/gguf.ts";
import { writeModelGguf } from "../export/gguf.ts";
import { ggufTokenizer, type TokenizerFacts } from "../export/gguf-tokenizer.ts";
import { exportSource } from "../export/source.ts";
import { tunedLayout } from "../network.ts";
import { openModelFolder, readParameters } from "../weights.ts";
import { writeFolderOfGguf } from "./gguf.ts";
import { tokenizerOfGguf } from "./gguf-tokenizer.ts";
import { GgufValues } from "./gguf-values.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden");
const root = mkdtempSync(join(tmpdir(), "mixtune-gguf-in-"));
afterAll(() => rmSync(root, { recursive: true }));
let numFolders = 0;
const newPath = () => join(root, `${numFolders++}`);

/** A tokenizer of single bytes, as few as the goldens' vocabularies have room for. */
const bytes = (size: number) => ({
  added_tokens: [
    { id: 0, content: "<|end|>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ],
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  model: {
    type: "BPE",
    vocab: Object.fromEntries(
      Array.from({ length: size }, (_, i) => [i === 0 ? "<|end|>" : String.fromCharCode(32 + i), i]),
    ),
    merges: [],
  },
});
const facts = (vocabSize: number, more: Partial<TokenizerFacts> = {}): TokenizerFacts => ({
  ...{ place: "tokenizer.json", vocabSize, bosId: null, endIds: [0], padId: 0, hasLead: false },
  ...{ chatTemplate: "{{ messages }}", promptsBeginSpecial: true, ...more },
});

/** A golden model written as GGUF. */
function written(name: string) {
  const model = openModelFolder(join(GOLDEN, "models", name, "model"));
  const tuning = { method: "full" } as const;
  const layout = tunedLayout(model.config, tuning);
  const parameters = new Float32Array(layout.size);
  readParameters(model, layout, parameters);
  const { vocab_size } = model.config;
  const path = newPath();
  const texts = { name, tokenizer: bytes(Math.min(vocab_size, 90)), facts: facts(vocab_size) };
  writeModelGguf(exportSource(model, tuning, layout, parameters), texts, "f32", path);
  return { model, path };
}

test.each(["llama", "qwen2", "qwen3"])("%s comes back with every number and the same configuration", (name) => {
  const { model, path } = written(name);
  const folder = newPath();
  writeFolderOfGguf(path, folder);
  const back = openModelFolder(folder);
  // llama.cpp knows no window of these families, and reads no further; it knows no first values
  const { initializer_range, sliding_window, layer_types, max_position_embeddings, ...config } = model.config;
  expect(back.config).toMatchObject(config);
  expect([...back.files.keys()].sort()).toEqual([...model.files.keys()].sort());
  for (const [tensor, file] of model.files)
    expect(back.files.get(tensor)!.readFloat32(tensor), tensor).toEqual(file.readFloat32(tensor));
});

test("frequencies of Llama 3.1 and 3.2 are known; others are refused", () => {
  const { path, model } = written("llama");
  const { values, tensors, readFloat32 } = openGguf(path);
  const half = model.config.head_dim / 2;
  const theta = 500_000;
  const withDivisors = (factor: number) => {
    const divisors = Float32Array.from({ length: half }, (_, i) => {
      const wavelength = 2 * Math.PI * theta ** (i / half);
      if (wavelength < 8192 / 4) return 1;
      if (wavelength > 8192) return factor;
      const smooth = (8192 / wavelength - 1) / 3;
      return 1 / ((1 - smooth) / factor + smooth);
    });
    const all = [...tensors].map(([name, { shape }]) => ({ name, shape, data: () => readFloat32(name) }));
    const frequencies = { name: "rope_freqs.weight", shape: [half], data: () => divisors };
    const changed = newPath();
    writeGguf(
      changed,
      new Map(values).set("llama.rope.freq_base", { type: "float32", value: theta }),
      [...all, frequencies].map((one) => ({ ...one, type: "f32" as const })),
    );
    const folder = newPath();
    writeFolderOfGguf(changed, folder);
    return JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).rope_scaling;
  };
  const published = {
    rope_type: "llama3",
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  expect(withDivisors(8)).toEqual({ ...published, factor: 8 });
  expect(withDivisors(32)).toEqual({ ...published, factor: 32 });
  expect(() => withDivisors(7)).toThrow(/the frequencies of Llama 3\.1 or 3\.2/);
});

const { texts } = JSON.parse(readFileSync(join(GOLDEN, "data-tokenizer/features/expected.json"), "utf8")) as {
  texts: string[];
};
const valuesOf = (values: ReadonlyMap<string, GgufValue>) => new GgufValues({ values }, "model.gguf");

test.each([
  ["families/qwen2", [0], null],
  ["kinds/byte-level-digits", [0], null],
  ["kinds/byte-level-pattern", [1], 0],
  ["families/phi4-mini", [0], null],
])("the tokenizer of %s comes back with the same ids and texts", (name, endIds, bosId) => {
  const own = openTokenizer(join(GOLDEN, "data-tokenizer", name));
  const json = JSON.parse(readFileSync(join(GOLDEN, "data-tokenizer", name, "tokenizer.json"), "utf8"));
  const { values } = ggufTokenizer(json, facts(own.vocabSize + 3, { endIds, bosId, hasLead: own.leadIds.length > 0 }));
  const { tokenizer, tokenizerConfig, generationConfig } = tokenizerOfGguf(valuesOf(values));
  const put = (file: string, content: object) => writeFileSync(join(root, file), JSON.stringify(content));
  put("tokenizer.json", tokenizer);
  put("tokenizer_config.json", tokenizerConfig);
  put("generation_config.json", generationConfig);
  const back = openTokenizer(root);
  for (const text of [...texts, "<|im_start|>user\nHi<|im_end|><s>"]) {
    expect([...back.encode(text)], text).toEqual([...own.encode(text)]);
    expect(back.decode(back.encode(text))).toBe(own.decode(own.encode(text)));
  }
  expect([...back.leadIds]).toEqual([...own.leadIds]);
  expect(back.eosIds).toEqual(endIds);
  expect(tokenizerConfig.chat_template).toBe("{{ messages }}");
});

test.each<[string, (values: Map<string, GgufValue>) => void, RegExp]>([
  [
    "another architecture",
    (v) => v.set("general.architecture", { type: "string", value: "rwkv" }),
    /architecture: expected one of llama.*got "rwkv"/,
  ],
  [
    "experts",
    (v) => v.set("llama.expert_count", { type: "uint32", value: 8 }),
    /expert_count: expected a model without experts, got 8/,
  ],
  [
    "a part of each head rotated",
    (v) => v.set("llama.rope.dimension_count", { type: "uint32", value: 2 }),
    /the whole of each head, got 2/,
  ],
  [
    "another scaling",
    (v) => v.set("llama.rope.scaling.type", { type: "string", value: "yarn" }),
    /scaling\.type.*got "yarn"/,
  ],
  [
    "a size that is none",
    (v) => v.set("llama.block_count", { type: "float32", value: 1.5 }),
    /block_count: expected a whole number.*got 1\.5/,
  ],
  ["a size that is missing", (v) => v.delete("llama.embedding_length"), /embedding_length.*got nothing/],
  [
    "more blocks than it has",
    (v) => v.set("llama.block_count", { type: "uint32", value: 9 }),
    /tensor blk\.\d\.attn_norm\.weight: expected \[\d+\], got none/,
  ],
  [
    "fewer blocks than it has",
    (v) => v.set("llama.block_count", { type: "uint32", value: 1 }),
    /tensor blk\.1.*no tensor that the architecture has not/,
  ],
  [
    "another tokenizer",
    (v) => v.set("tokenizer.ggml.model", { type: "string", value: "t5" }),
    /tokenizer\.ggml\.model.*got "t5"/,
  ],
  [
    "another cut",
    (v) => v.set("tokenizer.ggml.pre", { type: "string", value: "tekken" }),
    /tokenizer\.ggml\.pre.*got "tekken"/,
  ],
  ["no merges", (v) => v.delete("tokenizer.ggml.merges"), /merges: expected a list of strings, got nothing/],
  [
    "fewer types than tokens",
    (v) => v.set("tokenizer.ggml.token_type", { of: "int32", values: [1] }),
    /token_type.*got a list of 1/,
  ],
  [
    "an end that is no token",
    (v) => v.set("tokenizer.ggml.eos_token_id", { type: "uint32", value: 1e6 }),
    /eos_token_id.*got 1000000/,
  ],
])("%s is refused by name", (_, change, message) => {
  const { path } = written("llama");
  const { values, tensors, readFloat32 } = openGguf(path);
  const changed = new Map(values);
  change(changed);
  const damaged = newPath();
  const all = [...tensors].map(([name, { shape }]) => ({
    name,
    shape,
    type: "f32" as const,
    data: () => readFloat32(name),
  }));
  writeGguf(damaged, changed, all);
  const open = () => writeFolderOfGguf(damaged, newPath());
  expect(open).toThrow(message);
  expect(open).toThrow(CheckpointError);
});
