import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedMaximum, expectedMaximumCurve } from "./expected-maximum.ts";
import { tInterval } from "./interval.ts";
import { mean, variance } from "./moments.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/selection/expected.json", import.meta.url), "utf8"),
);

describe("the expected maximum of k trials", () => {
  test("is the mean over all subsets", () => {
    golden.expectedMaximum.forEach((wanted: number, at: number) => {
      expect(expectedMaximum(golden.trials, at + 1)).toBeCloseTo(wanted, 12);
    });
  });

  test("rises from the mean to the maximum, whatever the order of trials", () => {
    const scores = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(scores, (trials) => {
        const curve = trials.map((_, at) => expectedMaximum(trials, at + 1));
        curve.slice(1).forEach((value, at) => {
          expect(value).toBeGreaterThanOrEqual((curve[at] as number) - 1e-12);
        });
        expect(curve.at(-1)).toBeCloseTo(Math.max(...trials), 12);
        expect(expectedMaximum(trials.toReversed(), 1)).toBe(curve[0]);
      }),
    );
  });

  test("is not known beyond what was tried", () => {
    expect(expectedMaximum([0.1, 0.2], 3)).toBeNaN();
    expect(expectedMaximum([0.1, 0.2], 0)).toBeNaN();
    expect(expectedMaximum([0.1, Number.NaN], 1)).toBeNaN();
  });

  test("has an interval that holds it for few of the trials only, and for one trial is that of a mean", () => {
    const { trials } = golden;
    const curve = expectedMaximumCurve(trials, { seed: 1, resamples: 4000 });
    expect(curve.map(({ k }) => k)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(curve.map(({ low }) => Number.isNaN(low))).toEqual([...curve.keys()].map((at) => at >= 3));
    for (const { expected, low, high } of curve.slice(0, 3)) {
      expect(low).toBeLessThan(expected);
      expect(high).toBeGreaterThan(expected);
    }
    const wanted = tInterval(mean(trials), Math.sqrt(variance(trials) / trials.length), trials.length - 1);
    expect((curve[0]!.high - curve[0]!.low) / (wanted.high - wanted.low)).toBeCloseTo(1, 1);
  });
});
