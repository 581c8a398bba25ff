import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { allLinears, decoderTensors } from "./config.ts";
import { layoutParameters, parameterViews } from "./parameters.ts";
import { openModelFolder, rawWeights, readParameters, squaresName } from "./weights.ts";

const GOLDEN = join(import.meta.dirname, "../../test/golden/models");
const temp = mkdtempSync(join(tmpdir(), "mixtune-weights-"));
afterAll(() => rmSync(temp, { recursive: true }));

describe("a folder that transformers wrote", () => {
  test.each(["bf16", "fp16"])("in shards of %s is read exactly", (dtype) => {
    const model = openModelFolder(join(GOLDEN, "shards", dtype));
    expect(new Set([...model.files.values()].map(({ path }) => path)).size).toBeGreaterThan(1);
    const layout = layoutParameters(decoderTensors(model.config));
    const flat = new Float32Array(layout.size);
    readParameters(model, layout, flat);
    const expected = openSafetensors(join(GOLDEN, "shards", `${dtype}.expected.safetensors`));
    for (const [name, view] of Object.entries(parameterViews(layout, flat)))
      expect(view).toEqual(expected.readFloat32(name));
  });

  test("is converted to raw float32 once, tensors in the order of the forward pass, then the squared lengths of rows", () => {
    const model = openModelFolder(join(GOLDEN, "llama", "model"));
    const { file, byteOffsets } = rawWeights(model, join(temp, "cache"));
    const bytes = readFileSync(file);
    for (const { name } of decoderTensors(model.config)) {
      const wanted = model.files.get(name)!.readFloat32(name);
      const offset = byteOffsets.get(name)!;
      expect(
        new Float32Array(bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * wanted.length)),
      ).toEqual(wanted);
    }
    for (const { module, outFeatures, inFeatures } of allLinears(model.config)) {
      const weight = model.files.get(`${module}.weight`)!.readFloat32(`${module}.weight`);
      const offset = byteOffsets.get(squaresName(module))!;
      for (let row = 0; row < outFeatures; row++) {
        const length = Math.hypot(...weight.subarray(row * inFeatures, (row + 1) * inFeatures));
        expect(bytes.readFloatLE(offset + 4 * row) / length ** 2).toBeCloseTo(1, 6);
      }
    }
    writeFileSync(
      file,
      bytes.map((byte) => byte ^ 1),
    );
    expect(readFileSync(rawWeights(model, join(temp, "cache")).file)[0]).toBe(bytes[0]! ^ 1); // not written again
  });
});

// The regression: it named --out, which changes nothing about the cache.
test("a cache that cannot be written names the variable that sets it", () => {
  const file = join(temp, "file");
  writeFileSync(file, "");
  expect(() => rawWeights(openModelFolder(join(GOLDEN, "llama", "model")), file)).toThrow(
    "Make the folder, or choose another one with MIXTUNE_CACHE.",
  );
});

describe("a folder that is damaged is refused with place and remedy", () => {
  const damaged = (name: string, change: (folder: string) => void): (() => unknown) => {
    const folder = join(temp, name);
    cpSync(join(GOLDEN, "llama", "model"), folder, { recursive: true });
    change(folder);
    return () => openModelFolder(folder);
  };
  const editConfig = (edit: (config: Record<string, unknown>) => void) => (folder: string) => {
    const path = join(folder, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    edit(config);
    writeFileSync(path, JSON.stringify(config));
  };

  test.each<[string, (folder: string) => void, RegExp]>([
    ["no config", (folder) => rmSync(join(folder, "config.json")), /config\.json: expected a model folder's file/],
    ["config that is no JSON", (folder) => writeFileSync(join(folder, "config.json"), "{"), /expected JSON/],
    ["no weights", (folder) => rmSync(join(folder, "model.safetensors")), /expected model\.safetensors/],
    ["truncated weights", (folder) => truncateSync(join(folder, "model.safetensors"), 9000), /model\.safetensors/],
    [
      "a width that the weights do not have",
      editConfig((config) => {
        config.intermediate_size = 51;
      }),
      /gate_proj\.weight: expected \[51, 24\].*got \[50, 24\]/,
    ],
    [
      "more layers than the weights have",
      editConfig((config) => {
        config.num_hidden_layers = 3;
      }),
      /layers\.2\..*got no such tensor/,
    ],
    [
      "fewer layers than the weights have",
      editConfig((config) => {
        config.num_hidden_layers = 1;
      }),
      /layers\.1\..*expected no such tensor/,
    ],
    [
      "an untied head without weights",
      editConfig((config) => {
        config.tie_word_embeddings = false;
      }),
      /lm_head\.weight/,
    ],
    [
      "another family",
      editConfig((config) => {
        config.model_type = "bert";
      }),
      /model_type.*got "bert"/,
    ],
    [
      "another activation",
      editConfig((config) => {
        config.hidden_act = "gelu";
      }),
      /hidden_act.*got "gelu"/,
    ],
    [
      "heads that do not divide",
      editConfig((config) => {
        config.num_key_value_heads = 4;
      }),
      /multiple of num_key_value_heads/,
    ],
    [
      "an unknown rope scaling",
      editConfig((config) => {
        config.rope_parameters = { rope_type: "yarn" };
      }),
      /rope_type.*got "yarn"/,
    ],
    [
      "a missing size",
      editConfig((config) => {
        delete config.vocab_size;
      }),
      /vocab_size: expected a whole number above 0, got nothing/,
    ],
  ])("%s", (name, change, message) => {
    const open = damaged(name.replaceAll(" ", "-"), change);
    expect(open).toThrow(message);
    expect(open).toThrow(CheckpointError);
    expect(open).toThrow(/\n {2}\w/); // the remedy's line
  });

  test("an index that points outside its folder", () => {
    const open = damaged("escaping", (folder) => {
      rmSync(join(folder, "model.safetensors"));
      const index = { weight_map: { "model.norm.weight": "../../../etc/passwd.safetensors" } };
      writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
    });
    expect(open).toThrow(/weight_map: expected names of \.safetensors files in the same folder/);
  });
});
