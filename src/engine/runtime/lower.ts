/** @file Lowers a graph to an ONNX model: one small recipe an op. Symbolic sizes become int64 inputs named `dim:<name>`. */

import { dropoutThreshold, featureKeys } from "../../base/dropout-mask.ts";
import {
  encodeOnnx,
  type OnnxAttribute,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxNode,
} from "../../formats/onnx.ts";
import type { ConstantData, Graph, Node } from "../graph/graph.ts";
import type { OpName } from "../graph/ops.ts";
import type { Dim, Shape, Value } from "../graph/values.ts";

const MICROSOFT = "com.microsoft";
const OPSETS = { "": 18, [MICROSOFT]: 1 };

/** An ONNX model and what its caller must feed beside the graph's own inputs. */
export interface LoweredModel {
  bytes: Uint8Array;
  /** Symbolic dimensions that are fed as `dim:<name>`, int64 [1]. */
  dims: readonly string[];
}

/** @throws {Error} a constant lies in a file outside `weightFolder`: ONNX Runtime maps files of one folder only */
export function lower(graph: Graph, weightFolder?: string): LoweredModel {
  const { model, dims } = lowerModel(graph, weightFolder);
  return { bytes: encodeOnnx(model), dims };
}

/** {@link lower} before it is bytes, for who builds on around it. */
export function lowerModel(graph: Graph, weightFolder?: string): { model: OnnxModel; dims: readonly string[] } {
  const emitter = new Emitter();
  for (const { value, data } of graph.constants.values()) emitter.initializer(value, data, weightFolder);
  for (const node of graph.nodes) (LOWERINGS[node.op] as Lowering<OpName>)(emitter, node);
  for (const [name, value] of graph.outputs) emitter.node("Identity", [value.name], [name]);
  const dims = [...emitter.dims];
  const model: OnnxModel = {
    name: "graph",
    opsets: OPSETS,
    nodes: emitter.nodes,
    initializers: emitter.initializers,
    inputs: [
      ...graph.inputs.map(({ name, dtype, shape }) => ({ name, type: dtype, shape })),
      ...dims.map((dim) => ({ name: `dim:${dim}`, type: "int64" as const, shape: [1] })),
    ],
    outputs: [...graph.outputs].map(([name, { dtype, shape }]) => ({ name, type: dtype, shape })),
    // note: ONNX Runtime cannot infer symbolic sizes through a reshape; without them it reuses no buffer and plans in quadratic time
    values: graph.nodes.flatMap(({ outputs }) =>
      outputs.map(({ name, dtype, shape }) => ({ name, type: dtype, shape })),
    ),
  };
  return { model, dims };
}

/** Collects nodes and initializers; shares what repeats. */
class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly dims = new Set<string>();
  private readonly shared = new Map<string, string>();

  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, OnnxAttribute> = {},
    domain = "",
  ): void {
    this.nodes.push({ name: `${outputs[0]}`, opType, domain, inputs, outputs, attributes });
  }

  /** A helper value computed from `name`, made once per graph. */
  once(name: string, make: (name: string) => void): string {
    if (!this.shared.has(name)) {
      make(name);
      this.shared.set(name, name);
    }
    return name;
  }

  initializer(value: Value, data: ConstantData, weightFolder?: string): void {
    const { name, dtype: type } = value;
    const shape = value.shape as number[];
    if (ArrayBuffer.isView(data)) {
      this.initializers.push({
        name,
        type,
        shape,
        data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      });
      return;
    }
    if (weightFolder === undefined || !data.file.startsWith(`${weightFolder}/`)) {
      throw new Error(`constant ${name} lies in ${data.file}, outside the folder of weights ${weightFolder}`);
    }
    const length = shape.reduce((a, b) => a * b, 1) * Float32Array.BYTES_PER_ELEMENT;
    const location = data.file.slice(weightFolder.length + 1);
    this.initializers.push({ name, type, shape, data: { location, offset: data.byteOffset, length } });
  }

  /** Name of an int64 vector with these numbers. */
  ints(values: readonly number[]): string {
    return this.once(`ints_${values.join("_")}`, (name) => {
      const data = BigInt64Array.from(values, BigInt);
      this.initializer({ name, dtype: "int64", shape: [values.length] }, data);
    });
  }

  /** Name of an int64 vector with a shape's sizes; symbolic ones are read from their inputs. */
  sizes(shape: readonly Dim[]): string {
    if (shape.every((dim) => typeof dim === "number")) return this.ints(shape);
    return this.once(`sizes_${shape.join("_")}`, (name) => {
      const parts = shape.map((dim) => {
        if (typeof dim === "number") return this.ints([dim]);
        this.dims.add(dim);
        return `dim:${dim}`;
      });
      this.node("Concat", parts, [name], { axis: 0 });
    });
  }

  zeros(shape: Shape): string {
    const zero = this.once("zero", (name) =>
      this.initializer({ name, dtype: "float32", shape: [] }, Float32Array.of(0)),
    );
    return this.once(`zeros_${shape.join("_")}`, (name) => this.node("Expand", [zero, this.sizes(shape)], [name]));
  }
}

type Lowering<K extends OpName> = (emitter: Emitter, node: Node<K>) => void;
type PlainLowering = (emitter: Emitter, node: Node) => void;

const names = (values: readonly Value[]): string[] => values.map((value) => value.name);

const direct =
  (opType: string, attributes: Record<string, OnnxAttribute> = {}, domain = ""): PlainLowering =>
  (emitter, node) =>
    emitter.node(opType, names(node.inputs), names(node.outputs), attributes, domain);

/** [r] indices as [r, 1], which the scatter and gather operators of ONNX want. */
function column(emitter: Emitter, value: Value): string {
  return emitter.once(`${value.name}_column`, (name) =>
    emitter.node("Unsqueeze", [value.name, emitter.ints([1])], [name]),
  );
}

const LOWERINGS: { [K in OpName]: Lowering<K> } = {
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  neg: direct("Neg"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  sigmoid: direct("Sigmoid"),
  silu: direct("QuickGelu", { alpha: { float: 1 } }, MICROSOFT),
  tanh: direct("Tanh"),
  geluTanh: direct("FastGelu", {}, MICROSOFT),
  softmax: direct("Softmax", { axis: -1 }),
  logSoftmax: direct("LogSoftmax", { axis: -1 }),
  matmul: (emitter, node) => {
    const { transA, transB, alpha } = node.attributes;
    if (!transA && !transB && alpha === 1) return direct("MatMul")(emitter, node);
    return direct(
      "FusedMatMul",
      { transA: +transA, transB: +transB, alpha: { float: alpha } },
      MICROSOFT,
    )(emitter, node);
  },
  reduceSum: (emitter, { inputs, outputs, attributes: { axes, keepDims } }) =>
    emitter.node("ReduceSum", [inputs[0]!.name, emitter.ints(axes)], names(outputs), { keepdims: +keepDims }),
  reshape: (emitter, { inputs, outputs, attributes: { shape } }) =>
    emitter.node("Reshape", [inputs[0]!.name, emitter.sizes(shape)], names(outputs)),
  transpose: (emitter, node) => direct("Transpose", { perm: node.attributes.perm })(emitter, node),
  expand: (emitter, { inputs, outputs, attributes: { shape } }) =>
    emitter.node("Expand", [inputs[0]!.name, emitter.sizes(shape)], names(outputs)),
  concat: (emitter, node) => direct("Concat", { axis: node.attributes.axis })(emitter, node),
  split: (emitter, { inputs, outputs, attributes: { axis, sizes } }) =>
    emitter.node("Split", [inputs[0]!.name, emitter.sizes(sizes)], names(outputs), { axis }),
  gather: direct("Gather", { axis: 0 }),
  scatterAdd: (emitter, { inputs: [updates, indices], outputs }) =>
    emitter.node(
      "ScatterND",
      [emitter.zeros(outputs[0]!.shape), column(emitter, indices!), updates!.name],
      names(outputs),
      {
        reduction: "add",
      },
    ),
  pick: (emitter, { name, inputs: [x, indices], outputs }) => {
    emitter.node("GatherElements", [x!.name, column(emitter, indices!)], [`${name}_picked`], { axis: 1 });
    emitter.node("Squeeze", [`${name}_picked`, emitter.ints([1])], names(outputs));
  },
  scatterPick: (emitter, { inputs: [x, indices], outputs }) => {
    const inputs = [emitter.zeros(outputs[0]!.shape), column(emitter, indices!), column(emitter, x!)];
    emitter.node("ScatterElements", inputs, names(outputs), { axis: 1 });
  },
  rmsNorm: (emitter, node) =>
    direct("SimplifiedLayerNormalization", { axis: -1, epsilon: { float: node.attributes.epsilon } })(emitter, node),
  dropout: (emitter, { name, inputs: [x, keys], outputs, attributes: { rate, module } }) => {
    const width = x!.shape[1] as number;
    const features = emitter.once(`features_${module}`, (made) => {
      const data = BigInt64Array.from(featureKeys(module, width), BigInt);
      emitter.initializer({ name: made, dtype: "int64", shape: [1, width] }, data);
    });
    const number = (value: number) =>
      emitter.once(`float_${value}`, (made) =>
        emitter.initializer({ name: made, dtype: "float32", shape: [] }, Float32Array.of(value)),
      );
    emitter.node("Mul", [column(emitter, keys!), features], [`${name}_products`]);
    emitter.node("BitwiseAnd", [`${name}_products`, emitter.ints([2 ** 31 - 1])], [`${name}_bits`]);
    emitter.node("GreaterOrEqual", [`${name}_bits`, emitter.ints([dropoutThreshold(rate)])], [`${name}_kept`]);
    emitter.node("Where", [`${name}_kept`, number(1 / (1 - rate)), number(0)], [`${name}_mask`]);
    emitter.node("Mul", [x!.name, `${name}_mask`], names(outputs));
  },
  rotary: (emitter, { name, inputs: [x, cos, sin, positions], outputs, attributes: { numHeads, inverse } }) => {
    // A batch of n rows of one token each: so positions may be anything and the tables need no n rows.
    const axis = emitter.ints([1]);
    const angle = inverse
      ? emitter.once(`${sin!.name}_neg`, (neg) => emitter.node("Neg", [sin!.name], [neg]))
      : sin!.name;
    emitter.node("Unsqueeze", [x!.name, axis], [`${name}_in`]);
    const inputs = [`${name}_in`, column(emitter, positions!), cos!.name, angle];
    const rotated = 2 * (cos!.shape[1] as number);
    const isPartial = (x!.shape[1] as number) > numHeads * rotated;
    const attributes = { num_heads: numHeads, ...(isPartial ? { rotary_embedding_dim: rotated } : {}) };
    emitter.node("RotaryEmbedding", inputs, [`${name}_rotated`], attributes, MICROSOFT);
    emitter.node("Squeeze", [`${name}_rotated`, axis], names(outputs));
  },
};
