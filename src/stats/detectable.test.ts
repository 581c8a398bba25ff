import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { designEffect, minimumDetectableDifference } from "./detectable.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/power/expected.json", import.meta.url), "utf8"),
);

describe("the smallest difference that a study will probably find", () => {
  test("agrees with statsmodels", () => {
    for (const { difference, ...plan } of golden.items) {
      expect(minimumDetectableDifference(plan) / difference).toBeCloseTo(1, 3);
    }
  });

  test("from seeds alone is close to that of a t test", () => {
    for (const { df, standardErrors } of golden.seeds) {
      const seeds = { numSeeds: 2, variance: 1, df };
      const got = minimumDetectableDifference({ numItems: 100, itemVariance: 0, seeds });
      // The usual sum of two t quantiles is a little less than the noncentral t's answer.
      expect(got / standardErrors).toBeGreaterThan(0.97);
      expect(got / standardErrors).toBeLessThan(1.01);
    }
  });

  test.each([
    [970, 2.8],
    [20_547, 0.6],
    [2_283, 1.9],
    [3_502, 1.5],
    [98, 8.9],
    [2_388, 1.8],
    [4_117, 1.4],
    [1_147, 2.6],
    [1_490, 2.3],
    [421, 4.3],
    [90, 9.3],
    [150, 7.2],
  ])("on %i items of which 10 % are discordant is %f points", (numItems, points) => {
    const got = 100 * minimumDetectableDifference({ numItems, itemVariance: 0.1 });
    expect(Math.round(got * 10) / 10).toBe(points);
  });

  test("grows with seed variance and dependence, shrinks with seeds, and is undefined of nothing", () => {
    const plan = { numItems: 500, itemVariance: 0.1 };
    const least = minimumDetectableDifference(plan);
    const of = (numSeeds: number) =>
      minimumDetectableDifference({ ...plan, seeds: { numSeeds, variance: 1e-4, df: 20 } });
    expect(of(2)).toBeGreaterThan(of(6));
    expect(of(6)).toBeGreaterThan(least);
    expect(minimumDetectableDifference({ ...plan, designEffect: 4 })).toBeCloseTo(2 * least, 12);
    expect(minimumDetectableDifference({ ...plan, numItems: 0 })).toBeNaN();
  });
});

describe("the design effect", () => {
  test("is the size of groups of equal items, and about 1 with one item a group", () => {
    const values = Array.from({ length: 60 }, (_, i) => (Math.floor(i / 3) * 7) % 11);
    expect(
      designEffect(
        values,
        values.map((_, i) => `${Math.floor(i / 3)}`),
      ),
    ).toBeCloseTo(3.1, 1);
    expect(
      designEffect(
        values,
        values.map((_, i) => `${i}`),
      ),
    ).toBeCloseTo(1, 12);
  });

  test("is undefined where nothing varies", () => {
    expect(designEffect([1, 1, 1], ["a", "b", "c"])).toBeNaN();
  });
});
