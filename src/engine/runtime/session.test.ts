import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { allOpCases, CASE_BINDINGS, caseGraph } from "../../../test/support/op-cases.ts";
import { sha256 } from "../../base/digest.ts";
import { Rng } from "../../base/rng.ts";
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

test("the same run with several threads gives the same bits, scattered sums included", async () => {
  const graph = new Graph();
  const updates = graph.input("updates", "float32", ["N", 64]);
  const rows = graph.input("rows", "int64", ["N"]);
  const table = graph.add("scatterAdd", [updates, rows], { rows: 50 });
  graph.output("y", graph.add("matmul", [table, updates], { transA: false, transB: true, alpha: 1 }));
  const session = await Session.create(graph, { threads: 2 });
  const rng = new Rng(1);
  const N = 3000;
  const feeds = {
    updates: Float32Array.from({ length: N * 64 }, () => rng.normal()),
    rows: BigInt64Array.from({ length: N }, () => BigInt(rng.int(50))),
  };
  const digest = async () => sha256(new Uint8Array((await session.run(feeds, { N })).y!.slice().buffer));
  const first = await digest();
  for (let i = 0; i < 5; i++) expect(await digest()).toBe(first);
  await session.release();
});

test("a constant in a file is mapped from its offset, and only from the folder of weights", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-session-"));
  writeFileSync(join(folder, "w.f32"), new Uint8Array(Float32Array.of(9, 9, 1, 2, 3, 4, 5, 6).buffer));
  const graph = new Graph();
  const w = graph.constant("w", { file: join(folder, "w.f32"), byteOffset: 8 }, [2, 3]);
  graph.output(
    "y",
    graph.add("matmul", [graph.input("x", "float32", ["N", 2]), w], { transA: false, transB: false, alpha: 1 }),
  );
  await expect(Session.create(graph, { threads: 1 })).rejects.toThrow("outside the folder of weights");
  const session = await Session.create(graph, { threads: 1, weightFolder: folder });
  const { y } = await session.run({ x: Float32Array.of(1, 10) }, { N: 1 });
  expect([...y!]).toEqual([41, 52, 63]);
  await session.release();
  rmSync(folder, { recursive: true });
});
