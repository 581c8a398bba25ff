/** @file What is exported: a model's tensors one at a time, an adapter merged into them. */

import type { WeightDtype } from "../../formats/safetensors.ts";
import { allLinears, type DecoderConfig, decoderTensors, type TensorSpec } from "../config.ts";
import { loraName } from "../lora.ts";
import type { Tuning } from "../network.ts";
import { type ParameterLayout, parameterViews } from "../parameters.ts";
import type { ModelFolder } from "../weights.ts";

/** A whole model; tensors are made when they are asked for, so that one is held at a time. */
export interface ExportSource {
  config: DecoderConfig;
  /** Of config.json. */
  configText: string;
  /** The type of the base model's matrices. */
  dtype: WeightDtype;
  tensors: readonly TensorSpec[];
  /** Values in float32. */
  read(name: string): Float32Array;
}

/** @param parameters  values of what `tuning` trains, laid out as `layout` */
export function exportSource(
  model: ModelFolder,
  tuning: Tuning,
  layout: ParameterLayout,
  parameters: Float32Array,
): ExportSource {
  const { config, configText } = model;
  const views = parameterViews(layout, parameters);
  const stored = (name: string) => model.files.get(name)!.readFloat32(name);
  const common = { config, configText, dtype: dtypeOf(model), tensors: decoderTensors(config) };
  if (tuning.method === "full") return { ...common, read: (name) => views[name]! };
  if (tuning.method === "frozen") return { ...common, read: stored };
  const { lora_rank, lora_alpha } = tuning.lora;
  const widths = new Map(allLinears(config).map(({ module, inFeatures }) => [`${module}.weight`, inFeatures]));
  return {
    ...common,
    read: (name) => {
      const weight = stored(name);
      const module = name.replace(/\.weight$/, "");
      const [a, b] = [views[loraName(module, "A")], views[loraName(module, "B")]];
      if (a !== undefined && b !== undefined) addProduct(weight, b, a, widths.get(name)!, lora_alpha / lora_rank);
      return weight;
    },
  };
}

/**
 * weight [out, in] += scale * B [out, r] A [r, in]. Each sum is made in float64 and rounded to float32 once.
 */
export function addProduct(weight: Float32Array, b: Float32Array, a: Float32Array, width: number, scale: number): void {
  const rank = a.length / width;
  const delta = new Float64Array(width);
  for (let row = 0; row * width < weight.length; row++) {
    delta.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r]!;
      for (let i = 0; i < width; i++) delta[i]! += factor * a[r * width + i]!;
    }
    for (let i = 0; i < width; i++) weight[row * width + i]! += delta[i]!;
  }
}

function dtypeOf({ files }: ModelFolder): WeightDtype {
  const embedding = "model.embed_tokens.weight";
  const dtype = files.get(embedding)!.tensors.get(embedding)!.dtype;
  return dtype === "F16" || dtype === "BF16" ? dtype : "F32";
}
