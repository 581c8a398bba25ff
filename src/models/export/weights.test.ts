import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CheckpointError } from "../../base/errors.ts";
import { OnnxFile } from "../../engine/runtime/onnx-file.ts";
import { makeFolder } from "../../formats/files.ts";
import { openSafetensors } from "../../formats/safetensors.ts";
import { decoderTensors } from "../config.ts";
import { type Tuning, toInt64, tunedLayout } from "../network.ts";
import { parameterViews } from "../parameters.ts";
import { openModelFolder, rawWeights, readParameters } from "../weights.ts";
import { architectureValues, fromGguf, ggufContext, ggufName, ggufTensors } from "./gguf-layout.ts";
import { writeHf } from "./hf.ts";
import { writeOnnx } from "./onnx.ts";
import { type ExportSource, exportSource } from "./source.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden/models");
const folder = mkdtempSync(join(tmpdir(), "mixtune-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Expected {
  settings: { r: number; lora_alpha: number };
  examples: { prompt: number[]; answer: number[] }[];
}

/** Sequences of the goldens' networks. */
const MAX_POSITIONS = 64;

function openCase(name: string, method: "lora" | "dora" | "full" | "frozen") {
  const model = openModelFolder(join(GOLDEN, name, "model"));
  const expected = JSON.parse(readFileSync(join(GOLDEN, name, "expected.json"), "utf8")) as Expected;
  const tensors = openSafetensors(join(GOLDEN, name, "expected.safetensors"));
  const { r, lora_alpha } = expected.settings;
  const frozen = rawWeights(model, join(folder, "cache"));
  const lora = { lora_rank: r, lora_alpha, lora_target: "all", use_dora: method === "dora" } as const;
  const isAdapted = method === "lora" || method === "dora";
  const tuning: Tuning =
    method === "full" ? { method } : isAdapted ? { method: "lora", lora, frozen } : { method, frozen };
  const layout = tunedLayout(model.config, tuning);
  const parameters = new Float32Array(layout.size);
  if (method === "full") readParameters(model, layout, parameters);
  if (isAdapted) {
    for (const [tensor, view] of Object.entries(parameterViews(layout, parameters)))
      tensors.readInto(`${method}.init.${tensor}`, view);
  }
  const wanted = tensors.readFloat32(isAdapted ? `${method}.logits` : "logits");
  return { model, expected, wanted, source: exportSource(model, tuning, layout, parameters) };
}

const CASES = ["llama", "llama3", "mistral", "qwen2", "qwen3", "phi3", "phi3-long", "gemma2"];

/** Largest difference of the logits that predict the answers, with all examples in one batch, padded on one side. */
async function worstLogit(
  path: string,
  { examples }: Expected,
  wanted: Float32Array,
  V: number,
  side: "left" | "right",
): Promise<number> {
  const texts = examples.map(({ prompt, answer }) => [...prompt, ...answer]);
  const S = Math.max(...texts.map(({ length }) => length));
  const offsets = texts.map(({ length }) => (side === "left" ? S - length : 0));
  const laid = (of: (token: number, at: number) => number) => {
    const values = new Int32Array(texts.length * S);
    for (const [b, text] of texts.entries())
      for (const [t, token] of text.entries()) values[b * S + offsets[b]! + t] = of(token, t);
    return { type: "int64" as const, data: toInt64(values), shape: [texts.length, S] };
  };
  const file = await OnnxFile.open(path, 1);
  const { logits } = await file.run({
    input_ids: laid((token) => token),
    attention_mask: laid(() => 1),
    position_ids: laid((_, at) => at),
  });
  await file.release();
  let [row, worst] = [0, 0];
  for (const [b, { prompt, answer }] of examples.entries()) {
    for (let t = 0; t < answer.length; t++, row++) {
      const at = (b * S + offsets[b]! + prompt.length - 1 + t) * V;
      for (let v = 0; v < V; v++) worst = Math.max(worst, Math.abs(logits![at + v]! - wanted[row * V + v]!));
    }
  }
  return worst;
}

describe.each(CASES)("%s as ONNX, run by ONNX Runtime from its file, gives the logits", (name) => {
  test.each(["frozen", "full", "lora", "dora"] as const)(
    "of transformers, and merged those of PEFT: %s",
    async (method) => {
      const { model, expected, wanted, source } = openCase(name, method);
      const out = join(folder, `${name}-${method}-onnx`);
      makeFolder(out);
      writeOnnx(source, { maxPositions: MAX_POSITIONS }, out);
      expect(readdirSync(out)).toEqual(["model.onnx"]);
      for (const side of ["left", "right"] as const) {
        const worst = await worstLogit(join(out, "model.onnx"), expected, wanted, model.config.vocab_size, side);
        expect(worst, side).toBeLessThan(1e-4);
      }
    },
  );
});

test("ONNX weights beyond what a graph's file holds lie in a file beside it", async () => {
  const { model, expected, wanted, source } = openCase("qwen2", "lora");
  const out = join(folder, "external-onnx");
  makeFolder(out);
  writeOnnx(source, { maxPositions: MAX_POSITIONS, inlineBytes: 1000 }, out);
  expect(readdirSync(out).sort()).toEqual(["model.onnx", "model.onnx.data"]);
  expect(await worstLogit(join(out, "model.onnx"), expected, wanted, model.config.vocab_size, "right")).toBeLessThan(
    1e-4,
  );
});

describe("a Hugging Face folder", () => {
  const { source } = openCase("gemma2", "lora");

  test.each([
    ["one file", 1e9, 1],
    ["shards", 4000, 9],
  ])("in %s holds the merged weights and opens as a model", (_, shardBytes, atLeast) => {
    const out = join(folder, `hf-${shardBytes}`);
    makeFolder(out);
    writeHf(source, { dtype: "F32", shardBytes }, out);
    const model = openModelFolder(out);
    const numFiles = readdirSync(out).filter((file) => file.endsWith(".safetensors")).length;
    expect(numFiles).toBeGreaterThanOrEqual(atLeast);
    expect(existsSync(join(out, "model.safetensors.index.json"))).toBe(numFiles > 1);
    for (const { name } of decoderTensors(source.config))
      expect(model.files.get(name)!.readFloat32(name)).toEqual(source.read(name));
  });

  test.each([
    ["F16", "float16", 2 ** -11],
    ["BF16", "bfloat16", 2 ** -8],
  ] as const)("in %s says so, and its numbers are the nearest of the type", (dtype, said, step) => {
    const out = join(folder, `hf-${dtype}`);
    makeFolder(out);
    writeHf(source, { dtype, shardBytes: 1e9 }, out);
    const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
    expect(config.dtype ?? config.torch_dtype).toBe(said);
    const model = openModelFolder(out);
    for (const { name } of decoderTensors(source.config)) {
      const [exact, written] = [source.read(name), model.files.get(name)!.readFloat32(name)];
      written.forEach((value, i) =>
        expect(Math.abs(value - exact[i]!)).toBeLessThanOrEqual(Math.abs(exact[i]!) * step + 1e-7),
      );
    }
  });
});

/** What llama.cpp can compute of a golden model: without windows and scales of its own. */
function forLlamaCpp(name: string): ExportSource {
  const { source } = openCase(name, "frozen");
  const { head_dim } = source.config;
  const config = { ...source.config, attentionScale: 1 / Math.sqrt(head_dim) };
  return { ...source, config };
}

describe.each(CASES)("%s laid out for llama.cpp", (name) => {
  const source = forLlamaCpp(name);
  const laid = new Map(ggufTensors(source).map((tensor) => [tensor.name, tensor]));

  test("has a name for every tensor, and gives every tensor back", () => {
    for (const { name: tensor, shape } of decoderTensors(source.config)) {
      const there = laid.get(ggufName(source.config, tensor));
      expect(there?.shape, tensor).toEqual(shape);
      const [back, exact] = [fromGguf(source.config, tensor, there!.data()), source.read(tensor)];
      const worst = back.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!)), 0);
      expect(worst, tensor).toBeLessThan(1e-6); // a norm's 1 more and less rounds
    }
    const factors = [...laid.keys()].filter((tensor) => tensor.startsWith("rope_"));
    expect(laid.size).toBe(decoderTensors(source.config).length + factors.length);
    expect(factors).toEqual(
      name === "llama3"
        ? ["rope_freqs.weight"]
        : name.startsWith("phi3")
          ? ["rope_factors_long.weight", "rope_factors_short.weight"]
          : [],
    );
  });

  test("states sizes under its architecture's name, and a context within a window that llama.cpp does not have", () => {
    const values = architectureValues(source);
    const architecture = { llama3: "llama", mistral: "llama", "phi3-long": "phi3" }[name] ?? name;
    expect(values.get("general.architecture")).toEqual({ type: "string", value: architecture });
    const { sliding_window, max_position_embeddings, num_key_value_heads } = source.config;
    const expected = name === "gemma2" ? max_position_embeddings : (sliding_window ?? max_position_embeddings);
    expect(ggufContext(source.config)).toBe(expected);
    expect(values.get(`${architecture}.attention.head_count_kv`)).toMatchObject({ value: num_key_value_heads });
  });
});

test("rows of Llama's queries and keys are put in pairs: the i-th of each half of a head side by side", () => {
  const { source } = openCase("llama", "frozen");
  const { hidden_size: D, head_dim: E } = source.config;
  const rows = ggufTensors({
    ...source,
    read: (name) => Float32Array.from({ length: source.read(name).length }, (_, i) => Math.floor(i / D)),
  }).find(({ name }) => name === "blk.1.attn_k.weight")!;
  const order = Array.from({ length: 2 * E }, (_, row) => rows.data()[row * D]);
  expect(E).toBe(4);
  expect(order).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

describe("what llama.cpp would compute otherwise is refused by name", () => {
  const { source } = openCase("gemma2", "frozen");
  const other = (changes: Partial<ExportSource["config"]>) => () =>
    architectureValues({
      ...source,
      config: { ...source.config, attentionScale: 1 / Math.sqrt(source.config.head_dim), ...changes },
    });

  test.each<[string, Partial<ExportSource["config"]>, RegExp]>([
    ["another scale of Gemma 2", { attentionScale: 1 / 3 }, /query_pre_attn_scalar 6.*got 9/],
    [
      "windows in other blocks",
      { layer_types: ["full_attention", "full_attention", "full_attention"] },
      /every other block/,
    ],
    ["scores without a cap", { attn_logit_softcapping: null }, /capped attention/],
    ["an untied Gemma 2", { tie_word_embeddings: false }, /tied embeddings/],
    ["an unknown family", { model_type: "mixtral" }, /a family among llama, mistral.*got mixtral/],
  ])("%s", (_, changes, message) => {
    expect(other(changes)).toThrow(CheckpointError);
    expect(other(changes)).toThrow(message);
    expect(other(changes)).toThrow(/options\.to hf or onnx/);
    expect(other({})).not.toThrow();
  });
});
