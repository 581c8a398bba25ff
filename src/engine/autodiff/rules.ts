/**
 * @file One vjp rule for every op: from the cotangent of its outputs to those of its inputs, as graph nodes.
 * Notation: y = op(a, b), dY the cotangent of y. A rule is only asked for inputs that need one (`needs`).
 */

import type { Graph, Node } from "../graph/graph.ts";
import type { OpName } from "../graph/ops.ts";
import { type Shape, sameShape, type Value } from "../graph/values.ts";

/** What a rule sees. `dOutputs[i]` is absent where output i has no part in the result. */
export interface VjpContext<K extends OpName> {
  graph: Graph;
  node: Node<K>;
  inputs: readonly Value[];
  y: Value;
  dY: Value;
  dOutputs: readonly (Value | undefined)[];
  needs: readonly boolean[];
}

/** Cotangents of the inputs in order; `undefined` where there is none or none was asked for. */
export type VjpRule<K extends OpName> = (context: VjpContext<K>) => (Value | undefined)[];

/** The adjoint of broadcasting: sums a cotangent back to the shape that was broadcast. */
function unbroadcast(graph: Graph, value: Value, shape: Shape): Value {
  if (sameShape(value.shape, shape)) return value;
  const lead = value.shape.length - shape.length;
  const leading = Array.from({ length: lead }, (_, i) => i);
  const summed = lead > 0 ? graph.add("reduceSum", [value], { axes: leading, keepDims: false }) : value;
  const stretched = shape.flatMap((dim, i) => (dim === 1 && summed.shape[i] !== 1 ? [i] : []));
  return stretched.length > 0 ? graph.add("reduceSum", [summed], { axes: stretched, keepDims: true }) : summed;
}

export const VJP_RULES: { [K in OpName]: VjpRule<K> } = {
  add: ({ graph, inputs, dY, needs }) => inputs.map((x, i) => (needs[i] ? unbroadcast(graph, dY, x.shape) : undefined)),
  sub: ({ graph, inputs: [a, b], dY, needs }) => [
    needs[0] ? unbroadcast(graph, dY, a!.shape) : undefined,
    needs[1] ? unbroadcast(graph, graph.add("neg", [dY], {}), b!.shape) : undefined,
  ],
  mul: ({ graph, inputs: [a, b], dY, needs }) => [
    needs[0] ? unbroadcast(graph, graph.add("mul", [dY, b!], {}), a!.shape) : undefined,
    needs[1] ? unbroadcast(graph, graph.add("mul", [dY, a!], {}), b!.shape) : undefined,
  ],
  // d(a/b)/db = -y/b
  div: ({ graph, inputs: [a, b], y, dY, needs }) => {
    const dYOverB = graph.add("div", [dY, b!], {});
    return [
      needs[0] ? unbroadcast(graph, dYOverB, a!.shape) : undefined,
      needs[1] ? unbroadcast(graph, graph.add("neg", [graph.add("mul", [dYOverB, y], {})], {}), b!.shape) : undefined,
    ];
  },
  neg: ({ graph, dY }) => [graph.add("neg", [dY], {})],
  exp: ({ graph, y, dY }) => [graph.add("mul", [dY, y], {})],
  log: ({ graph, inputs: [x], dY }) => [graph.add("div", [dY, x!], {})],
  sqrt: ({ graph, y, dY }) => [graph.add("div", [graph.add("mul", [dY, graph.scalar(0.5)], {}), y], {})],
  // y' = y (1 - y)
  sigmoid: ({ graph, y, dY }) => {
    const slope = graph.add("sub", [y, graph.add("mul", [y, y], {})], {});
    return [graph.add("mul", [dY, slope], {})];
  },
  // y = x s(x); y' = s + y (1 - s)
  silu: ({ graph, inputs: [x], y, dY }) => {
    const s = graph.add("sigmoid", [x!], {});
    const slope = graph.add("sub", [graph.add("add", [s, y], {}), graph.add("mul", [y, s], {})], {});
    return [graph.add("mul", [dY, slope], {})];
  },
  // y' = 1 - y^2
  tanh: ({ graph, y, dY }) => {
    const slope = graph.add("sub", [graph.scalar(1), graph.add("mul", [y, y], {})], {});
    return [graph.add("mul", [dY, slope], {})];
  },
  // y = x s with s = sigmoid(2u), as (1 + tanh(u)) / 2 = sigmoid(2u); y' = s + x s (1 - s) 2u' = s + y (1 - s) 2u', 2u' = a (1 + 3c x^2)
  geluTanh: ({ graph, inputs: [x], y, dY }) => {
    const [a, c] = [2 * Math.sqrt(2 / Math.PI), 0.044715];
    const square = graph.add("mul", [x!, x!], {});
    const line = (slope: number) =>
      graph.add("add", [graph.add("mul", [square, graph.scalar(slope)], {}), graph.scalar(a)], {});
    const s = graph.add("sigmoid", [graph.add("mul", [x!, line(a * c)], {})], {});
    const rest = graph.add("sub", [y, graph.add("mul", [y, s], {})], {});
    const slope = graph.add("add", [s, graph.add("mul", [rest, line(3 * a * c)], {})], {});
    return [graph.add("mul", [dY, slope], {})];
  },
  // y = alpha A B, with A = a or a^T, B = b or b^T; dA = alpha dY B^T, dB = alpha A^T dY
  matmul: ({ graph, node, inputs: [a, b], dY, needs }) => {
    const { transA, transB, alpha } = node.attributes;
    const product = (left: Value, right: Value, tA: boolean, tB: boolean) =>
      graph.add("matmul", [left, right], { transA: tA, transB: tB, alpha });
    const dA = () => (transA ? product(b!, dY, transB, true) : product(dY, b!, false, !transB));
    const dB = () => (transB ? product(dY, a!, true, transA) : product(a!, dY, !transA, false));
    return [
      needs[0] ? unbroadcast(graph, dA(), a!.shape) : undefined,
      needs[1] ? unbroadcast(graph, dB(), b!.shape) : undefined,
    ];
  },
  reduceSum: ({ graph, node, inputs: [x], dY }) => {
    const kept = x!.shape.map((dim, i) => (node.attributes.axes.includes(i) ? 1 : dim));
    const column = node.attributes.keepDims ? dY : graph.add("reshape", [dY], { shape: kept });
    return [graph.add("expand", [column], { shape: x!.shape })];
  },
  reshape: ({ graph, inputs: [x], dY }) => [graph.add("reshape", [dY], { shape: x!.shape })],
  transpose: ({ graph, node, dY }) => {
    const inverse: number[] = [];
    node.attributes.perm.forEach((axis, i) => {
      inverse[axis] = i;
    });
    return [graph.add("transpose", [dY], { perm: inverse })];
  },
  expand: ({ graph, inputs: [x], dY }) => [unbroadcast(graph, dY, x!.shape)],
  concat: ({ graph, node, inputs, dY }) => {
    const { axis } = node.attributes;
    return graph.addMany("split", [dY], { axis, sizes: inputs.map((x) => x.shape[axis]!) });
  },
  split: ({ graph, node, inputs: [x], dOutputs }) => {
    const { axis } = node.attributes;
    const parts = node.outputs.map(
      (part, i) => dOutputs[i] ?? graph.add("expand", [graph.scalar(0)], { shape: part.shape }),
    );
    return [graph.add("concat", parts, { axis, size: x!.shape[axis]! })];
  },
  gather: ({ graph, inputs: [x, indices], dY }) => [
    graph.add("scatterAdd", [dY, indices!], { rows: x!.shape[0]! }),
    undefined,
  ],
  scatterAdd: ({ graph, inputs: [, indices], dY }) => [graph.add("gather", [dY, indices!], {}), undefined],
  // dX = y (dY - sum(dY y))
  softmax: ({ graph, y, dY }) => {
    const inner = lastAxisSum(graph, graph.add("mul", [dY, y], {}));
    return [graph.add("mul", [y, graph.add("sub", [dY, inner], {})], {})];
  },
  // dX = dY - exp(y) sum(dY)
  logSoftmax: ({ graph, y, dY }) => {
    const spread = graph.add("mul", [graph.add("exp", [y], {}), lastAxisSum(graph, dY)], {});
    return [graph.add("sub", [dY, spread], {})];
  },
  pick: ({ graph, inputs: [x, indices], dY }) => [
    graph.add("scatterPick", [dY, indices!], { columns: x!.shape[1]! }),
    undefined,
  ],
  scatterPick: ({ graph, inputs: [, indices], dY }) => [graph.add("pick", [dY, indices!], {}), undefined],
  // n = x r, r = 1 / sqrt(mean(x^2) + eps), y = n w;  dN = dY w;  dX = r (dN - n mean(dN n));  dW = sum(dY n)
  rmsNorm: ({ graph, node, inputs: [x, weight], dY, needs }) => {
    const width = graph.scalar(x!.shape.at(-1) as number);
    const mean = (value: Value) => graph.add("div", [lastAxisSum(graph, value), width], {});
    const square = mean(graph.add("mul", [x!, x!], {}));
    const rms = graph.add("sqrt", [graph.add("add", [square, graph.scalar(node.attributes.epsilon)], {})], {});
    const n = graph.add("div", [x!, rms], {});
    const dX = () => {
      const dN = graph.add("mul", [dY, weight!], {});
      const along = graph.add("mul", [n, mean(graph.add("mul", [dN, n], {}))], {});
      return graph.add("div", [graph.add("sub", [dN, along], {}), rms], {});
    };
    return [
      needs[0] ? dX() : undefined,
      needs[1] ? unbroadcast(graph, graph.add("mul", [dY, n], {}), weight!.shape) : undefined,
    ];
  },
  // the same numbers are left out
  dropout: ({ graph, node, inputs: [, keys], dY }) => [graph.add("dropout", [dY, keys!], node.attributes), undefined],
  // a rotation's adjoint is the rotation back
  rotary: ({ graph, node, inputs: [, cos, sin, positions], dY }) => {
    const { numHeads, inverse } = node.attributes;
    return [
      graph.add("rotary", [dY, cos!, sin!, positions!], { numHeads, inverse: !inverse }),
      undefined,
      undefined,
      undefined,
    ];
  },
};

function lastAxisSum(graph: Graph, value: Value): Value {
  return graph.add("reduceSum", [value], { axes: [value.shape.length - 1], keepDims: true });
}
