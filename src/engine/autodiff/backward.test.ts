import { describe, expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/values.ts";
import { verifyGraph } from "../graph/verify.ts";
import { interpret, type Tensor } from "../runtime/interpreter.ts";
import { backward } from "./backward.ts";

const vector = (...data: number[]): Tensor => ({ shape: [data.length], data: Float64Array.from(data) });
const feeds = { x: vector(0.3, -1.2, 2), w: vector(1.5, 0.4, -0.7) };

/** sum(x / n * w) with n = sqrt(w w) + w, or what stands in for it; and its gradients. */
function lossAndGradients(length: (graph: Graph, w: Value) => Value, more: Record<string, Tensor> = {}) {
  const graph = new Graph();
  const [x, w] = ["x", "w"].map((name) => graph.input(name, "float32", [3])) as [Value, Value];
  const y = graph.add("mul", [graph.add("div", [x, length(graph, w)], {}), w], {});
  const loss = graph.add("reduceSum", [y], { axes: [0], keepDims: false });
  graph.output("loss", loss);
  backward(graph, loss, [x, w]).forEach((gradient, i) => graph.output(["dx", "dw"][i]!, gradient));
  verifyGraph(graph);
  return { graph, values: interpret(graph, { ...feeds, ...more }) };
}

const lengthOf = (graph: Graph, w: Value) =>
  graph.add("add", [graph.add("sqrt", [graph.add("mul", [w, w], {})], {}), graph.scalar(0.5)], {});

describe("a value that is held", () => {
  const held = lossAndGradients((graph, w) => graph.hold(lengthOf(graph, w)));

  test("is a constant on the way back: gradients are those of a net that is fed its number", () => {
    const number = Float64Array.from(feeds.w.data, (w) => Math.sqrt(w * w) + 0.5);
    const fed = lossAndGradients((graph) => graph.input("n", "float32", [3]), { n: { shape: [3], data: number } });
    expect(held.values).toEqual(fed.values);
  });

  test("passes gradients on where it is not held, and then they are others", () => {
    const free = lossAndGradients(lengthOf);
    expect(free.values.loss).toEqual(held.values.loss);
    expect(free.values.dx).toEqual(held.values.dx);
    expect(free.values.dw!.data.every((value, i) => Math.abs(value - held.values.dw!.data[i]!) > 0.01)).toBe(true);
  });

  test("leaves no nodes for what it was computed from", () => {
    const gradients = held.graph.nodes.filter(({ name }) => name.includes("_Grad/"));
    expect(gradients.length).toBeGreaterThan(0);
    expect(gradients.filter(({ name }) => name.startsWith("sqrt_Grad") || name.startsWith("add_Grad"))).toEqual([]);
  });
});

test("a loss that depends on a value through a held one alone has no gradient of it", () => {
  const graph = new Graph();
  const w = graph.input("w", "float32", [3]);
  const loss = graph.add("reduceSum", [graph.hold(lengthOf(graph, w))], { axes: [0], keepDims: false });
  expect(() => backward(graph, loss, [w])).toThrow(/does not depend on w/);
});
