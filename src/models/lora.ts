/**
 * @file Low-rank adapters (arXiv 2106.09685) in PEFT's layout: y = x W^T + (alpha / r) x A^T B^T, one pair A [r, in], B [out, r] a module.
 * Models do not know that they are adapted: this supplies the products they are built with.
 */

import { SpecError } from "../base/errors.ts";
import type { Rng } from "../base/rng.ts";
import type { Graph } from "../engine/graph/graph.ts";
import type { Value } from "../engine/graph/values.ts";
import { didYouMean } from "../specs/nearest.ts";
import { allLinears, type DecoderConfig, type LinearSpec, type TensorSpec } from "./config.ts";
import { product, type TensorSource } from "./layers/linear.ts";
import type { Parameter } from "./parameters.ts";

/** The part of a TrainSpec that shapes an adapter. */
export interface LoraConfig {
  lora_rank: number;
  lora_alpha: number;
  lora_target: "all" | readonly string[];
}

/** Where PEFT keeps an adapter. */
export const ADAPTER_FILE = "adapter_model.safetensors";

const PREFIX = "base_model.model.";

/** Name of a module's A or B as PEFT saves it. */
export function loraName(module: string, side: "A" | "B"): string {
  return `${PREFIX}${module}.lora_${side}.weight`;
}

/** A module's last name (q_proj), by which PEFT's target_modules name it. */
function lastName(module: string): string {
  return module.slice(module.lastIndexOf(".") + 1);
}

/** Whether a layer is adapted. */
export function isTarget(module: string, target: LoraConfig["lora_target"]): boolean {
  return target === "all" || target.includes(lastName(module));
}

/** target_modules of an adapter with tensors of these names. */
export function adaptedModules(names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => /\.(\w+)\.lora_A\.weight$/.exec(name)?.[1] ?? []))];
}

/**
 * adapter_config.json of an adapter.
 * @param base      where its base model is found: a name of the hub or a folder, and of the hub perhaps a revision
 * @param tensors   names of its tensors
 * @source PEFT LoraConfig, the fields that its loader reads
 */
export function adapterConfig(
  { lora_rank, lora_alpha }: Pick<LoraConfig, "lora_rank" | "lora_alpha">,
  base: { name: string; revision?: string },
  tensors: readonly string[],
): string {
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base.name,
    ...(base.revision === undefined ? {} : { revision: base.revision }),
    r: lora_rank,
    lora_alpha,
    lora_dropout: 0,
    target_modules: adaptedModules(tensors),
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_rslora: false,
    use_dora: false,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/**
 * The adapter's tensors for a model, A before B, in the order of the forward pass.
 * @throws {SpecError} a target that the model does not have
 */
export function loraTensors(config: DecoderConfig, { lora_rank, lora_target }: LoraConfig): TensorSpec[] {
  const linears = allLinears(config);
  const known = [...new Set(linears.map(({ module }) => lastName(module)))];
  const unknown = lora_target === "all" ? undefined : lora_target.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new SpecError({
      place: "train.lora_target",
      expected: `all, or names among ${known.join(", ")}, the linear layers of model_type ${config.model_type}`,
      got: unknown,
      remedy: didYouMean(unknown, known),
    });
  }
  return linears
    .filter(({ module }) => isTarget(module, lora_target))
    .flatMap(({ module, inFeatures, outFeatures }) => [
      { name: loraName(module, "A"), shape: [lora_rank, inFeatures] },
      { name: loraName(module, "B"), shape: [outFeatures, lora_rank] },
    ]);
}

/** A source whose linear layers carry adapters; A and B are graph inputs, everything else comes from `base`. */
export function withLora(base: TensorSource, config: LoraConfig): TensorSource {
  const { lora_rank: rank, lora_alpha, lora_target } = config;
  return {
    tensor: base.tensor,
    linear: (graph, x, layers) => {
      const outputs = base.linear(graph, x, layers);
      const adapted = layers.filter(({ module }) => isTarget(module, lora_target));
      if (adapted.length === 0) return outputs;
      const deltas = loraDeltas(graph, x, adapted, rank, lora_alpha / rank);
      return outputs.map((output, i) => {
        const delta = deltas.get(layers[i]!.module);
        return delta === undefined ? output : graph.add("add", [output, delta], {});
      });
    },
  };
}

/** Scaled x A^T B^T of several layers; the A's are stacked, so that x is read once. */
function loraDeltas(
  graph: Graph,
  x: Value,
  layers: readonly LinearSpec[],
  rank: number,
  scale: number,
): Map<string, Value> {
  const a = layers.map(({ module, inFeatures }) => graph.input(loraName(module, "A"), "float32", [rank, inFeatures]));
  const stacked = a.length === 1 ? a[0]! : graph.add("concat", a, { axis: 0, size: rank * a.length });
  const low = product(graph, x, stacked);
  const lows = a.length === 1 ? [low] : graph.addMany("split", [low], { axis: 1, sizes: a.map(() => rank) });
  return new Map(
    layers.map(({ module, outFeatures }, i) => {
      const b = graph.input(loraName(module, "B"), "float32", [outFeatures, rank]);
      return [module, product(graph, lows[i]!, b, scale)];
    }),
  );
}

/**
 * First values of an adapter: A uniform in ±1/sqrt(in), B zero, so that the model starts unchanged.
 * @source PEFT LoraLayer.reset_lora_parameters: kaiming_uniform_(A, a=sqrt(5)), zeros_(B)
 */
export function initLora(parameter: Parameter, into: Float32Array, rng: Rng): void {
  if (parameter.name.includes(".lora_B.")) return void into.fill(0);
  const stream = rng.fork(parameter.name);
  const bound = 1 / Math.sqrt(parameter.shape[1]!);
  for (let i = 0; i < into.length; i++) into[i] = bound * (2 * stream.float() - 1);
}
