/** @file For every op at least one small case of awkward sizes: the inputs' types, ranges of their values, and attributes. Total over ops. */

import { Rng } from "../../src/base/rng.ts";
import { Graph } from "../../src/engine/graph/graph.ts";
import type { OpAttributes, OpName } from "../../src/engine/graph/ops.ts";
import type { Bindings, Dim, Value } from "../../src/engine/graph/values.ts";
import type { Tensor } from "../../src/engine/runtime/interpreter.ts";

interface CaseInput {
  shape: Dim[];
  /** Differentiable input: uniform in [low, high]. Index input: integers below `below`. */
  range: { low: number; high: number } | { below: number };
}

export interface OpCase<K extends OpName = OpName> {
  op: K;
  inputs: CaseInput[];
  attributes: OpAttributes[K];
}

/** Sizes of the symbolic dimensions that the cases use. */
export const CASE_BINDINGS: Bindings = { N: 7, M: 3, L: 10 };

const plain = (...shape: Dim[]): CaseInput => ({ shape, range: { low: -2, high: 2 } });
const positive = (...shape: Dim[]): CaseInput => ({ shape, range: { low: 0.5, high: 2 } });
const index = (below: number, ...shape: Dim[]): CaseInput => ({ shape, range: { below } });

type Cases = { [K in OpName]: Omit<OpCase<K>, "op">[] };

const broadcastPairs = [
  [plain("N", 5), plain("N", 5)],
  [plain("N", 5), plain(5)],
  [plain("N", 1), plain("N", 5)],
  [plain(), plain(2, "N", 3)],
];
const unary = [{ inputs: [plain("N", 5)], attributes: {} }];

const CASES: Cases = {
  add: broadcastPairs.map((inputs) => ({ inputs, attributes: {} })),
  sub: broadcastPairs.map((inputs) => ({ inputs, attributes: {} })),
  mul: broadcastPairs.map((inputs) => ({ inputs, attributes: {} })),
  div: broadcastPairs.map(([a, b]) => ({ inputs: [a!, positive(...b!.shape)], attributes: {} })),
  neg: unary,
  exp: unary,
  log: [{ inputs: [positive("N", 5)], attributes: {} }],
  sqrt: [{ inputs: [positive("N", 5)], attributes: {} }],
  sigmoid: unary,
  silu: unary,
  tanh: unary,
  geluTanh: unary,
  softmax: unary,
  logSoftmax: unary,
  matmul: [
    { inputs: [plain("N", 5), plain(5, 3)], attributes: { transA: false, transB: false, alpha: 1 } },
    { inputs: [plain("N", 5), plain(3, 5)], attributes: { transA: false, transB: true, alpha: 0.5 } },
    { inputs: [plain(5, "N"), plain(5, 3)], attributes: { transA: true, transB: false, alpha: 2 } },
    { inputs: [plain(5, "N"), plain(3, 5)], attributes: { transA: true, transB: true, alpha: 1 } },
    {
      inputs: [plain("M", 2, 3, "N", 5), plain("M", 2, 1, "L", 5)],
      attributes: { transA: false, transB: true, alpha: 0.5 },
    },
    {
      inputs: [plain("M", 2, 3, "N", "L"), plain("M", 2, 1, "L", 5)],
      attributes: { transA: false, transB: false, alpha: 1 },
    },
  ],
  reduceSum: [
    { inputs: [plain("N", 5, 2)], attributes: { axes: [1], keepDims: true } },
    { inputs: [plain("N", 5, 2)], attributes: { axes: [0, 2], keepDims: false } },
  ],
  reshape: [
    { inputs: [plain("N", 6)], attributes: { shape: ["N", 2, 3] } },
    { inputs: [plain("N", "M", 2)], attributes: { shape: ["M", 2, "N"] } },
  ],
  transpose: [{ inputs: [plain("N", 5, 2)], attributes: { perm: [2, 0, 1] } }],
  expand: [{ inputs: [plain("N", 1)], attributes: { shape: [2, "N", 3] } }],
  concat: [{ inputs: [plain(2, "N", 3), plain(2, "M", 3)], attributes: { axis: 1, size: "L" } }],
  split: [{ inputs: [plain(2, "L", 3)], attributes: { axis: 1, sizes: ["N", "M"] } }],
  gather: [{ inputs: [plain("N", 5, 2), index(7, "L")], attributes: {} }],
  scatterAdd: [{ inputs: [plain("L", 5), index(7, "L")], attributes: { rows: "N" } }],
  pick: [{ inputs: [plain("N", 5), index(5, "N")], attributes: {} }],
  scatterPick: [{ inputs: [plain("N"), index(5, "N")], attributes: { columns: 5 } }],
  rmsNorm: [{ inputs: [plain("N", 5), positive(5)], attributes: { epsilon: 1e-2 } }],
  dropout: [{ inputs: [plain("N", 5), index(2 ** 31, "N")], attributes: { rate: 0.3, module: "q_proj" } }],
  rotary: [
    {
      inputs: [plain("N", 12), plain(11, 2), plain(11, 2), index(11, "N")],
      attributes: { numHeads: 3, inverse: false },
    },
    {
      inputs: [plain("N", 12), plain(11, 2), plain(11, 2), index(11, "N")],
      attributes: { numHeads: 3, inverse: true },
    },
    {
      inputs: [plain("N", 21), plain(11, 2), plain(11, 2), index(11, "N")],
      attributes: { numHeads: 3, inverse: false },
    },
  ],
};

/** Every case with a name for its test. */
export function allOpCases(): { title: string; opCase: OpCase }[] {
  return (Object.keys(CASES) as OpName[]).flatMap((op) =>
    CASES[op].map((body, i) => ({ title: `${op} ${i}`, opCase: { op, ...body } as OpCase })),
  );
}

/** A graph with the case's one node; its outputs are `y0`, `y1`, … */
export function caseGraph({ op, inputs, attributes }: OpCase): {
  graph: Graph;
  values: Value[];
  feeds: Record<string, Tensor>;
} {
  const graph = new Graph();
  const rng = new Rng(op);
  const feeds: Record<string, Tensor> = {};
  const values = inputs.map(({ shape, range }, i) => {
    const value = graph.input(`x${i}`, "below" in range ? "int64" : "float32", shape);
    feeds[value.name] = randomTensor(shape, range, rng);
    return value;
  });
  graph.addMany(op, values, attributes).forEach((y, i) => graph.output(`y${i}`, y));
  return { graph, values, feeds };
}

export function randomTensor(shape: Dim[], range: CaseInput["range"], rng: Rng): Tensor {
  const sizes = shape.map((dim) => (typeof dim === "number" ? dim : CASE_BINDINGS[dim]!));
  const draw = () =>
    "below" in range ? rng.int(range.below) : Math.fround(range.low + (range.high - range.low) * rng.float());
  return { shape: sizes, data: Float64Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, draw) };
}
