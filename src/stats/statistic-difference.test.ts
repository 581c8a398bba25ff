import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { labelStatistic } from "../../test/support/label-statistic.ts";
import { mcc } from "../metrics/mcc.ts";
import { weightedF1 } from "../metrics/weighted-f1.ts";
import { seededDifference, seedVariance } from "./difference.ts";
import {
  hierarchicalBootstrap,
  pairedBootstrap,
  seededStatisticDifference,
  statisticSeedVariance,
} from "./statistic-difference.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/resampling/expected.json", import.meta.url), "utf8"),
);
const { groups, gold } = golden;
const a = golden.a.map((predicted: number[]) => labelStatistic(weightedF1, gold, predicted, 3));
const b = golden.b.map((predicted: number[]) => labelStatistic(weightedF1, gold, predicted, 3));
const options = { seed: 5, resamples: 20_000 };
/** Noise of a quantile or spread from that many resamples, against the distribution's own spread. */
const NOISE = 0.1;

describe("the difference of a statistic that is no mean", () => {
  test("between two models has the interval of all resamples, enumerated", () => {
    const got = pairedBootstrap(a[0], b[0], groups, options);
    const { difference, low, high, standardDeviation } = golden.paired;
    expect(got.difference).toBeCloseTo(difference, 12);
    expect(Math.abs(got.low - low)).toBeLessThan(NOISE * standardDeviation);
    expect(Math.abs(got.high - high)).toBeLessThan(NOISE * standardDeviation);
    expect(got.pValue < 0.05).toBe(got.low > 0 || got.high < 0);
  });

  test("over seeds, groups and items has the interval of all resamples, enumerated", () => {
    const got = hierarchicalBootstrap(a, b, groups, options);
    const { difference, low, high, standardDeviation } = golden.hierarchical;
    expect(got.difference).toBeCloseTo(difference, 12);
    expect(Math.abs(got.low - low)).toBeLessThan(NOISE * standardDeviation);
    expect(Math.abs(got.high - high)).toBeLessThan(NOISE * standardDeviation);
  });

  test("over seeds that are all alike is that between two models", () => {
    const got = hierarchicalBootstrap([a[0], a[0]], [b[0], b[0], b[0]], groups, options);
    const { low, high, standardDeviation } = golden.paired;
    expect(Math.abs(got.low - low)).toBeLessThan(NOISE * standardDeviation);
    expect(Math.abs(got.high - high)).toBeLessThan(NOISE * standardDeviation);
  });

  test("between mixtures has the item and seed variance of all resamples, enumerated", () => {
    const seed = statisticSeedVariance([a, b], groups, options);
    const { items, variance, noise, df } = golden.seeded;
    expect(seed.variance).toBeCloseTo(variance, 12);
    expect(seed.df).toBe(df);
    expect((seed.noise?.variance ?? 0) / noise).toBeCloseTo(1, 1);
    const { standardError } = seededStatisticDifference(a, b, groups, { variance: 0, df: 5 }, options);
    expect(standardError ** 2 / items).toBeCloseTo(1, 1);
  });

  test("is that of the means where the statistic is a mean", () => {
    const right = (predicted: number[]) => predicted.map((label, i) => (label === gold[i] ? 1 : 0));
    const means = (runs: number[][]) =>
      runs.map((predicted) => {
        const scores = right(predicted);
        return (items: Int32Array) => items.reduce((sum, i) => sum + (scores[i] as number), 0) / items.length;
      });
    const [runsA, runsB] = [golden.a.map(right), golden.b.map(right)];
    const wanted = seededDifference(runsA, runsB, groups, seedVariance([runsA, runsB], groups));
    const seed = statisticSeedVariance([means(golden.a), means(golden.b)], groups, options);
    const got = seededStatisticDifference(means(golden.a), means(golden.b), groups, seed, options);
    expect(got.difference).toBeCloseTo(wanted.difference, 12);
    expect(got.standardError / wanted.standardError).toBeCloseTo(1, 1);
    expect(got.df / wanted.df).toBeGreaterThan(0.8);
    expect(got.df / wanted.df).toBeLessThan(1.25);
  });

  test.each([
    [
      "paired bootstrap",
      () => pairedBootstrap(a[0], b[0], groups, { seed: 1 }),
      () => pairedBootstrap(b[0], a[0], groups, { seed: 1 }),
    ],
    [
      "seeded t",
      () => seededStatisticDifference(a, b, groups, { variance: 1e-4, df: 9 }, { seed: 1 }),
      () => seededStatisticDifference(b, a, groups, { variance: 1e-4, df: 9 }, { seed: 1 }),
    ],
  ])("turns round with its sides: %s", (_, forwards, backwards) => {
    expect(backwards().low).toBeCloseTo(-forwards().high, 9);
    expect(backwards().pValue).toBeCloseTo(forwards().pValue, 9);
    expect(forwards().low).toBeLessThan(forwards().difference);
    expect(forwards().high).toBeGreaterThan(forwards().difference);
  });

  test("does not exist from one group, one seed, or a statistic that is often undefined", () => {
    const one = groups.map(() => "x");
    expect(pairedBootstrap(a[0], b[0], one, { seed: 1 }).low).toBeNaN();
    expect(hierarchicalBootstrap(a, b, one, { seed: 1 }).low).toBeNaN();
    expect(hierarchicalBootstrap(a, [b[0]], groups, { seed: 1 }).pValue).toBeNaN();
    expect(
      seededStatisticDifference(a, b, groups, statisticSeedVariance([[a[0]]], groups, { seed: 1 }), { seed: 1 }).low,
    ).toBeNaN();
    const constant = labelStatistic(
      mcc,
      gold,
      gold.map(() => 0),
      3,
    );
    expect(pairedBootstrap(a[0], constant, groups, { seed: 1 }).low).toBeNaN();
  });
});
