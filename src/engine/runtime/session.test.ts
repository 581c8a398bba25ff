import { afterAll, describe, expect, test } from "vitest";
import { allOpCases, CASE_BINDINGS, caseGraph } from "../../../test/support/op-cases.ts";
import { Graph } from "../graph/graph.ts";
import { interpret } from "./interpreter.ts";
import { liveSessions, Session } from "./session.ts";

afterAll(() => expect(liveSessions()).toBe(0));

describe("ONNX Runtime agrees with the interpreter", () => {
  test.each(allOpCases())("$title", async ({ opCase }) => {
    const { graph, values, feeds } = caseGraph(opCase);
    const expected = interpret(graph, feeds, CASE_BINDINGS);
    const session = await Session.create(graph, { threads: 1 });
    const data = values.map(({ name, dtype }) => {
      const numbers = feeds[name]!.data;
      return [name, dtype === "int64" ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers)];
    });
    const actual = await session.run(Object.fromEntries(data), CASE_BINDINGS);
    await session.release();
    for (const [name, { data: wanted }] of Object.entries(expected)) {
      expect(actual[name]!.length).toBe(wanted.length);
      wanted.forEach((value, i) => {
        expect(Math.abs(actual[name]![i]! - value), `${name}[${i}]`).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
      });
    }
  });
});

test("outputs are written in place into views of a larger buffer", async () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", ["N"]);
  graph.output("y", graph.add("neg", [x], {}));
  const session = await Session.create(graph, { threads: 1 });
  const buffer = new Float32Array(10);
  await session.run({ x: Float32Array.of(9, 1, 2, 3).subarray(1) }, { N: 3 }, { y: buffer.subarray(4, 7) });
  await session.release();
  expect([...buffer]).toEqual([0, 0, 0, 0, -1, -2, -3, 0, 0, 0]);
});

test("a feed of the wrong length is refused by name", async () => {
  const graph = new Graph();
  graph.output("y", graph.add("neg", [graph.input("x", "float32", ["N", 2])], {}));
  const session = await Session.create(graph, { threads: 1 });
  await expect(session.run({ x: new Float32Array(5) }, { N: 3 })).rejects.toThrow("x needs 6 numbers");
  await session.release();
});
