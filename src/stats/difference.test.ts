import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Rng } from "../base/rng.ts";
import { pairedDifference, pooledVariance, seededDifference } from "./difference.ts";
import { mean } from "./moments.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/intervals/expected.json", import.meta.url), "utf8"),
);
const { groups, graded, a, b, clustered, single } = golden.paired;

describe("the paired difference of two models", () => {
  test("agrees with statsmodels' clustered regression on a constant", () => {
    const got = pairedDifference(a[0], graded, groups);
    for (const key of ["difference", "standardError", "low", "high"] as const) {
      expect(got[key], key).toBeCloseTo(clustered[key], 10);
    }
  });

  test("with one item a group is the paired t interval", () => {
    const got = pairedDifference(
      a[0],
      graded,
      groups.map((_: string, i: number) => `${i}`),
    );
    for (const key of ["difference", "standardError", "low", "high"] as const) {
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
    const { mixtures, pooled, dfSeeds, df, difference, low, high } = golden.seeded;
    const seed = pooledVariance(mixtures);
    expect(seed.variance).toBeCloseTo(pooled, 14);
    expect(seed.df).toBe(dfSeeds);
    const got = seededDifference(a, b, groups, seed);
    expect(got.difference).toBeCloseTo(difference, 12);
    expect(got.df).toBeCloseTo(df, 9);
    expect(got.low).toBeCloseTo(low, 10);
    expect(got.high).toBeCloseTo(high, 10);
  });

  test("has no interval when every mixture has one seed", () => {
    const got = seededDifference([a[0]], [b[0]], groups, pooledVariance([[0.7], [0.6]]));
    expect(got.difference).not.toBeNaN();
    expect(got.low).toBeNaN();
  });

  test.each([
    [2, 0],
    [2, 1],
    [2, 4],
    [3, 1],
    [3, 4],
    [6, 1],
    [6, 4],
  ])("covers equal mixtures in about 95 %% of studies: %i seeds, seed variance %i x item variance", (seeds, ratio) => {
    const rng = new Rng(7, `${seeds} ${ratio}`);
    const numItems = 60;
    const names = Array.from({ length: numItems }, (_, i) => `${i}`);
    // A seed's shift of the mean against the item part of the variance of a two-mixture difference (2 * 1 / n).
    const seedSpread = Math.sqrt((ratio * 2) / numItems);
    const numStudies = 300;
    let covered = 0;
    for (let study = 0; study < numStudies; study++) {
      const mixtures = Array.from({ length: 7 }, () => {
        const ability = names.map(() => rng.normal());
        return Array.from({ length: seeds }, () => {
          const shift = seedSpread * rng.normal();
          return ability.map((score) => score + shift + 0.3 * rng.normal());
        });
      });
      const seed = pooledVariance(mixtures.map((runs) => runs.map(mean)));
      const { low, high } = seededDifference(mixtures[0]!, mixtures[1]!, names, seed);
      if (low <= 0 && high >= 0) covered++;
    }
    // Four standard errors of a coverage of 0.95 over 300 studies below.
    expect(covered / numStudies).toBeGreaterThan(0.9);
  });
});
