/**
 * @file Low-rank adapters (arXiv 2106.09685) in PEFT's layout: y = x W^T + s x A^T B^T with s = alpha / r, one pair A [r, in], B [out, r] a module.
 * With DoRA (arXiv 2402.09353) also a magnitude m [out]: y = (m / n) * (x W^T + s x A^T B^T), n the lengths of the rows of W + s B A.
 * Models do not know that they are adapted: this supplies the products they are built with.
 */

import { CheckpointError, SpecError } from "../base/errors.ts";
import type { Rng } from "../base/rng.ts";
import { Graph } from "../engine/graph/graph.ts";
import type { Value } from "../engine/graph/values.ts";
import { verifyGraph } from "../engine/graph/verify.ts";
import { didYouMean } from "../specs/nearest.ts";
import type { TrainSpec } from "../specs/types.ts";
import { allLinears, type DecoderConfig, type LinearSpec, type TensorSpec } from "./config.ts";
import { product, type TensorSource } from "./layers/linear.ts";
import { type Parameter, type ParameterLayout, parameterViews } from "./parameters.ts";
import { type ModelFolder, rowSquares, squaresName } from "./weights.ts";

/** The part of a TrainSpec that shapes an adapter. */
export interface LoraConfig {
  lora_rank: number;
  lora_alpha: number;
  lora_target: "all" | readonly string[];
  use_dora?: boolean;
  lora_dropout?: number;
}

export function loraOf({ lora_rank, lora_alpha, lora_target, use_dora, lora_dropout }: TrainSpec): LoraConfig {
  return {
    ...{ lora_rank, lora_alpha, lora_target },
    ...(use_dora === true && { use_dora }),
    ...(lora_dropout !== undefined && { lora_dropout }),
  };
}

/** Where PEFT keeps an adapter. */
export const ADAPTER_FILE = "adapter_model.safetensors";

const PREFIX = "base_model.model.";

/** Name of a module's A or B as PEFT saves it. */
export function loraName(module: string, side: "A" | "B"): string {
  return `${PREFIX}${module}.lora_${side}.weight`;
}

/** Name of a module's magnitudes as PEFT saves them. */
export function magnitudeName(module: string): string {
  return `${PREFIX}${module}.lora_magnitude_vector`;
}

/** A module's last name (q_proj), by which PEFT's target_modules name it. */
function lastName(module: string): string {
  return module.slice(module.lastIndexOf(".") + 1);
}

/** Whether a layer is adapted. */
function isTarget(module: string, target: LoraConfig["lora_target"]): boolean {
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
  {
    lora_rank,
    lora_alpha,
    use_dora = false,
    lora_dropout = 0,
  }: Pick<LoraConfig, "lora_rank" | "lora_alpha" | "use_dora" | "lora_dropout">,
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
    lora_dropout,
    target_modules: adaptedModules(tensors),
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_rslora: false,
    use_dora,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/**
 * The adapter's tensors for a model, A before B before magnitudes, in the order of the forward pass.
 * @throws {SpecError} a target that the model does not have
 */
export function loraTensors(config: DecoderConfig, { lora_rank, lora_target, use_dora }: LoraConfig): TensorSpec[] {
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
      ...(use_dora === true ? [{ name: magnitudeName(module), shape: [outFeatures] }] : []),
    ]);
}

/** What adapters read of x [N, in] in training: some numbers left out, others for each module. Without dropout x itself. */
export type AdapterInput = (graph: Graph, x: Value, module: string) => Value;

/** Names of the inputs with the keys of tokens: of all of a pack, and of its loss rows, which the last block reads alone. */
export const DROPOUT_KEYS = { N: "dropout_keys", R: "dropout_row_keys" } as const;

/** Dropout of a rate, its keys fed as {@link DROPOUT_KEYS}. */
export function adapterDropout(rate: number): AdapterInput {
  const inputs = new Map<string, Value>();
  return (graph, x, module) => {
    const rows = x.shape[0] as keyof typeof DROPOUT_KEYS;
    const keys = inputs.get(rows) ?? graph.input(DROPOUT_KEYS[rows], "int64", [rows]);
    inputs.set(rows, keys);
    return graph.add("dropout", [x, keys], { rate, module });
  };
}

/**
 * A source whose linear layers carry adapters; what trains is graph inputs, everything else comes from `base`.
 * @param magnitudes  what the inputs of magnitudes are fed: themselves, or the {@link rowFactorGraph} of them
 * @param dropout     of training; absent: none
 */
export function withLora(
  base: TensorSource,
  config: LoraConfig,
  magnitudes: "plain" | "factors" = "plain",
  dropout?: AdapterInput,
): TensorSource {
  const { lora_rank, lora_alpha, lora_target, use_dora } = config;
  const scale = lora_alpha / lora_rank;
  return {
    tensor: base.tensor,
    linear: (graph, x, layers) => {
      const adapted = layers.filter(({ module }) => isTarget(module, lora_target));
      if (adapted.length === 0) return base.linear(graph, x, layers);
      // magnitudes scale products, not biases
      const read = use_dora === true ? layers.map((layer) => ({ ...layer, hasBias: false })) : layers;
      const outputs = base.linear(graph, x, read);
      if (dropout !== undefined) {
        return outputs.map((output, i) => {
          const layer = layers[i]!;
          return isTarget(layer.module, lora_target)
            ? withDropout(graph, { base, config, x: dropout(graph, x, layer.module) }, layer, output)
            : withBias(graph, base, layer, output, read[i]!.hasBias);
        });
      }
      const pairs = loraPairs(graph, x, adapted, lora_rank, scale);
      return outputs.map((output, i) => {
        const layer = layers[i]!;
        const pair = pairs.get(layer.module);
        const sum = pair === undefined ? output : graph.add("add", [output, pair.delta], {});
        if (use_dora !== true) return sum;
        const factors = () =>
          magnitudes === "plain" ? rowFactors(graph, base, layer, pair!, scale) : magnitudeInput(graph, layer);
        const scaled = pair === undefined ? sum : graph.add("mul", [sum, factors()], {});
        return withBias(graph, base, layer, scaled, false);
      });
    },
  };
}

/** @param hasAdded  whether the bias is in y already */
function withBias(graph: Graph, base: TensorSource, layer: LinearSpec, y: Value, hasAdded: boolean): Value {
  if (!layer.hasBias || hasAdded) return y;
  const bias = base.tensor(graph, { name: `${layer.module}.bias`, shape: [layer.outFeatures] });
  return graph.add("add", [y, bias], {});
}

/**
 * A layer whose adapter reads x with dropout, z: y = x W^T + s z A^T B^T; with DoRA x W^T + (m / n - 1) z W^T + (m / n) s z A^T B^T.
 * @param output  x W^T, with the layer's bias unless there is DoRA
 * @source PEFT Linear.forward, DoraLinearVariant.forward and DoraLinearLayer.forward, in training with lora_dropout above 0
 */
function withDropout(
  graph: Graph,
  { base, config, x }: { base: TensorSource; config: LoraConfig; x: Value },
  layer: LinearSpec,
  output: Value,
): Value {
  const { module, inFeatures, outFeatures } = layer;
  const scale = config.lora_alpha / config.lora_rank;
  const pair = loraPairs(graph, x, [layer], config.lora_rank, scale).get(module)!;
  if (config.use_dora !== true) return graph.add("add", [output, pair.delta], {});
  const factors = rowFactors(graph, base, layer, pair, scale);
  const plain = product(graph, x, base.tensor(graph, { name: `${module}.weight`, shape: [outFeatures, inFeatures] }));
  const adapted = graph.add("mul", [graph.add("add", [plain, pair.delta], {}), factors], {});
  const change = graph.add("sub", [adapted, plain], {});
  return withBias(graph, base, layer, graph.add("add", [output, change], {}), false);
}

/** A [r, in] and B [out, r] of a layer. */
interface LoraPair {
  a: Value;
  b: Value;
}

/** The pairs of several layers by module, each with scaled x A^T B^T; the A's are stacked, so that x is read once. */
function loraPairs(
  graph: Graph,
  x: Value,
  layers: readonly LinearSpec[],
  rank: number,
  scale: number,
): Map<string, LoraPair & { delta: Value }> {
  const a = layers.map(({ module, inFeatures }) => graph.input(loraName(module, "A"), "float32", [rank, inFeatures]));
  const stacked = a.length === 1 ? a[0]! : graph.add("concat", a, { axis: 0, size: rank * a.length });
  const low = product(graph, x, stacked);
  const lows = a.length === 1 ? [low] : graph.addMany("split", [low], { axis: 1, sizes: a.map(() => rank) });
  return new Map(
    layers.map(({ module, outFeatures }, i) => {
      const b = graph.input(loraName(module, "B"), "float32", [outFeatures, rank]);
      return [module, { a: a[i]!, b, delta: product(graph, lows[i]!, b, scale) }];
    }),
  );
}

/**
 * m / n [out], with n the length of each row of W + s B A: n^2 = |W|^2 + B . (2 s W A^T + s^2 B A A^T), so that the sum is never made.
 * n is a constant on the way back. Of a row that the adapter all but cancels, n keeps few digits.
 * @source arXiv 2402.09353, section 4.3; PEFT DoraLinearLayer
 */
function rowFactors(graph: Graph, base: TensorSource, layer: LinearSpec, { a, b }: LoraPair, scale: number): Value {
  const { module, inFeatures, outFeatures } = layer;
  const weight = base.tensor(graph, { name: `${module}.weight`, shape: [outFeatures, inFeatures] });
  const squares = base.tensor(graph, { name: squaresName(module), shape: [outFeatures] });
  const crossed = product(graph, weight, a, 2 * scale);
  const own = graph.add("matmul", [b, product(graph, a, a)], { transA: false, transB: false, alpha: scale ** 2 });
  const products = graph.add("mul", [b, graph.add("add", [crossed, own], {})], {});
  const added = graph.add("reduceSum", [products], { axes: [1], keepDims: false });
  const lengths = graph.hold(graph.add("sqrt", [graph.add("add", [squares, added], {})], {}));
  return graph.add("div", [magnitudeInput(graph, layer), lengths], {});
}

function magnitudeInput(graph: Graph, { module, outFeatures }: LinearSpec): Value {
  return graph.input(magnitudeName(module), "float32", [outFeatures]);
}

/** What the output of {@link rowFactorGraph} is called beside the input. */
export const FACTORS = "_factors";

/** m / n of every adapted layer, as outputs, from the adapter's tensors: for passes of few tokens, beside which making them is dear. */
export function rowFactorGraph(base: TensorSource, model: DecoderConfig, config: LoraConfig): Graph {
  const { lora_rank, lora_alpha, lora_target } = config;
  const graph = new Graph();
  for (const layer of allLinears(model).filter(({ module }) => isTarget(module, lora_target))) {
    const { module, inFeatures, outFeatures } = layer;
    const pair = {
      a: graph.input(loraName(module, "A"), "float32", [lora_rank, inFeatures]),
      b: graph.input(loraName(module, "B"), "float32", [outFeatures, lora_rank]),
    };
    graph.output(`${magnitudeName(module)}${FACTORS}`, rowFactors(graph, base, layer, pair, lora_alpha / lora_rank));
  }
  verifyGraph(graph);
  return graph;
}

/**
 * First values of an adapter's matrices: A uniform in ±1/sqrt(in), B zero, so that the model starts unchanged. Magnitudes are left as they are.
 * @source PEFT LoraLayer.reset_lora_parameters: kaiming_uniform_(A, a=sqrt(5)), zeros_(B)
 */
export function initAdapter(layout: ParameterLayout, flat: Float32Array, rng: Rng): void {
  const views = parameterViews(layout, flat);
  for (const parameter of layout.parameters)
    if (parameter.shape.length > 1) initLora(parameter, views[parameter.name]!, rng);
}

function initLora(parameter: Parameter, into: Float32Array, rng: Rng): void {
  if (parameter.name.includes(".lora_B.")) return void into.fill(0);
  const stream = rng.fork(parameter.name);
  const bound = 1 / Math.sqrt(parameter.shape[1]!);
  for (let i = 0; i < into.length; i++) into[i] = bound * (2 * stream.float() - 1);
}

/**
 * First magnitudes of an adapter with DoRA, which begins at B zero: the lengths of the weights' rows, so that the model starts unchanged. Nothing of
 * other adapters.
 * @throws {CheckpointError} a row of zeros: its length has no direction
 */
export function initMagnitudes(model: ModelFolder, layout: ParameterLayout, flat: Float32Array): void {
  const views = parameterViews(layout, flat);
  for (const { module, outFeatures } of allLinears(model.config)) {
    const into = views[magnitudeName(module)];
    if (into === undefined) continue;
    const name = `${module}.weight`;
    rowSquares(model.files.get(name)!.readFloat32(name), outFeatures).forEach((square, row) => {
      if (square === 0) throw noLength(`${model.folder}: tensor ${name}`, row);
      into[row] = Math.sqrt(square);
    });
  }
}

function noLength(place: string, row: number): CheckpointError {
  return new CheckpointError({
    place,
    expected: "rows that are not zero, with train.use_dora",
    got: `zeros in row ${row}`,
    remedy: "Leave use_dora out, or that layer out of train.lora_target.",
  });
}
