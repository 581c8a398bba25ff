import { describe, expect, test } from "vitest";
import { allOpCases, CASE_BINDINGS, caseGraph, type OpCase, randomTensor } from "../../../test/support/op-cases.ts";
import { Rng } from "../../base/rng.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/values.ts";
import { verifyGraph } from "../graph/verify.ts";
import { interpret, type Tensor } from "../runtime/interpreter.ts";
import { backward } from "./backward.ts";
import { VJP_RULES } from "./rules.ts";

/** Adds a scalar that weighs every output element differently, so that no error can cancel. */
function addLoss(graph: Graph, feeds: Record<string, Tensor>): Value {
  const rng = new Rng("loss");
  const terms = [...graph.outputs.values()].map((y, i) => {
    const weights = graph.input(`weights${i}`, "float32", y.shape);
    feeds[weights.name] = randomTensor([...y.shape], { low: -1, high: 1 }, rng);
    const product = graph.add("mul", [y, weights], {});
    return graph.add("reduceSum", [product], { axes: y.shape.map((_, axis) => axis), keepDims: false });
  });
  return terms.reduce((a, b) => graph.add("add", [a, b], {}));
}

/** Relative difference of the analytic directional derivative and a central difference, for each differentiable input. */
function directionalErrors(opCase: OpCase): number[] {
  const { graph, values, feeds } = caseGraph(opCase);
  const wrt = values.filter((value, i) => value.dtype === "float32" && !(opCase.op === "rotary" && i > 0));
  const loss = addLoss(graph, feeds);
  graph.output("loss", loss);
  backward(graph, loss, wrt).forEach((gradient, i) => graph.output(`grad${i}`, gradient));
  verifyGraph(graph);
  const analytic = interpret(graph, feeds, CASE_BINDINGS);
  const rng = new Rng("direction");
  return wrt.map((value, i) => {
    const x = feeds[value.name]!;
    const direction = Float64Array.from(x.data, () => rng.normal());
    const h = 1e-5;
    const lossAt = (t: number) => {
      const moved = { shape: x.shape, data: x.data.map((v, j) => v + t * direction[j]!) };
      return interpret(graph, { ...feeds, [value.name]: moved }, CASE_BINDINGS).loss!.data[0]!;
    };
    const numeric = (lossAt(h) - lossAt(-h)) / (2 * h);
    const exact = analytic[`grad${i}`]!.data.reduce((sum, g, j) => sum + g * direction[j]!, 0);
    return Math.abs(exact - numeric) / Math.max(Math.abs(numeric), 1e-3);
  });
}

describe("every vjp rule agrees with a central difference in float64", () => {
  test.each(allOpCases())("$title", ({ opCase }) => {
    const errors = directionalErrors(opCase);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toBeLessThan(1e-6);
  });

  test("every op has a case", () => {
    expect(new Set(allOpCases().map(({ opCase }) => opCase.op))).toEqual(new Set(Object.keys(VJP_RULES)));
  });

  test("a rule scaled by 0.98 is caught, for every op", () => {
    const rules = VJP_RULES as Record<string, (context: never) => (Value | undefined)[]>;
    for (const { opCase } of allOpCases()) {
      const rule = rules[opCase.op]!;
      rules[opCase.op] = (context: never) => {
        const { graph } = context as { graph: Graph };
        return rule(context).map((d) => d && graph.add("mul", [d, graph.scalar(0.98)], {}));
      };
      try {
        expect(Math.max(...directionalErrors(opCase)), opCase.op).toBeGreaterThan(1e-3);
      } finally {
        rules[opCase.op] = rule;
      }
    }
  });
});
