import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { jointDraws } from "./joint-draws.ts";
import { chanceOfBest, selectedBest } from "./selected-best.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/selection/expected.json", import.meta.url), "utf8"),
);
const { scores, reference, seedVariance: variance } = golden;
const groups: string[] = reference.map((_: number, i: number) => `${i}`);
/** Two seeds of each mixture and three of the reference, all alike: the seed variance is given. */
const mixtures: number[][][] = scores.map((one: number[]) => [one, one]);

describe("the best of many", () => {
  for (const { relative, seeds, estimates, standardErrors, criticalValue, chances } of golden.cases) {
    test(`comes to scipy's multivariate t${relative ? ", against a reference" : ""}${seeds ? ", over seeds" : ""}`, () => {
      const joint = jointDraws(mixtures, groups, {
        seed: 3,
        resamples: 6000,
        ...(relative ? { reference: [reference, reference, reference] } : {}),
        ...(seeds ? { seeds: { variance, df: 1e6 } } : {}),
      });
      joint.estimates.forEach((estimate, k) => {
        expect(estimate).toBeCloseTo(estimates[k], 10);
        expect(joint.standardErrors[k]).toBeCloseTo(standardErrors[k], 10);
      });
      const best = selectedBest(joint);
      // The 0.95 quantile of 6000 maxima has a standard error of about 0.02.
      expect(Math.abs(best.criticalValue - criticalValue)).toBeLessThan(0.08);
      expect(best.index).toBe(estimates.indexOf(Math.max(...estimates)));
      expect(best.low).toBeLessThan(best.estimate);
      expect(best.high).toBeGreaterThan(best.estimate);
      expect(best.pValue < 0.05).toBe(best.low > 0);
      chanceOfBest(joint).forEach((chance, k) => {
        expect(Math.abs(chance - chances[k])).toBeLessThan(0.03);
      });
    });
  }

  test("is not helped by more candidates: the interval grows", () => {
    const width = (candidates: number[][][]) => {
      const { low, high } = selectedBest(jointDraws(candidates, groups, { seed: 1 }));
      return high - low;
    };
    expect(width(mixtures)).toBeGreaterThan(width([mixtures[1]!]) * 1.05);
  });

  test("is unsure of a seed spread known from few degrees of freedom", () => {
    const critical = (df: number) =>
      selectedBest(jointDraws(mixtures, groups, { seed: 1, seeds: { variance: 0.1, df } })).criticalValue;
    expect(critical(3)).toBeGreaterThan(critical(300) * 1.2);
  });

  test("has no interval from one group or unknown seed variance", () => {
    const one = groups.map(() => "x");
    expect(selectedBest(jointDraws(mixtures, one, { seed: 1 })).low).toBeNaN();
    const unknown = { variance: Number.NaN, df: 0 };
    const best = selectedBest(jointDraws(mixtures, groups, { seed: 1, seeds: unknown }));
    expect([best.low, best.pValue]).toEqual([Number.NaN, Number.NaN]);
    expect(chanceOfBest({ estimates: [1, 2], draws: [] })).toEqual([Number.NaN, Number.NaN]);
  });

  test("shares a draw between equals, and leaves a mixture that is the reference out of the maximum", () => {
    const joint = jointDraws([mixtures[0]!, mixtures[1]!, mixtures[1]!], groups, { seed: 1, reference: mixtures[0]! });
    const [first, second, third] = chanceOfBest(joint);
    expect(second).toBe(third);
    expect((first as number) + 2 * (second as number)).toBeCloseTo(1, 12);
    expect(Number.isFinite(selectedBest(joint).criticalValue)).toBe(true);
  });
});
