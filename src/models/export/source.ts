/** @file What is exported: a model's tensors one at a time, an adapter merged into them. */

import type { WeightDtype } from "../../formats/safetensors.ts";
import { allLinears, type DecoderConfig, decoderTensors, type TensorSpec } from "../config.ts";
import { loraName, magnitudeName } from "../lora.ts";
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
      if (a === undefined || b === undefined) return weight;
      mergeAdapter(
        weight,
        widths.get(name)!,
        { a, b, magnitudes: views[magnitudeName(module)] },
        lora_alpha / lora_rank,
      );
      return weight;
    },
  };
}

/** An adapter of a layer of `in` to `out`: A [r, in], B [out, r] and, with DoRA, magnitudes [out]. */
interface LayerAdapter {
  a: Float32Array;
  b: Float32Array;
  magnitudes: Float32Array | undefined;
}

/**
 * weight [out, in] += scale * B A; with magnitudes its rows are then made that long. Each sum is made in float64 and rounded to float32 once.
 */
function mergeAdapter(weight: Float32Array, width: number, { a, b, magnitudes }: LayerAdapter, scale: number): void {
  const rank = a.length / width;
  const merged = new Float64Array(width);
  for (let row = 0; row * width < weight.length; row++) {
    const own = weight.subarray(row * width, (row + 1) * width);
    merged.set(own);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r]!;
      for (let i = 0; i < width; i++) merged[i]! += factor * a[r * width + i]!;
    }
    const factor =
      magnitudes === undefined ? 1 : magnitudes[row]! / Math.sqrt(merged.reduce((sum, value) => sum + value ** 2, 0));
    for (let i = 0; i < width; i++) own[i] = factor * merged[i]!;
  }
}

function dtypeOf({ files }: ModelFolder): WeightDtype {
  const embedding = "model.embed_tokens.weight";
  const dtype = files.get(embedding)!.tensors.get(embedding)!.dtype;
  return dtype === "F16" || dtype === "BF16" ? dtype : "F32";
}
