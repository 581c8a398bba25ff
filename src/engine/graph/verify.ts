/** @file Checks a graph from scratch: single definition, no dangling names, order, and every shape derived again. Cheap; runs after each rewrite. */

import type { Graph } from "./graph.ts";
import { type OpAttributes, type OpName, SHAPE_RULES } from "./ops.ts";
import { formatType, sameShape, type ValueType } from "./values.ts";

/**
 * @returns how many nodes were looked at
 * @throws {Error} the first fault found, naming the node (a bug, not a user's error)
 */
export function verifyGraph(graph: Graph): number {
  const defined = new Map<string, ValueType>();
  const define = (name: string, type: ValueType) => {
    if (defined.has(name)) throw new Error(`graph: ${name} is defined twice`);
    defined.set(name, type);
  };
  for (const input of graph.inputs) define(input.name, input);
  for (const { value } of graph.constants.values()) define(value.name, value);
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const definition = defined.get(input.name);
      if (definition === undefined) throw new Error(`graph: ${node.name} uses ${input.name} before it is defined`);
      if (!sameType(definition, input)) {
        throw new Error(
          `graph: ${node.name} sees ${input.name} as ${formatType(input)}, defined as ${formatType(definition)}`,
        );
      }
    }
    const rule = SHAPE_RULES[node.op] as (
      inputs: readonly ValueType[],
      attributes: OpAttributes[OpName],
    ) => ValueType[];
    const types = rule(node.inputs, node.attributes);
    if (types.length !== node.outputs.length)
      throw new Error(`graph: ${node.name} should have ${types.length} outputs`);
    node.outputs.forEach((output, i) => {
      if (!sameType(output, types[i]!)) {
        throw new Error(`graph: ${output.name} is ${formatType(output)}, its rule gives ${formatType(types[i]!)}`);
      }
      define(output.name, output);
    });
  }
  for (const [name, value] of graph.outputs) {
    if (!defined.has(value.name)) throw new Error(`graph: output ${name} is not defined`);
  }
  return graph.nodes.length;
}

function sameType(a: ValueType, b: ValueType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
