/**
 * @file The primitive operations: attributes and shape rule of each. Every table over ops is total: a new op is a compile error
 * until it has a shape rule (here), a vjp (autodiff/rules.ts), a float64 reference (runtime/interpreter.ts) and a lowering (runtime/lower.ts).
 */

import { type Dim, type Shape, ShapeRuleError, sameShape, type ValueType } from "./values.ts";

type None = Record<string, never>;

/** Attributes of each op. Axes are non-negative. */
export interface OpAttributes {
  add: None; // a + b, numpy broadcasting
  sub: None; // a - b
  mul: None; // a * b
  div: None; // a / b
  neg: None; // -x
  exp: None;
  log: None;
  sqrt: None;
  sigmoid: None; // 1 / (1 + exp(-x))
  silu: None; // x * sigmoid(x)
  tanh: None;
  geluTanh: None; // x (1 + tanh(u)) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3): torch's gelu(approximate="tanh")
  matmul: { transA: boolean; transB: boolean; alpha: number }; // alpha * op(a) @ op(b), batch axes broadcast
  reduceSum: { axes: readonly number[]; keepDims: boolean };
  reshape: { shape: Shape };
  transpose: { perm: readonly number[] };
  expand: { shape: Shape }; // numpy broadcast_to
  concat: { axis: number; size: Dim }; // size: of the joined axis
  split: { axis: number; sizes: readonly Dim[] }; // the adjoint of concat; one output a size
  gather: None; // rows of x [n, ...] at indices [r] -> [r, ...]
  scatterAdd: { rows: Dim }; // updates [r, ...] added to zeros [rows, ...] at indices [r]
  softmax: None; // over the last axis
  logSoftmax: None; // over the last axis
  pick: None; // x [r, c], indices [r] -> [r]: x[i, indices[i]]
  scatterPick: { columns: Dim }; // x [r], indices [r] -> zeros [r, columns] with x[i] at indices[i]
  rmsNorm: { epsilon: number }; // x / sqrt(mean(x^2) + epsilon) * weight over the last axis
  dropout: { rate: number; module: string }; // x [n, f], token keys [n] -> x / (1 - rate) where base/dropout-mask.ts keeps it, else 0
  rotary: { numHeads: number; inverse: boolean }; // x [n, numHeads * E], cos and sin [positions, r / 2], positions [n]; of each head the first r numbers are rotated, halves against each other (Llama order), the rest kept; inverse: by minus the angle
}

export type OpName = keyof OpAttributes;

type ShapeRule<K extends OpName> = (inputs: readonly ValueType[], attributes: OpAttributes[K]) => ValueType[];

type PlainRule = (inputs: readonly ValueType[]) => ValueType[];

const float = (shape: Shape): ValueType[] => [{ dtype: "float32", shape }];

function demand(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new ShapeRuleError(expected);
}

function operands(inputs: readonly ValueType[], count: number): readonly ValueType[] {
  demand(inputs.length === count, `${count} inputs`);
  return inputs;
}

/** Shape of a and b broadcast together. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    demand(x === y || x === 1 || y === 1, "shapes that broadcast together");
    return x === 1 ? y : x;
  });
}

const unary: PlainRule = (inputs) => {
  const [x] = operands(inputs, 1);
  demand(x!.dtype === "float32", "a float32 input");
  return float(x!.shape);
};

const binary: PlainRule = (inputs) => {
  const [a, b] = operands(inputs, 2);
  demand(a!.dtype === "float32" && b!.dtype === "float32", "float32 inputs");
  return float(broadcastShapes(a!.shape, b!.shape));
};

/** Product of a shape as (constant, sorted symbols): equal products can be reshaped into one another. */
function product(shape: Shape): string {
  const constant = shape.filter((d) => typeof d === "number").reduce((p, d) => p * d, 1);
  return [constant, ...shape.filter((d) => typeof d === "string").sort()].join("*");
}

export const SHAPE_RULES: { [K in OpName]: ShapeRule<K> } = {
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  neg: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  sigmoid: unary,
  silu: unary,
  tanh: unary,
  geluTanh: unary,
  softmax: unary,
  logSoftmax: unary,
  matmul: (inputs, { transA, transB }) => {
    const [a, b] = operands(inputs, 2);
    demand(a!.shape.length >= 2 && b!.shape.length >= 2, "matrices");
    const [m, k] = transA ? [a!.shape.at(-1)!, a!.shape.at(-2)!] : [a!.shape.at(-2)!, a!.shape.at(-1)!];
    const [k2, n] = transB ? [b!.shape.at(-1)!, b!.shape.at(-2)!] : [b!.shape.at(-2)!, b!.shape.at(-1)!];
    demand(k === k2, `equal inner dimensions, not ${k} and ${k2},`);
    return float([...broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), m, n]);
  },
  reduceSum: (inputs, { axes, keepDims }) => {
    const { shape } = operands(inputs, 1)[0]!;
    demand(
      axes.every((axis) => axis >= 0 && axis < shape.length),
      `axes below ${shape.length}`,
    );
    if (keepDims) return float(shape.map((dim, i) => (axes.includes(i) ? 1 : dim)));
    return float(shape.filter((_, i) => !axes.includes(i)));
  },
  reshape: (inputs, { shape }) => {
    const [x] = operands(inputs, 1);
    // Symbols may be renamed across a reshape (B and S become BS): only fully numeric products can be compared here, the rest at run time.
    const numeric = [...x!.shape, ...shape].every((dim) => typeof dim === "number");
    demand(!numeric || product(x!.shape) === product(shape), `as many elements as [${shape.join(", ")}]`);
    return [{ dtype: x!.dtype, shape }];
  },
  transpose: (inputs, { perm }) => {
    const [x] = operands(inputs, 1);
    demand(perm.length === x!.shape.length && new Set(perm).size === perm.length, "a permutation of the axes");
    return float(perm.map((axis) => x!.shape[axis]!));
  },
  expand: (inputs, { shape }) => {
    const [x] = operands(inputs, 1);
    demand(sameShape(broadcastShapes(x!.shape, shape), shape), `a shape that broadcasts to [${shape.join(", ")}]`);
    return float(shape);
  },
  concat: (inputs, { axis, size }) => {
    demand(inputs.length > 0, "at least one input");
    const first = inputs[0]!.shape;
    for (const { shape } of inputs) {
      demand(shape.length === first.length && shape.every((d, i) => i === axis || d === first[i]), "equal other axes");
    }
    const sizes = inputs.map(({ shape }) => shape[axis]!);
    if (sizes.every((d) => typeof d === "number"))
      demand(sizes.reduce((a, b) => a + b, 0) === size, `sizes adding up to ${size}`);
    return float(first.map((dim, i) => (i === axis ? size : dim)));
  },
  split: (inputs, { axis, sizes }) => {
    const { shape } = operands(inputs, 1)[0]!;
    if ([shape[axis], ...sizes].every((d) => typeof d === "number")) {
      demand((sizes as number[]).reduce((a, b) => a + b, 0) === shape[axis], `sizes adding up to ${shape[axis]}`);
    }
    return sizes.map((size) => ({ dtype: "float32", shape: shape.map((dim, i) => (i === axis ? size : dim)) }));
  },
  gather: (inputs) => {
    const [x, indices] = operands(inputs, 2);
    demand(indices!.dtype === "int64" && indices!.shape.length === 1, "int64 indices of one axis");
    return float([indices!.shape[0]!, ...x!.shape.slice(1)]);
  },
  scatterAdd: (inputs, { rows }) => {
    const [updates, indices] = operands(inputs, 2);
    demand(
      indices!.dtype === "int64" && sameShape(indices!.shape, updates!.shape.slice(0, 1)),
      "one int64 index a row",
    );
    return float([rows, ...updates!.shape.slice(1)]);
  },
  pick: (inputs) => {
    const [x, indices] = operands(inputs, 2);
    demand(x!.shape.length === 2 && indices!.dtype === "int64", "a matrix and int64 indices");
    demand(sameShape(indices!.shape, x!.shape.slice(0, 1)), "one index a row");
    return float(indices!.shape);
  },
  scatterPick: (inputs, { columns }) => {
    const [x, indices] = operands(inputs, 2);
    demand(x!.shape.length === 1 && sameShape(x!.shape, indices!.shape), "one value and one index a row");
    return float([x!.shape[0]!, columns]);
  },
  rmsNorm: (inputs) => {
    const [x, weight] = operands(inputs, 2);
    demand(sameShape(weight!.shape, x!.shape.slice(-1)), "a weight as long as the last axis");
    return float(x!.shape);
  },
  dropout: (inputs) => {
    const [x, keys] = operands(inputs, 2);
    demand(x!.shape.length === 2 && typeof x!.shape[1] === "number", "a matrix of so many columns");
    demand(keys!.dtype === "int64" && sameShape(keys!.shape, x!.shape.slice(0, 1)), "one int64 key a row");
    return float(x!.shape);
  },
  rotary: (inputs, { numHeads }) => {
    const [x, cos, sin, positions] = operands(inputs, 4);
    demand(
      x!.shape.length === 2 && sameShape(positions!.shape, x!.shape.slice(0, 1)),
      "[n, heads * size] and [n] positions",
    );
    demand(sameShape(cos!.shape, sin!.shape), "cos and sin of one shape");
    const headDim = (x!.shape[1] as number) / numHeads;
    demand(
      Number.isInteger(headDim) && headDim >= 2 * (cos!.shape[1] as number),
      "heads of twice the table's width or more",
    );
    return float(x!.shape);
  },
};
