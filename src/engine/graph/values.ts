/** @file Values of a graph and their types: dtype and shape, with sizes that may be symbolic. */

/** A size: a number, or the name of one that is bound when the graph runs. */
export type Dim = number | string;
export type Shape = readonly Dim[];
export type DType = "float32" | "int64";

/** The type of a value. */
export interface ValueType {
  dtype: DType;
  shape: Shape;
}

/** A tensor in the graph: an input, a constant or a node's output. */
export interface Value extends ValueType {
  readonly name: string;
}

/** Sizes of the symbolic dimensions in one run. */
export type Bindings = Readonly<Record<string, number>>;

/** Thrown by shape rules; the builder adds the place and the types that were given. */
export class ShapeRuleError extends Error {
  readonly expected: string;
  constructor(expected: string) {
    super(`expected ${expected}`);
    this.expected = expected;
  }
}

export function formatType(type: ValueType): string {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Number of a dimension in one run. */
export function boundDim(dim: Dim, bindings: Bindings): number {
  if (typeof dim === "number") return dim;
  const bound = bindings[dim];
  if (bound === undefined) throw new Error(`dimension ${dim} is not bound`);
  return bound;
}
