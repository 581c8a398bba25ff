/** @file Arithmetic of a graph's products, for speeds and estimates. */

import type { Graph, Node } from "./graph.ts";
import { type Bindings, boundDim } from "./values.ts";

/** Floating-point operations of all matrix products in one run, a multiply-add counted twice; everything element-wise is left out. */
export function productFlops(graph: Graph, bindings: Bindings): number {
  let total = 0;
  for (const node of graph.nodes) {
    if (node.op !== "matmul") continue;
    const [a] = node.inputs;
    const inner = a!.shape[(node as Node<"matmul">).attributes.transA ? a!.shape.length - 2 : a!.shape.length - 1]!;
    const elements = node.outputs[0]!.shape.reduce<number>((product, dim) => product * boundDim(dim, bindings), 1);
    total += 2 * elements * boundDim(inner, bindings);
  }
  return total;
}
