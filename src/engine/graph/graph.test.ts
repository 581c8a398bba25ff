import { describe, expect, test } from "vitest";
import { ShapeError } from "../../base/errors.ts";
import { Graph } from "./graph.ts";
import { verifyGraph } from "./verify.ts";

function smallGraph(): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", ["N", 3]);
  const w = graph.input("w", "float32", [3, 5]);
  graph.output("y", graph.add("silu", [graph.add("matmul", [x, w], { transA: false, transB: false, alpha: 1 })], {}));
  return graph;
}

describe("shapes are derived as a node is added", () => {
  test("with symbolic sizes", () => {
    expect(smallGraph().outputs.get("y")?.shape).toEqual(["N", 5]);
  });

  test("and what does not fit is refused with node, expectation and what came", () => {
    const graph = smallGraph();
    const y = graph.outputs.get("y")!;
    const add = () =>
      graph.within("block", () => graph.add("matmul", [y, y], { transA: false, transB: false, alpha: 1 }));
    expect(add).toThrow(ShapeError);
    expect(add).toThrow(/block\/matmul.*expected equal inner dimensions.*float32\[N, 5\]/);
  });
});

describe("verifyGraph", () => {
  test("passes a sound graph and says how many nodes it saw", () => {
    expect(verifyGraph(smallGraph())).toBe(2);
  });

  test.each<[string, (graph: Graph) => void, RegExp]>([
    [
      "a value used before it is defined",
      (graph) => void graph.nodes.reverse(),
      /uses matmul_out before it is defined/,
    ],
    ["a node that is there twice", (graph) => void graph.nodes.push(graph.nodes[0]!), /defined twice/],
    ["an output that nobody defines", (graph) => void graph.nodes.pop(), /output y is not defined/],
    [
      "a shape that is not what the rule gives",
      (graph) => {
        const node = graph.nodes[1]!;
        graph.nodes[1] = { ...node, outputs: [{ ...node.outputs[0]!, shape: ["N", 6] }] };
      },
      /its rule gives float32\[N, 5\]/,
    ],
    [
      "an input seen with another type than it has",
      (graph) => {
        const node = graph.nodes[1]!;
        graph.nodes[1] = { ...node, inputs: [{ ...node.inputs[0]!, shape: ["N", 6] }] };
      },
      /sees matmul_out as float32\[N, 6\]/,
    ],
  ])("catches %s", (_, damage, message) => {
    const graph = smallGraph();
    damage(graph);
    expect(() => verifyGraph(graph)).toThrow(message);
  });
});
