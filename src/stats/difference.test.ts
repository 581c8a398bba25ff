import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pairedDifference, pooledVariance, seededDifference, seedVariance } from "./difference.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/intervals/expected.json", import.meta.url), "utf8"),
);
const { groups, graded, a, b, clustered, single } = golden.paired;

describe("the paired difference of two models", () => {
  test("agrees with statsmodels' clustered regression on a constant", () => {
    const got = pairedDifference(a[0], graded, groups);
    for (const key of ["difference", "standardError", "low", "high", "pValue"] as const) {
      expect(got[key], key).toBeCloseTo(clustered[key], 10);
    }
  });

  test("with one item a group is the paired t interval", () => {
    const got = pairedDifference(
      a[0],
      graded,
      groups.map((_: string, i: number) => `${i}`),
    );
    for (const key of ["difference", "standardError", "low", "high", "pValue"] as const) {
      expect(got[key], key).toBeCloseTo(single[key], 10);
    }
  });

  test("has no interval from one group", () => {
    const got = pairedDifference([1, 0], [0, 0], ["x", "x"]);
    expect(got.difference).toBe(0.5);
    expect(got.low).toBeNaN();
  });
});

describe("the difference of two mixtures over seeds", () => {
  test("pools seed variance and combines degrees of freedom as scipy does", () => {
    const { mixtures, pooled, dfSeeds, df, difference, low, high, pValue } = golden.seeded;
    const seed = pooledVariance(mixtures);
    expect(seed.variance).toBeCloseTo(pooled, 14);
    expect(seed.df).toBe(dfSeeds);
    const got = seededDifference(a, b, groups, seed);
    expect(got.difference).toBeCloseTo(difference, 12);
    expect(got.df).toBeCloseTo(df, 9);
    expect(got.low).toBeCloseTo(low, 10);
    expect(got.high).toBeCloseTo(high, 10);
    expect(got.pValue).toBeCloseTo(pValue, 10);
  });

  test("has no interval when every mixture has one seed", () => {
    const got = seededDifference([a[0]], [b[0]], groups, pooledVariance([[0.7], [0.6]]));
    expect(got.difference).not.toBeNaN();
    expect(got.low).toBeNaN();
  });

  test("takes item noise of single runs out of the seed variance once, and never below nothing", () => {
    const { variance, df, noise, dfNoise, more, less } = golden.noisy;
    const seed = seedVariance([a, b, [a[0]]], groups);
    expect(seed.variance).toBeCloseTo(variance, 14);
    expect(seed.df).toBe(df);
    expect(seed.noise?.variance).toBeCloseTo(noise, 14);
    expect(seed.noise?.df).toBe(dfNoise);
    for (const [wanted, times] of [
      [more, 4],
      [less, 1 / 4],
    ]) {
      const got = seededDifference(a, b, groups, { ...seed, variance: times * noise });
      for (const key of ["difference", "df", "low", "high", "pValue"] as const) {
        expect(got[key], key).toBeCloseTo(wanted[key], 9);
      }
    }
  });

  test("turns round with its sides, and does not mind the order of items", () => {
    const score = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(score, score, score, score, fc.constantFrom("x", "y", "z")), { minLength: 4 }),
        (items) => {
          const compare = (rows: typeof items, swap: boolean) => {
            const runs = ([0, 1, 2, 3] as const).map((k) => rows.map((row) => row[k]));
            const sides = [runs.slice(0, 2), runs.slice(2)];
            const names = rows.map((row) => row[4]);
            return seededDifference(sides[swap ? 1 : 0]!, sides[swap ? 0 : 1]!, names, seedVariance(sides, names));
          };
          const once = compare(items, false);
          const turned = compare(items, true);
          const reordered = compare(items.toReversed(), false);
          if (Number.isNaN(once.low) || once.standardError < 1e-9) return;
          expect(turned.low).toBeCloseTo(-once.high, 9);
          expect(turned.pValue).toBeCloseTo(once.pValue, 9);
          expect(reordered.low).toBeCloseTo(once.low, 6);
          expect(reordered.pValue).toBeCloseTo(once.pValue, 7);
          expect(once.low).toBeLessThanOrEqual(once.difference);
          expect(once.high).toBeGreaterThanOrEqual(once.difference);
          expect(once.pValue < 0.05).toBe(once.low > 0 || once.high < 0);
        },
      ),
    );
  });
});
