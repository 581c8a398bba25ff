import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { recordStudy } from "../../test/support/recorded-study.ts";
import { curvesOf } from "./report-curves.ts";
import type { Cell, Row, StudyTable } from "./study-table.ts";

const dir = mkdtempSync(join(tmpdir(), "mixtune-curves-"));
afterAll(() => rmSync(dir, { recursive: true }));
const lock = recordStudy(dir, { tasks: ["a"], design: "[singles]", seeds: [1], numItems: 4, chance: () => 0.5 });

/** A study of one mixture, at so many rows of its own data, with these scores. */
function curveOf(scores: Readonly<Record<number, number[]>>) {
  const cell = (values: number[]): Cell => {
    return { mean: values.reduce((sum, value) => sum + value, 0) / values.length, sd: 0, values, n: 4 };
  };
  const rows = Object.entries(scores).map(([x, values]): Row => {
    const factors = { "tasks.a.max_train": Number(x) };
    const cells = { a: { dev: cell(values), test: cell(values) } };
    return { kind: "mixture", name: "a", model: "m/m", factors, combinations: [factors], runs: [], cells };
  });
  const table = { tasks: [{ name: "a", metric: "accuracy" }], rows } as unknown as StudyTable;
  return curvesOf(lock, table)[0]!;
}

describe("a curve along sizes", () => {
  // half widths: scipy.stats.t.ppf(0.975, 2) * sqrt((0.0005 + 0.0002) / 2) * sqrt(1 / 2), and for differences sqrt(1) and sqrt(3 / 2)
  test("has intervals from the seeds of all its points, also where a point was run once", () => {
    const { points } = curveOf({ 100: [0.5], 300: [0.59, 0.6216227766], 1000: [0.7, 0.72] }).series[0]!;
    const half = points.map(({ mean, low }) => mean - low!);
    expect(points.map(({ x }) => x)).toEqual([100, 300, 1000]);
    expect(half[1]).toBeCloseTo(0.05692, 4);
    expect(half[2]).toBeCloseTo(half[1]!, 12);
    expect(half[0]).toBeCloseTo(half[1]! * Math.SQRT2, 12);
  });

  test("names the sizes that are not distinguishable from the best", () => {
    const { series, text } = curveOf({ 100: [0.5], 300: [0.65, 0.6816227766], 1000: [0.7, 0.72] });
    expect(series[0]!.optimum).toEqual({ x: 1000, alike: [300] });
    expect(text).toContain("a: highest mean at 1000; not significantly different from it: 300.");
    const apart = curveOf({ 100: [0.1], 300: [0.2, 0.2316227766], 1000: [0.7, 0.72] });
    expect(apart.series[0]!.optimum.alike).toEqual([]);
    expect(apart.text).toContain("and no other is near it");
  });

  test("of one seed claims neither interval nor optimum", () => {
    const { series, text } = curveOf({ 100: [0.5], 300: [0.9] });
    expect(series[0]!.points.map(({ low, high }) => [low, high])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(series[0]!.optimum).toEqual({ x: 300, alike: null });
    expect(text).toContain("with one seed nothing says how sure that is");
  });
});
