import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Rng } from "../base/rng.ts";
import { numElements } from "../base/shapes.ts";
import { Graph } from "../engine/graph/graph.ts";
import { interpret, type Tensor } from "../engine/runtime/interpreter.ts";
import type { LinearSpec, TensorSpec } from "./config.ts";
import { trainableTensors } from "./layers/linear.ts";
import { type LoraConfig, loraName, magnitudeName, withLora } from "./lora.ts";
import { squaresName } from "./weights.ts";

/** Two layers that read the same x [3, in], the second without adapter where it is no target. */
function layersOf(width: number, outs: readonly [number, number], hasBias: boolean): LinearSpec[] {
  return outs.map((out, i) => ({
    ...{ module: `layers.0.${["q_proj", "v_proj"][i]}`, inFeatures: width, outFeatures: out },
    ...{ parts: [out], hasBias },
  }));
}

/** Outputs of adapted layers, computed in float64 from tensors of chance. */
function outputsOf(layers: readonly LinearSpec[], config: LoraConfig, seed: number) {
  const graph = new Graph();
  const x = graph.input("x", "float32", [3, layers[0]!.inFeatures]);
  const base = trainableTensors();
  withLora(base, config)
    .linear(graph, x, layers)
    .forEach((y, i) => graph.output(`y${i}`, y));
  const rng = new Rng(seed);
  const drawn = ({ name, shape }: TensorSpec) =>
    [name, { shape, data: Float64Array.from({ length: numElements(shape) }, () => rng.normal()) }] as const;
  const feeds: Record<string, Tensor> = Object.fromEntries(graph.inputs.map((value) => drawn(value as TensorSpec)));
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
