import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dropoutThreshold, featureKeys, isKept } from "../base/dropout-mask.ts";
import { Rng } from "../base/rng.ts";
import { numElements } from "../base/shapes.ts";
import { Graph } from "../engine/graph/graph.ts";
import type { Value } from "../engine/graph/values.ts";
import { interpret, type Tensor } from "../engine/runtime/interpreter.ts";
import type { LinearSpec, TensorSpec } from "./config.ts";
import { trainableTensors } from "./layers/linear.ts";
import { type AdapterInput, type LoraConfig, loraName, magnitudeName, withLora } from "./lora.ts";
import { squaresName } from "./weights.ts";

/** Two layers that read the same x [3, in], the second without adapter where it is no target. */
function layersOf(width: number, outs: readonly [number, number], hasBias: boolean): LinearSpec[] {
  return outs.map((out, i) => ({
    ...{ module: `layers.0.${["q_proj", "v_proj"][i]}`, inFeatures: width, outFeatures: out },
    ...{ parts: [out], hasBias },
  }));
}

/** Outputs of adapted layers, computed in float64 from tensors of chance. */
function outputsOf(layers: readonly LinearSpec[], config: LoraConfig, seed: number, dropout?: AdapterInput) {
  const graph = new Graph();
  const x = graph.input("x", "float32", [3, layers[0]!.inFeatures]);
  const base = trainableTensors();
  withLora(base, config, "plain", dropout)
    .linear(graph, x, layers)
    .forEach((y, i) => graph.output(`y${i}`, y));
  const rng = new Rng(seed);
  const drawn = ({ name, shape }: TensorSpec) =>
    [name, { shape, data: Float64Array.from({ length: numElements(shape) }, () => rng.normal()) }] as const;
  const feeds: Record<string, Tensor> = Object.fromEntries(graph.inputs.map((value) => drawn(value as TensorSpec)));
  if (feeds.keys !== undefined) feeds.keys.data.set([1234567891, 987654321, 1357924681]);
  for (const { module, outFeatures } of layers) {
    const squares = feeds[squaresName(module)];
    if (squares === undefined) continue;
    const rows = rowsOf(feeds[`${module}.weight`]!.data, outFeatures);
    squares.data.set(rows.map((row) => row.reduce((sum, value) => sum + value ** 2, 0)));
  }
  return { feeds, outputs: interpret(graph, feeds) };
}

const rowsOf = (matrix: Float64Array, count: number) =>
  Array.from({ length: count }, (_, i) => [
    ...matrix.subarray((i * matrix.length) / count, ((i + 1) * matrix.length) / count),
  ]);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The definition, with the adapted weight made: m times its rows, each of length 1, times x, plus bias. */
function plainly(feeds: Record<string, Tensor>, layer: LinearSpec, { lora_rank: r, lora_alpha, use_dora }: LoraConfig) {
  const { module, outFeatures, inFeatures } = layer;
  const weight = rowsOf(feeds[`${module}.weight`]!.data, outFeatures);
  const [a, b] = [feeds[loraName(module, "A")], feeds[loraName(module, "B")]];
  const adapted = weight.map((row, o) => {
    if (a === undefined || b === undefined) return row;
    const sum = row.map((value, i) => {
      const column = Array.from({ length: r }, (_, k) => a.data[k * inFeatures + i]!);
      return value + (lora_alpha / r) * dot([...b.data.subarray(o * r, (o + 1) * r)], column);
    });
    const factor = use_dora === true ? feeds[magnitudeName(module)]!.data[o]! / Math.hypot(...sum) : 1;
    return sum.map((value) => factor * value);
  });
  const bias = feeds[`${module}.bias`]?.data;
  return rowsOf(feeds.x!.data, 3).flatMap((x) => adapted.map((row, o) => dot(row, x) + (bias?.[o] ?? 0)));
}

/** x with the numbers left out that the definition of a mask says. */
function dropped(x: readonly number[][], keys: Float64Array, module: string, rate: number): number[][] {
  const features = featureKeys(module, x[0]!.length);
  return x.map((row, n) =>
    row.map((value, i) => (isKept(keys[n]!, features[i]!, dropoutThreshold(rate)) ? value / (1 - rate) : 0)),
  );
}

describe("layers whose adapters read with dropout", () => {
  // y = W x + s B A z, and with magnitudes W x + (m/n - 1) W z + (m/n) s B A z: PEFT's DoraLinearLayer in training.
  test.each([false, true])("are the definition, with magnitudes: %s", (use_dora) => {
    const rate = 0.4;
    const config: LoraConfig = { lora_rank: 2, lora_alpha: 3, lora_target: ["q_proj"], use_dora };
    const layers = layersOf(5, [4, 3], true);
    const keys = new Map<Graph, Value>();
    const dropout: AdapterInput = (graph, x, module) => {
      if (!keys.has(graph)) keys.set(graph, graph.input("keys", "int64", [3]));
      return graph.add("dropout", [x, keys.get(graph)!], { rate, module });
    };
    const { feeds, outputs } = outputsOf(layers, config, 7, dropout);
    const [adapted, plain] = layers as [LinearSpec, LinearSpec];
    const x = rowsOf(feeds.x!.data, 3);
    const z = dropped(x, feeds.keys!.data, adapted.module, rate);
    expect(z).not.toEqual(x);
    const without = { ...config, use_dora: false };
    const products = (rows: readonly number[][], parts: Record<string, Tensor>, of: LoraConfig) =>
      plainly({ ...feeds, ...parts, x: { shape: [3, 5], data: Float64Array.from(rows.flat()) } }, adapted, of);
    const none = { shape: [2, 5], data: new Float64Array(10) };
    const base = { [loraName(adapted.module, "A")]: none };
    const noBias = { [`${adapted.module}.bias`]: { shape: [4], data: new Float64Array(4) } };
    const ofX = products(x, base, without); // W x + b
    const ofZ = products(z, { ...base, ...noBias }, without); // W z
    const changed = products(z, noBias, config); // of the adapted weight
    const wanted = ofX.map((value, i) => value - ofZ[i]! + changed[i]!);
    outputs.y0!.data.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i]!, 10);
    });
    expect([...outputs.y1!.data]).toEqual(plainly(feeds, plain, without).map((value) => expect.closeTo(value, 10)));
  });
});

describe("layers with adapters are those of the adapted weight", () => {
  test.each([false, true])("with magnitudes: %s", (use_dora) => {
    const size = fc.integer({ min: 1, max: 6 });
    const targets = fc.constantFrom("all" as const, ["q_proj"], ["v_proj"], ["o_proj"]);
    const drawn = fc.tuple(size, fc.tuple(size, size), size, targets, fc.boolean(), fc.nat());
    fc.assert(
      fc.property(drawn, ([width, outs, lora_rank, lora_target, hasBias, seed]) => {
        const config = { lora_rank, lora_alpha: 1.5, lora_target, use_dora };
        const layers = layersOf(width, outs, hasBias);
        const { feeds, outputs } = outputsOf(layers, config, seed);
        for (const [i, layer] of layers.entries()) {
          const wanted = plainly(feeds, layer, config);
          const scale = Math.max(...wanted.map(Math.abs), 1);
          outputs[`y${i}`]!.data.forEach((value, at) => {
            expect(Math.abs(value - wanted[at]!)).toBeLessThan(1e-6 * scale);
          });
        }
      }),
      { numRuns: 60 },
    );
  });
});
