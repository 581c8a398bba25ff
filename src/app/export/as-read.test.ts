/** @file Folders that leave something to transformers' rules are read, asked and exported as transformers reads them. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { endIdsOf, plainTemplate } from "../../data/tokens/chat-template.ts";
import { openTokenizer } from "../../data/tokens/tokenizers.ts";
import { generate } from "../../eval/generate.ts";
import { makeFolder } from "../../formats/files.ts";
import { openSafetensors, type TensorToWrite, writeSafetensors } from "../../formats/safetensors.ts";
import { CachedNetwork } from "../../models/cached-network.ts";
import { writeGenerationConfig } from "../../models/export/beside.ts";
import { writeHf } from "../../models/export/hf.ts";
import { exportSource } from "../../models/export/source.ts";
import { type Tuning, tunedLayout } from "../../models/network.ts";
import { openModelFolder, rawWeights } from "../../models/weights.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden/models");
const temp = mkdtempSync(join(tmpdir(), "mixtune-as-read-"));
afterAll(() => rmSync(temp, { recursive: true }));

interface Case {
  head?: "next" | "same";
  shards?: boolean;
  config?: Record<string, unknown>;
  generation?: Record<string, unknown>;
  /** Of transformers. */
  tied: boolean;
  logits: number[][];
  answers: number[][];
}
const expected: { prompts: number[][]; ends: Record<string, number>; cases: Record<string, Case> } = JSON.parse(
  readFileSync(join(GOLDEN, "as-read/expected.json"), "utf8"),
);
const [EMBEDDING, HEAD] = ["model.embed_tokens.weight", "lm_head.weight"];

/** The folder that make.py made, and a tokenizer of one token a character. */
function madeFolder(name: string, { head, shards, config = {}, generation }: Case): string {
  const folder = join(temp, name.replaceAll(" ", "-"));
  makeFolder(folder);
  const write = (file: string, value: unknown) => writeFileSync(join(folder, file), JSON.stringify(value));
  const file = openSafetensors(join(GOLDEN, "llama/model/model.safetensors"));
  const tensors = [...file.tensors].map(
    ([name, { shape }]): TensorToWrite => ({ name, shape, dtype: "F32", data: file.readFloat32(name) }),
  );
  if (shards) {
    const part = (i: number) => `model-${i}.safetensors`;
    for (const k of [0, 1])
      writeSafetensors(
        join(folder, part(k)),
        tensors.filter((_, i) => i % 2 === k),
      );
    const weight_map = Object.fromEntries(tensors.map(({ name }, i) => [name, part(i % 2)]));
    write("model.safetensors.index.json", { metadata: {}, weight_map });
  }
  if (head !== undefined) {
    const { shape } = file.tensors.get(EMBEDDING!)!;
    const rows = file.readFloat32(EMBEDDING!);
    const width = shape[1]!;
    const next = Float32Array.of(...rows.subarray(width), ...rows.subarray(0, width));
    tensors.push({ name: HEAD!, shape, dtype: "F32", data: head === "next" ? next : rows });
  }
  writeSafetensors(join(folder, "model.safetensors"), tensors);
  const named = (change: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(change).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.map((end) => expected.ends[end]) : value,
      ]),
    );
  const base = JSON.parse(readFileSync(join(GOLDEN, "llama/model/config.json"), "utf8"));
  write("config.json", { ...base, ...named(config) });
  if (generation !== undefined) write("generation_config.json", named(generation));
  const vocab = Object.fromEntries(Array.from({ length: 97 }, (_, id) => [String.fromCharCode(0x4e00 + id), id]));
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  write("tokenizer.json", {
    ...parts,
    added_tokens: [],
    model: { type: "BPE", vocab, merges: [], unk_token: "\u4e01" },
  });
  return folder;
}

/** What our engine says of a folder. */
async function asked(folder: string) {
  const model = openModelFolder(folder);
  const tokenizer = openTokenizer(folder);
  const tuning: Tuning = { method: "frozen", frozen: rawWeights(model, join(folder, "cache")) };
  const network = await CachedNetwork.create(model.config, tuning, { threads: 1, maxPositions: 64 });
  const nothing = new Float32Array(0);
  const logits: Float32Array[] = [];
  for (const prompt of expected.prompts) {
    const ids = [Int32Array.from(prompt)];
    const [row] = await network.readOn(network.newCache(1), network.newCache(1), 0, ids, nothing);
    logits.push(row!.slice());
  }
  const prompts = expected.prompts.map((prompt, i) => ({ id: `${i}`, prompt: Int32Array.from(prompt) }));
  const endIds = endIdsOf(plainTemplate(tokenizer), tokenizer);
  const answers = await generate(network, nothing, prompts, { endIds, maxNewTokens: 16, decode: tokenizer.decode });
  await network.release();
  return { model, tuning, endIds, logits, answers: answers.map(({ ids }) => [...ids]) };
}

/** Of logits up to 10, between two engines in float32. */
const TOLERANCE = 1e-4;

test.each(Object.entries(expected.cases))("%s", async (name, wanted) => {
  const folder = madeFolder(name, wanted);
  const source = await asked(folder);
  expect(source.model.config.tie_word_embeddings).toBe(wanted.tied);
  expect(source.answers).toEqual(wanted.answers);

  const exported = join(folder, "exported");
  makeFolder(exported);
  const { model, tuning, endIds } = source;
  const whole = exportSource(model, tuning, tunedLayout(model.config, tuning), new Float32Array(0));
  writeHf(whole, { dtype: "F32", shardBytes: 5e9 }, exported);
  writeGenerationConfig(
    { folder, hasLead: false, template: undefined, generation: {}, endIds, bosId: null, padId: 1 },
    exported,
  );
  writeFileSync(join(exported, "tokenizer.json"), readFileSync(join(folder, "tokenizer.json")));
  const copy = await asked(exported);
  expect(copy.answers).toEqual(wanted.answers);
  const config = JSON.parse(readFileSync(join(exported, "config.json"), "utf8"));
  expect(config.tie_word_embeddings).toBe(wanted.tied);

  for (const side of [source, copy]) {
    for (const [i, row] of side.logits.entries()) {
      const worst = row.reduce((most, value, id) => Math.max(most, Math.abs(value - wanted.logits[i]![id]!)), 0);
      expect(worst).toBeLessThan(TOLERANCE);
    }
  }
});
