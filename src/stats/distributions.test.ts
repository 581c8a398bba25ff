import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clopperPearsonInterval, wilsonInterval } from "./interval.ts";
import { mean, sortedQuantile, standardDeviation, variance } from "./moments.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { incompleteBetaInverse, logGamma } from "./special.ts";
import { tCdf, tQuantile } from "./student-t.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/intervals/expected.json", import.meta.url), "utf8"),
);

const tests = JSON.parse(readFileSync(new URL("../../test/golden/stats/tests/expected.json", import.meta.url), "utf8"));

/** Within a relative error, or 1e-15 around zero. */
function expectClose(got: number, wanted: number, relative = 1e-12) {
  expect(Math.abs(got - wanted), `got ${got}, wanted ${wanted}`).toBeLessThanOrEqual(
    1e-15 + relative * Math.abs(wanted),
  );
}

describe("the normal distribution", () => {
  test("agrees with scipy, far tails too", () => {
    golden.normal.x.forEach((x: number, i: number) => {
      expectClose(normalCdf(x), golden.normal.cdf[i]);
    });
    golden.normal.p.forEach((p: number, i: number) => {
      expectClose(normalQuantile(p), golden.normal.quantile[i]);
    });
  });

  test("has infinite quantiles at the ends and none outside", () => {
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
    expect(normalQuantile(1.1)).toBeNaN();
    expect(normalQuantile(Number.NaN)).toBeNaN();
    expect(normalCdf(Number.NaN)).toBeNaN();
  });

  test("quantile undoes the distribution function", () => {
    fc.assert(
      fc.property(fc.double({ min: -8, max: 5, noNaN: true }), (x) => {
        expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 8);
      }),
    );
  });
});

describe("Student's t distribution", () => {
  test("agrees with scipy, also for fractional degrees of freedom", () => {
    for (const row of golden.t) {
      row.t.forEach((t: number, i: number) => {
        expectClose(tCdf(t, row.df), row.cdf[i], 1e-9);
      });
      row.p.forEach((p: number, i: number) => {
        expectClose(tQuantile(p, row.df), row.quantile[i], 1e-9);
      });
    }
  });

  test("becomes normal with infinite degrees of freedom, and is undefined without any", () => {
    expect(tQuantile(0.975, Number.POSITIVE_INFINITY)).toBeCloseTo(normalQuantile(0.975), 8);
    expect(tQuantile(0.975, 0)).toBeNaN();
    expect(tCdf(1, Number.NaN)).toBeNaN();
  });

  test("log gamma agrees with scipy", () => {
    for (const { x, value } of golden.logGamma) expectClose(logGamma(x), value);
  });
});

describe("Wilson's interval", () => {
  test("agrees with statsmodels, at 0 and n too", () => {
    for (const { successes, n, interval } of golden.wilson) {
      const { low, high } = wilsonInterval(successes, n);
      expect(low).toBeCloseTo(interval[0], 12);
      expect(high).toBeCloseTo(interval[1], 12);
    }
  });

  test("holds the proportion and stays within 0 and 1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const successes = Math.round(n * share);
        const { low, high } = wilsonInterval(successes, n);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(successes / n);
        expect(high).toBeGreaterThanOrEqual(successes / n);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("does not exist without items", () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: Number.NaN, high: Number.NaN });
  });
});

describe("Clopper and Pearson's interval", () => {
  test("agrees with statsmodels, at 0 and n too", () => {
    for (const { successes, n, interval } of tests.clopperPearson) {
      const { low, high } = clopperPearsonInterval(successes, n);
      expectClose(low, interval[0], 1e-9);
      expectClose(high, interval[1], 1e-9);
    }
  });

  test("is wider than Wilson's on the whole, and mirrors itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const successes = Math.round(n * share);
        const { low, high } = clopperPearsonInterval(successes, n);
        const wilson = wilsonInterval(successes, n);
        const mirrored = clopperPearsonInterval(n - successes, n);
        expect(high - low).toBeGreaterThan((wilson.high - wilson.low) * 0.9);
        expect(low).toBeLessThanOrEqual(successes / n);
        expect(high).toBeGreaterThanOrEqual(successes / n);
        expect(mirrored.low).toBeCloseTo(1 - high, 12);
      }),
    );
  });

  test("does not exist without items", () => {
    expect(clopperPearsonInterval(0, 0)).toEqual({ low: Number.NaN, high: Number.NaN });
  });
});

test("the inverse of the incomplete beta function agrees with scipy", () => {
  for (const { a, b, p, quantile } of tests.beta) expectClose(incompleteBetaInverse(p, a, b), quantile, 1e-9);
  expect(incompleteBetaInverse(1.1, 2, 2)).toBeNaN();
});

describe("moments of a sample", () => {
  test("agree with numpy", () => {
    const { values, mean: centre, standardDeviation: spread, p, quantile } = golden.sample;
    expectClose(mean(values), centre);
    expectClose(standardDeviation(values), spread);
    const sorted = [...values].sort((a: number, b: number) => a - b);
    p.forEach((at: number, i: number) => {
      expectClose(sortedQuantile(sorted, at), quantile[i]);
    });
  });

  test("are NaN where undefined", () => {
    expect(mean([])).toBeNaN();
    expect(variance([3])).toBeNaN();
    expect(sortedQuantile([], 0.5)).toBeNaN();
  });
});
