import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baselineNormalised, interquartileMean, interquartileMeanInterval } from "./interquartile-mean.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/aggregate/expected.json", import.meta.url), "utf8"),
);

describe("the interquartile mean", () => {
  test("agrees with scipy's trimmed mean", () => {
    for (const { values, interquartileMean: wanted } of golden.samples) {
      expect(interquartileMean(values)).toBeCloseTo(wanted, 12);
    }
    expect(interquartileMean([])).toBeNaN();
    expect(interquartileMean([1, Number.NaN, 2])).toBeNaN();
  });

  test("has the interval of all resamples within tasks, enumerated", () => {
    const got = interquartileMeanInterval(golden.scores, { seed: 1, resamples: 20_000 });
    expect(got.estimate).toBeCloseTo(golden.estimate, 12);
    expect(Math.abs(got.low - golden.low)).toBeLessThan(0.08 * golden.standardDeviation);
    expect(Math.abs(got.high - golden.high)).toBeLessThan(0.08 * golden.standardDeviation);
  });

  test("has no interval where a task has one seed", () => {
    const { estimate, low } = interquartileMeanInterval([[0.5, 0.6], [0.7]], { seed: 1 });
    expect(estimate).toBeCloseTo(0.6, 12);
    expect(low).toBeNaN();
  });

  test("lies within the values, and does not mind their order or one wild score of eight", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 }), (values) => {
        const once = interquartileMean([...values, 5]);
        expect(interquartileMean([900, ...values.toReversed()])).toBe(once);
        expect(once).toBeLessThanOrEqual(Math.max(...values));
        expect(once).toBeGreaterThanOrEqual(Math.min(...values));
      }),
    );
  });
});

test("a score on the common scale is 0 at the majority, 1 when perfect, and undefined where they are the same", () => {
  expect(baselineNormalised(0.6, 0.6)).toBe(0);
  expect(baselineNormalised(1, 0.6)).toBe(1);
  expect(baselineNormalised(0.5, 0.6)).toBeLessThan(0);
  expect(baselineNormalised(1, 1)).toBeNaN();
});
