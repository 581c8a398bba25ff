/** @file What every label metric must do. Its own values come from goldens. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { confusionCells, countCells, type Verdict } from "../../src/metrics/confusion.ts";
import type { LabelMetric } from "../../src/metrics/metric.ts";

const LABELS = ["negative", "neutral", "positive"];
const verdicts = fc.array(
  fc.record({ gold: fc.constantFrom(...LABELS), pred: fc.option(fc.constantFrom(...LABELS), { nil: null }) }),
  { minLength: 1, maxLength: 40 },
);

/** Runs the suite on one metric. */
export function describeLabelMetric(metric: LabelMetric): void {
  const value = (items: Verdict[], labels = LABELS) =>
    metric.aggregate(countCells(confusionCells(items, labels), items.keys(), labels.length));

  describe(`metric ${metric.name}`, () => {
    test("is 1 for perfect predictions of more than one label", () => {
      expect(value(LABELS.map((label) => ({ gold: label, pred: label })))).toBeCloseTo(1, 12);
    });

    test("is below 1 when anything is wrong, and never below -1", () => {
      fc.assert(
        fc.property(verdicts, (items) => {
          const got = value([...items, { gold: "neutral", pred: null }]);
          if (!Number.isNaN(got)) expect(got).toBeLessThan(1);
          if (!Number.isNaN(got)) expect(got).toBeGreaterThanOrEqual(-1 - 1e-12);
        }),
      );
    });

    test("does not depend on the order of items or labels, nor on doubling all items", () => {
      fc.assert(
        fc.property(verdicts, (items) => {
          const got = value(items);
          for (const same of [
            value(items.toReversed()),
            value(items, LABELS.toReversed()),
            value([...items, ...items]),
            value(items, [...LABELS, "a label that never occurs"]),
          ]) {
            if (Number.isNaN(got)) expect(same).toBeNaN();
            else expect(same).toBeCloseTo(got, 10);
          }
        }),
      );
    });

    test("is undefined without items", () => {
      expect(value([])).toBeNaN();
    });

    test("is the mean of its items' parts, which are how it changes with their weights", () => {
      fc.assert(
        fc.property(verdicts, (items) => {
          const cells = confusionCells(items, LABELS);
          const confusion = countCells(cells, cells.keys(), LABELS.length);
          const got = metric.aggregate(confusion);
          if (Number.isNaN(got)) return;
          const part = metric.parts(confusion);
          const parts = [...cells].map((cell) =>
            part(Math.floor(cell / (LABELS.length + 1)), cell % (LABELS.length + 1)),
          );
          expect(parts.reduce((sum, one) => sum + one, 0) / items.length).toBeCloseTo(got, 10);
          const withWeight = (more: number) => {
            const counts = confusion.counts.map((count, cell) => count + (cell === cells[0] ? more : 0));
            return metric.aggregate({ ...confusion, counts });
          };
          const slope = (withWeight(1e-5) - withWeight(-1e-5)) / 2e-5;
          expect(parts[0]).toBeCloseTo(got + items.length * slope, 4);
        }),
      );
    });
  });
}
