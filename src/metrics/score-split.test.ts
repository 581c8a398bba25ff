import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeLabelMetric } from "../../test/conformance/metric.ts";
import type { LabelMetricName } from "../specs/types.ts";
import { wilsonInterval } from "../stats/interval.ts";
import { confusionCells, countCells } from "./confusion.ts";
import { LABEL_METRICS } from "./label-metrics.ts";
import { type ScoredItem, scoreSplit } from "./score-split.ts";

const golden: { cases: GoldenCase[] } = JSON.parse(
  readFileSync(new URL("../../test/golden/metrics/labels/expected.json", import.meta.url), "utf8"),
);
interface GoldenCase {
  name: string;
  labels: string[];
  gold: string[];
  pred: (string | null)[];
  /** null: not defined. */
  metrics: Record<LabelMetricName, number | null>;
  /** Of each item: the metric plus n times its derivative by the item's weight. */
  parts?: Record<LabelMetricName, number[] | null>;
}
const NAMES = Object.keys(LABEL_METRICS) as LabelMetricName[];

for (const metric of Object.values(LABEL_METRICS)) describeLabelMetric(metric);

const items = (gold: string[], pred: (string | null)[]): ScoredItem[] =>
  gold.map((g, i) => ({ gold: g, pred: pred[i] ?? null, group: `${i}` }));

describe("label metrics", () => {
  test.each<GoldenCase>(golden.cases)("agree with scikit-learn: $name", ({ labels, gold, pred, metrics }) => {
    const rows = items(gold, pred);
    const confusion = countCells(confusionCells(rows, labels), rows.keys(), labels.length);
    for (const name of NAMES) {
      const value = LABEL_METRICS[name].aggregate(confusion);
      const wanted = metrics[name];
      if (wanted === null) expect(value, name).toBeNaN();
      else expect(value, name).toBeCloseTo(wanted, 12);
    }
  });

  test.each(golden.cases.filter(({ parts }) => parts !== undefined))(
    "have the parts that scikit-learn's weights of items give: $name",
    ({ labels, gold, pred, parts }) => {
      const cells = confusionCells(items(gold, pred), labels);
      const confusion = countCells(cells, cells.keys(), labels.length);
      const width = labels.length + 1;
      for (const name of NAMES) {
        const part = LABEL_METRICS[name].parts(confusion);
        parts![name]?.forEach((wanted, i) => {
          expect(part(Math.floor(cells[i]! / width), cells[i]! % width), `${name} ${i}`).toBeCloseTo(wanted, 5);
        });
      }
    },
  );

  test("refuse a gold answer outside the labels", () => {
    expect(() => confusionCells([{ gold: "x", pred: "a" }], ["a"])).toThrow(/"x" is none of the labels/);
  });
});

describe("the scores of a split", () => {
  const rows = Array.from({ length: 180 }, (_, i) => ({
    gold: "abc"[i % 3] as string,
    pred: i % 5 === 0 ? null : ("abc"[(i % 3) - (i % 7 === 0 && i % 3 > 0 ? 1 : 0)] as string),
    group: `${i}`,
  }));
  const options = { seed: 1, resamples: 200 };

  test("have Wilson's interval for accuracy of independent items and a bootstrap for the others", () => {
    const { n, n_groups, metrics } = scoreSplit(rows, ["a", "b", "c"], NAMES, options);
    expect([n, n_groups]).toEqual([180, 180]);
    const correct = rows.filter((r) => r.gold === r.pred).length;
    expect(metrics.accuracy).toEqual({ value: correct / 180, ...wilsonInterval(correct, 180), method: "wilson" });
    for (const name of ["weighted_f1", "macro_f1", "mcc"]) {
      const score = metrics[name]!;
      expect(score.method).toBe("bootstrap");
      expect(score.low).toBeLessThan(score.value);
      expect(score.high).toBeGreaterThan(score.value);
    }
  });

  test("bootstrap accuracy too when items share groups, and then are less certain", () => {
    const grouped = rows.flatMap((r) => Array.from({ length: 9 }, () => r));
    const { n, n_groups, metrics } = scoreSplit(grouped, ["a", "b", "c"], ["accuracy"], options);
    expect([n, n_groups]).toEqual([1620, 180]);
    const width = metrics.accuracy!.high! - metrics.accuracy!.low!;
    const independent = wilsonInterval(Math.round(metrics.accuracy!.value * 1620), 1620);
    expect(metrics.accuracy!.method).toBe("bootstrap");
    expect(width).toBeGreaterThan(2 * (independent.high - independent.low));
  });

  test("lack what is not defined", () => {
    const constant = items(["a", "b", "a"], ["a", "a", "a"]);
    expect(Object.keys(scoreSplit(constant, ["a", "b"], NAMES, options).metrics)).not.toContain("mcc");
    expect(scoreSplit([], ["a", "b"], NAMES, options)).toEqual({
      n: 0,
      n_groups: 0,
      metrics: {},
      scoring: { constrained: {} },
    });
  });

  test("are the same for the same seed, whatever the metrics asked with them", () => {
    const all = scoreSplit(rows, ["a", "b", "c"], NAMES, options).metrics;
    expect(scoreSplit(rows, ["a", "b", "c"], ["mcc"], options).metrics).toEqual({ mcc: all.mcc });
  });

  test("count an output that is no label as wrong", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b"), { minLength: 1 }), (gold) => {
        const half = gold.map((g, i) => (i % 2 === 0 ? g : null));
        const { value } = scoreSplit(items(gold, half), ["a", "b"], ["accuracy"], { ...options, resamples: 1 }).metrics
          .accuracy!;
        expect(value).toBe(Math.ceil(gold.length / 2) / gold.length);
      }),
    );
  });
});
