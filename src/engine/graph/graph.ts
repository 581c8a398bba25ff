/** @file The typed graph: values, nodes and the builder that derives every shape as a node is added. The ops themselves are in ops.ts. */

import { ShapeError } from "../../base/errors.ts";
import { type OpAttributes, type OpName, SHAPE_RULES } from "./ops.ts";
import { type DType, formatType, type Shape, ShapeRuleError, type Value, type ValueType } from "./values.ts";

/** Data of a constant: inside the graph, or a range of a file of raw little-endian float32. */
export type ConstantData = Float32Array | BigInt64Array | { file: string; byteOffset: number };

export interface Node<K extends OpName = OpName> {
  readonly op: K;
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: OpAttributes[K];
}

/** A directed acyclic graph in order of execution. Append only. */
export class Graph {
  readonly inputs: Value[] = [];
  readonly constants = new Map<string, { value: Value; data: ConstantData }>();
  readonly nodes: Node[] = [];
  readonly outputs = new Map<string, Value>();
  /** Names of values that autodiff takes for constants. */
  readonly held = new Set<string>();
  private readonly names = new Set<string>();
  private scope = "";

  /** A tensor fed at each run. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = { name: this.unique(name), dtype, shape };
    this.inputs.push(value);
    return value;
  }

  /** A tensor that never changes. */
  constant(name: string, data: ConstantData, shape: readonly number[]): Value {
    const dtype = data instanceof BigInt64Array ? "int64" : "float32";
    const value = { name: this.unique(name), dtype, shape } as const;
    this.constants.set(value.name, { value, data });
    return value;
  }

  scalar(x: number): Value {
    const name = `scalar_${x}`;
    return this.constants.get(name)?.value ?? this.constant(name, Float32Array.of(x), []);
  }

  /** Marks a value to be returned under a name. */
  output(name: string, value: Value): void {
    if (this.outputs.has(name)) throw new Error(`output ${name} is defined twice`);
    this.outputs.set(name, value);
  }

  /** Stops gradients: none passes through this value to what it was computed from. */
  hold(value: Value): Value {
    this.held.add(value.name);
    return value;
  }

  /** Appends a node and returns its outputs; shapes come from the op's rule. */
  addMany<K extends OpName>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): Value[] {
    const name = this.unique(`${this.scope}${op}`);
    const rule = SHAPE_RULES[op] as (inputs: readonly ValueType[], attributes: OpAttributes[K]) => ValueType[];
    let types: ValueType[];
    try {
      types = rule(inputs, attributes);
    } catch (error) {
      if (!(error instanceof ShapeRuleError)) throw error;
      throw new ShapeError({
        place: `graph node ${name}`,
        expected: error.expected,
        got: inputs.map((v) => `${v.name} ${formatType(v)}`).join(", "),
        remedy: "This is a fault in the model's definition, not in your data: please report it.",
      });
    }
    const outputs = types.map((type, i) => ({ ...type, name: types.length === 1 ? `${name}_out` : `${name}_out${i}` }));
    this.nodes.push({ op, name, inputs, outputs, attributes });
    return outputs;
  }

  /** `addMany` for the ops that have one output. */
  add<K extends OpName>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): Value {
    return this.addMany(op, inputs, attributes)[0] as Value;
  }

  /** Nodes added inside `body` are named under `scope/`. */
  within<T>(scope: string, body: () => T): T {
    const outer = this.scope;
    this.scope = `${outer}${scope}/`;
    try {
      return body();
    } finally {
      this.scope = outer;
    }
  }

  private unique(wanted: string): string {
    let name = wanted;
    for (let n = 1; this.names.has(name); n++) name = `${wanted}_${n}`;
    this.names.add(name);
    return name;
  }
}
