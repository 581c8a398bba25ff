/** @file Reverse mode: walks a graph backwards and appends its gradient nodes. The rule of each op lives in rules.ts. */

import type { Graph, Node } from "../graph/graph.ts";
import type { OpName } from "../graph/ops.ts";
import type { Value } from "../graph/values.ts";
import { VJP_RULES, type VjpRule } from "./rules.ts";

/**
 * Appends to the graph the gradient of `loss` with respect to each of `wrt`; builds nothing for values that need no gradient.
 *
 * @param loss  a scalar (shape [])
 * @returns     one gradient a value of `wrt`, in order
 * @throws {Error} loss is no scalar, or does not depend on one of `wrt`
 * @source reverse accumulation as in HIPS/autograd core.py; node names follow ONNX Runtime's gradient builder (`<node>_Grad/`)
 */
export function backward(graph: Graph, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length !== 0) throw new Error(`backward needs a scalar, ${loss.name} has ${loss.shape.length} axes`);
  const forwardNodes = graph.nodes.slice();
  const needed = dependents(forwardNodes, wrt, graph.held);
  const cotangents = new Map<string, Value>([[loss.name, graph.scalar(1)]]);

  const accumulate = (value: Value, cotangent: Value) => {
    const sum = cotangents.get(value.name);
    cotangents.set(value.name, sum === undefined ? cotangent : graph.add("add", [sum, cotangent], {}));
  };

  for (const node of forwardNodes.reverse()) {
    const dOutputs = node.outputs.map((output) => cotangents.get(output.name));
    const needs = node.inputs.map((input) => needed.has(input.name));
    if (!needs.includes(true) || dOutputs.every((d) => d === undefined)) continue;
    graph.within(`${node.name}_Grad`, () => {
      const rule = VJP_RULES[node.op] as VjpRule<OpName>;
      const context = { graph, node: node as Node<OpName>, inputs: node.inputs, dOutputs, needs };
      const dInputs = rule({ ...context, y: node.outputs[0] as Value, dY: dOutputs[0] as Value });
      dInputs.forEach((dInput, i) => {
        if (dInput !== undefined && needs[i]) accumulate(node.inputs[i] as Value, dInput);
      });
    });
  }

  return wrt.map((value) => {
    const gradient = cotangents.get(value.name);
    if (gradient === undefined) throw new Error(`backward: ${loss.name} does not depend on ${value.name}`);
    return gradient;
  });
}

/** Names of all values that depend on one of `sources`, the sources included, by a way that `held` values do not close. */
function dependents(nodes: readonly Node[], sources: readonly Value[], held: ReadonlySet<string>): Set<string> {
  const names = new Set(sources.map((value) => value.name));
  for (const node of nodes) {
    if (!node.inputs.some((input) => names.has(input.name))) continue;
    for (const output of node.outputs) if (!held.has(output.name)) names.add(output.name);
  }
  return names;
}
