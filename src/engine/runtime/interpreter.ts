/** @file The reference: every op in plain float64 loops. Slow on purpose; ruler for the rules and for ONNX Runtime. */

import { dropoutThreshold, featureKeys, isKept } from "../../base/dropout-mask.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { broadcastShapes, type OpName } from "../graph/ops.ts";
import { type Bindings, boundDim, type Shape } from "../graph/values.ts";

/** A dense tensor in row-major order. Indices are held as numbers too. */
export interface Tensor {
  shape: readonly number[];
  data: Float64Array;
}

type Kernel<K extends OpName> = (
  inputs: readonly Tensor[],
  node: Node<K>,
  resolve: (shape: Shape) => number[],
) => Tensor[];

type PlainKernel = (inputs: readonly Tensor[]) => Tensor[];

/**
 * Runs a graph in float64.
 *
 * @param feeds     a tensor for every graph input
 * @param bindings  sizes of the symbolic dimensions
 * @param wanted    names of graph outputs; default all
 */
export function interpret(
  graph: Graph,
  feeds: Record<string, Tensor>,
  bindings: Bindings = {},
): Record<string, Tensor> {
  const values = new Map<string, Tensor>(Object.entries(feeds));
  for (const { value, data } of graph.constants.values()) {
    if (!ArrayBuffer.isView(data)) throw new Error(`interpreter: constant ${value.name} lies in a file`);
    values.set(value.name, {
      shape: value.shape as number[],
      data: Float64Array.from(data as ArrayLike<number>, Number),
    });
  }
  const resolve = (shape: Shape) => shape.map((dim) => boundDim(dim, bindings));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => {
      const tensor = values.get(input.name);
      if (tensor === undefined) throw new Error(`interpreter: ${input.name} was not fed`);
      return tensor;
    });
    const outputs = (KERNELS[node.op] as Kernel<OpName>)(inputs, node, resolve);
    node.outputs.forEach((output, i) => {
      const expected = resolve(output.shape);
      const actual = outputs[i]!;
      if (expected.join() !== actual.shape.join()) {
        throw new Error(`interpreter: ${output.name} is [${actual.shape}], the graph says [${expected}]`);
      }
      values.set(output.name, actual);
    });
  }
  return Object.fromEntries([...graph.outputs].map(([name, value]) => [name, values.get(value.name)!]));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function tensor(shape: readonly number[], fill?: (i: number) => number): Tensor {
  const data = new Float64Array(sizeOf(shape));
  if (fill) for (let i = 0; i < data.length; i++) data[i] = fill(i);
  return { shape, data };
}

function strides(shape: readonly number[]): number[] {
  const out: number[] = [];
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = stride;
    stride *= shape[i]!;
  }
  return out;
}

/** Offsets into a tensor of `from` for each element of `to` it is broadcast to. */
function broadcastOffsets(from: readonly number[], to: readonly number[]): (i: number) => number {
  const lead = to.length - from.length;
  const toStrides = strides(to);
  const fromStrides = strides(from);
  return (i) => {
    let offset = 0;
    for (let axis = lead; axis < to.length; axis++) {
      const index = Math.floor(i / toStrides[axis]!) % to[axis]!;
      if (from[axis - lead] !== 1) offset += index * fromStrides[axis - lead]!;
    }
    return offset;
  };
}

const unary =
  (f: (x: number) => number): PlainKernel =>
  ([x]) => [tensor(x!.shape, (i) => f(x!.data[i]!))];

const binary =
  (f: (a: number, b: number) => number): PlainKernel =>
  ([a, b]) => {
    const shape = broadcastShapes(a!.shape, b!.shape) as number[];
    const atA = broadcastOffsets(a!.shape, shape);
    const atB = broadcastOffsets(b!.shape, shape);
    return [tensor(shape, (i) => f(a!.data[atA(i)]!, b!.data[atB(i)]!))];
  };

/** Applies `f` to each row of the last axis. */
function byRow(x: Tensor, f: (row: Float64Array, out: Float64Array, index: number) => void): Tensor {
  const width = x.shape.at(-1)!;
  const out = tensor(x.shape);
  for (let r = 0; r * width < x.data.length; r++) {
    f(x.data.subarray(r * width, (r + 1) * width), out.data.subarray(r * width, (r + 1) * width), r);
  }
  return out;
}

function logSumExp(row: Float64Array): number {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0));
}

function reduceSum(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  const kept = x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
  const out = tensor(keepDims ? kept : x.shape.filter((_, i) => !axes.includes(i)));
  const at = broadcastOffsets(kept, x.shape);
  for (let i = 0; i < x.data.length; i++) out.data[at(i)]! += x.data[i]!;
  return out;
}

const KERNELS: { [K in OpName]: Kernel<K> } = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  silu: unary((x) => x / (1 + Math.exp(-x))),
  tanh: unary(Math.tanh),
  geluTanh: unary((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  matmul: ([a, b], { attributes: { transA, transB, alpha } }) => {
    const [ra, ca] = a!.shape.slice(-2) as [number, number];
    const [rb, cb] = b!.shape.slice(-2) as [number, number];
    const [m, k] = transA ? [ca, ra] : [ra, ca];
    const n = transB ? rb : cb;
    const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2)) as number[];
    const out = tensor([...batch, m, n]);
    const atA = broadcastOffsets(a!.shape.slice(0, -2), batch);
    const atB = broadcastOffsets(b!.shape.slice(0, -2), batch);
    for (let p = 0; p < sizeOf(batch); p++) {
      const A = atA(p) * ra * ca;
      const B = atB(p) * rb * cb;
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++) {
            sum += a!.data[A + (transA ? l * ca + i : i * ca + l)]! * b!.data[B + (transB ? j * cb + l : l * cb + j)]!;
          }
          out.data[(p * m + i) * n + j] = alpha * sum;
        }
      }
    }
    return [out];
  },
  reduceSum: ([x], { attributes }) => [reduceSum(x!, attributes.axes, attributes.keepDims)],
  reshape: ([x], { attributes }, resolve) => {
    const shape = resolve(attributes.shape);
    if (sizeOf(shape) !== x!.data.length) throw new Error(`interpreter: reshape of [${x!.shape}] to [${shape}]`);
    return [{ shape, data: x!.data }];
  },
  transpose: ([x], { attributes: { perm } }) => {
    const shape = perm.map((axis) => x!.shape[axis]!);
    const from = strides(x!.shape);
    const to = strides(shape);
    return [
      tensor(
        shape,
        (i) => x!.data[perm.reduce((at, axis, j) => at + (Math.floor(i / to[j]!) % shape[j]!) * from[axis]!, 0)]!,
      ),
    ];
  },
  expand: ([x], { attributes }, resolve) => {
    const shape = resolve(attributes.shape);
    const at = broadcastOffsets(x!.shape, shape);
    return [tensor(shape, (i) => x!.data[at(i)]!)];
  },
  concat: (inputs, { attributes: { axis } }) => {
    const total = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    const shape = inputs[0]!.shape.map((dim, i) => (i === axis ? total : dim));
    const inner = sizeOf(shape.slice(axis + 1));
    const out = tensor(shape);
    let start = 0;
    for (const x of inputs) {
      const run = x.shape[axis]! * inner;
      for (let o = 0; o * run < x.data.length; o++) {
        out.data.set(x.data.subarray(o * run, (o + 1) * run), o * total * inner + start);
      }
      start += run;
    }
    return [out];
  },
  split: ([x], { attributes: { axis, sizes } }, resolve) => {
    const inner = sizeOf(x!.shape.slice(axis + 1));
    const width = x!.shape[axis]! * inner;
    let start = 0;
    return resolve(sizes).map((size) => {
      const out = tensor(x!.shape.map((dim, i) => (i === axis ? size : dim)));
      const run = size * inner;
      for (let o = 0; o * width < x!.data.length; o++) {
        out.data.set(x!.data.subarray(o * width + start, o * width + start + run), o * run);
      }
      start += run;
      return out;
    });
  },
  gather: ([x, indices]) => {
    const width = sizeOf(x!.shape.slice(1));
    const out = tensor([indices!.data.length, ...x!.shape.slice(1)]);
    indices!.data.forEach((row, i) => {
      out.data.set(x!.data.subarray(row * width, (row + 1) * width), i * width);
    });
    return [out];
  },
  scatterAdd: ([updates, indices], { attributes: { rows } }, resolve) => {
    const width = sizeOf(updates!.shape.slice(1));
    const out = tensor([...resolve([rows]), ...updates!.shape.slice(1)]);
    indices!.data.forEach((row, i) => {
      for (let j = 0; j < width; j++) out.data[row * width + j]! += updates!.data[i * width + j]!;
    });
    return [out];
  },
  softmax: ([x]) => [
    byRow(x!, (row, out) => {
      const total = logSumExp(row);
      row.forEach((value, i) => {
        out[i] = Math.exp(value - total);
      });
    }),
  ],
  logSoftmax: ([x]) => [
    byRow(x!, (row, out) => {
      const total = logSumExp(row);
      row.forEach((value, i) => {
        out[i] = value - total;
      });
    }),
  ],
  pick: ([x, indices]) => [tensor(indices!.shape, (i) => x!.data[i * x!.shape[1]! + indices!.data[i]!]!)],
  scatterPick: ([x, indices], { attributes: { columns } }, resolve) => {
    const [width] = resolve([columns]) as [number];
    const out = tensor([x!.data.length, width]);
    indices!.data.forEach((column, i) => {
      out.data[i * width + column] = x!.data[i]!;
    });
    return [out];
  },
  rmsNorm: ([x, weight], { attributes: { epsilon } }) => [
    byRow(x!, (row, out) => {
      const rms = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / row.length + epsilon);
      row.forEach((value, i) => {
        out[i] = (value / rms) * weight!.data[i]!;
      });
    }),
  ],
  dropout: ([x, keys], { attributes: { rate, module } }) => {
    const features = featureKeys(module, x!.shape[1]!);
    const threshold = dropoutThreshold(rate);
    const kept = (row: number, column: number) => isKept(keys!.data[row]!, features[column]!, threshold);
    return [byRow(x!, (row, out, n) => out.set(row.map((value, i) => (kept(n, i) ? value / (1 - rate) : 0))))];
  },
  rotary: ([x, cos, sin, positions], { attributes: { numHeads, inverse } }) => {
    const half = cos!.shape[1]!;
    const headDim = x!.shape[1]! / numHeads;
    const sign = inverse ? -1 : 1;
    return [
      byRow(x!, (row, out, n) => {
        out.set(row);
        for (let h = 0; h < numHeads; h++) {
          for (let i = 0; i < half; i++) {
            const c = cos!.data[positions!.data[n]! * half + i]!;
            const s = sign * sin!.data[positions!.data[n]! * half + i]!;
            const at = h * headDim + i;
            out[at] = row[at]! * c - row[at + half]! * s;
            out[at + half] = row[at + half]! * c + row[at]! * s;
          }
        }
      }),
    ];
  },
};
