/** @file Where a model gets its tensors and products while its graph is built: frozen from a file, or trainable as graph inputs. */

import type { Graph } from "../../engine/graph/graph.ts";
import type { Value } from "../../engine/graph/values.ts";
import type { LinearSpec, TensorSpec } from "../config.ts";

/** Supplies a decoder with its tensors. Decoders do not know whether they are frozen, trainable or adapted. */
export interface TensorSource {
  tensor(graph: Graph, spec: TensorSpec): Value;
  /** Products of one x [N, in] with several layers; one [N, out] a layer. */
  linear(graph: Graph, x: Value, layers: readonly LinearSpec[]): Value[];
}

/** x [N, in] times weight [out, in] transposed: [N, out]. */
export function product(graph: Graph, x: Value, weight: Value, alpha = 1): Value {
  return graph.add("matmul", [x, weight], { transA: false, transB: true, alpha });
}

/** a times b transposed times `scale`; with a cap, cap * tanh(that / cap). */
export function cappedProduct(graph: Graph, a: Value, b: Value, scale: number, cap: number | null): Value {
  const product = graph.add("matmul", [a, b], { transA: false, transB: true, alpha: scale / (cap ?? 1) });
  return cap === null ? product : times(graph, graph.add("tanh", [product], {}), cap);
}

/** x times a number. */
export function times(graph: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : graph.add("mul", [x, graph.scalar(factor)], {});
}

/** Tensors that stay as they are, read from a file of raw float32 in the order of `decoderTensors`. */
export function frozenTensors(file: string, byteOffsets: ReadonlyMap<string, number>): TensorSource {
  const offsetOf = (name: string): number => {
    const offset = byteOffsets.get(name);
    if (offset === undefined) throw new Error(`no tensor ${name} in ${file}`);
    return offset;
  };
  const known = new Map<string, Value>();
  const constant = (graph: Graph, name: string, from: string, shape: readonly number[]): Value => {
    const value = known.get(name) ?? graph.constant(name, { file, byteOffset: offsetOf(from) }, shape);
    known.set(name, value);
    return value;
  };
  return {
    tensor: (graph, { name, shape }) => constant(graph, name, name, shape),
    // Layers that read the same input lie side by side in the file, biases after weights: one matrix, one product.
    linear: (graph, x, layers) => {
      const first = layers[0]!;
      const outs = layers.map((layer) => layer.outFeatures);
      const total = outs.reduce((a, b) => a + b, 0);
      const module = layers.length === 1 ? first.module : `${first.module}+${layers.length - 1}`;
      const joined = (kind: string, shape: readonly number[]) =>
        constant(graph, `${module}.${kind}`, `${first.module}.${kind}`, shape);
      const products = product(graph, x, joined("weight", [total, first.inFeatures]));
      const fused = first.hasBias ? graph.add("add", [products, joined("bias", [total])], {}) : products;
      return layers.length === 1 ? [fused] : graph.addMany("split", [fused], { axis: 1, sizes: outs });
    },
  };
}

/** Tensors that are graph inputs under their own names. */
export function trainableTensors(): TensorSource {
  const known = new Map<string, Value>();
  const input = (graph: Graph, { name, shape }: TensorSpec): Value => {
    const value = known.get(name) ?? graph.input(name, "float32", shape);
    known.set(name, value);
    return value;
  };
  return {
    tensor: input,
    linear: (graph, x, layers) =>
      layers.map(({ module, inFeatures, outFeatures, hasBias }) => {
        const weight = input(graph, { name: `${module}.weight`, shape: [outFeatures, inFeatures] });
        const y = product(graph, x, weight);
        if (!hasBias) return y;
        return graph.add("add", [y, input(graph, { name: `${module}.bias`, shape: [outFeatures] })], {});
      }),
  };
}
