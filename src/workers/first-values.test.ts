import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { openSafetensors, writeSafetensors } from "../formats/safetensors.ts";
import { loraOf, magnitudeName } from "../models/lora.ts";
import { tunedLayout } from "../models/network.ts";
import { parameterViews } from "../models/parameters.ts";
import { type ModelFolder, openModelFolder } from "../models/weights.ts";
import { resolveTrain, type TrainBlock } from "../specs/train.ts";
import type { RunSpec } from "../specs/types.ts";
import { firstValues } from "./first-values.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-first-"));
afterAll(() => rmSync(folder, { recursive: true }));
const SOURCE = join(import.meta.dirname, "../../test/golden/models/qwen2/model");

function firstOf(block: TrainBlock, model: ModelFolder): Record<string, Float32Array> {
  const train = resolveTrain(block);
  const layout = tunedLayout(model.config, { method: "lora", lora: loraOf(train) });
  const parameters = new Float32Array(layout.size);
  firstValues({ train, seed: 3 } as RunSpec, model, layout, parameters);
  return parameterViews(layout, parameters);
}

test("with DoRA a run begins at plain LoRA's A and B, and at magnitudes that are the lengths of the weights' rows", () => {
  const model = openModelFolder(SOURCE);
  const plain = firstOf({}, model);
  const views = firstOf({ use_dora: true }, model);
  for (const [name, values] of Object.entries(plain)) expect(views[name], name).toEqual(values);
  const magnitudes = Object.keys(views).filter((name) => !(name in plain));
  expect(magnitudes).toHaveLength(Object.keys(plain).length / 2);
  const module = "model.layers.1.self_attn.k_proj";
  const weight = model.files.get(`${module}.weight`)!.readFloat32(`${module}.weight`);
  const lengths = views[magnitudeName(module)]!;
  const width = weight.length / lengths.length;
  lengths.forEach((length, row) => {
    expect(length / Math.hypot(...weight.subarray(row * width, (row + 1) * width))).toBeCloseTo(1, 6);
  });
});

test("a row of zeros has no direction, and is refused with its place", () => {
  cpSync(SOURCE, folder, { recursive: true });
  const path = join(folder, "model.safetensors");
  const file = openSafetensors(path);
  const module = "model.layers.0.mlp.up_proj";
  const tensors = [...file.tensors].map(([name, { shape }]) => {
    const data = file.readFloat32(name);
    if (name === `${module}.weight`) data.fill(0, 2 * shape[1]!, 3 * shape[1]!);
    return { name, shape, dtype: "F32" as const, data };
  });
  writeSafetensors(path, tensors, { format: "pt" });
  const model = openModelFolder(folder);
  const begun = (lora_target: string[]) => () => firstOf({ use_dora: true, lora_target }, model);
  expect(begun(["up_proj"])).toThrow(CheckpointError);
  expect(begun(["up_proj"])).toThrow(/mlp\.up_proj\.weight: expected rows that are not zero.*got zeros in row 2/);
  expect(begun(["q_proj"])).not.toThrow();
});
