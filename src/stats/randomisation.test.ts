import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { labelStatistic } from "../../test/support/label-statistic.ts";
import { weightedF1 } from "../metrics/weighted-f1.ts";
import { approximateRandomisation } from "./randomisation.ts";

const { randomisation } = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/tests/expected.json", import.meta.url), "utf8"),
);
const { groups, gold, a, b } = randomisation;
const system = (sides: Uint8Array, i: number): number => (sides[i] === 0 ? a[i] : b[i]);
const all = Int32Array.from(gold.keys());
const statistics = {
  accuracy: (sides: Uint8Array) =>
    gold.reduce((sum: number, label: number, i: number) => sum + (system(sides, i) === label ? 1 : 0), 0) / gold.length,
  weightedF1: (sides: Uint8Array) => {
    const outputs = gold.map((_: number, i: number) => system(sides, i));
    return labelStatistic(weightedF1, gold, outputs, 3)(all);
  },
};

describe("approximate randomisation", () => {
  test.each(["accuracy", "weightedF1"] as const)("comes to scipy's p over all swaps: %s", (name) => {
    const got = approximateRandomisation(statistics[name], groups, { seed: 1, draws: 20_000 });
    expect(got.difference).toBeCloseTo(randomisation[name].difference, 12);
    // Four standard errors of a share of 20,000 draws.
    const { pValue } = randomisation[name];
    expect(Math.abs(got.pValue - pValue)).toBeLessThan(4 * Math.sqrt((pValue * (1 - pValue)) / 20_000) + 1e-4);
  });

  test("swaps whole groups, and is never certain", () => {
    let isWhole = true;
    const { pValue } = approximateRandomisation(
      (sides) => {
        groups.forEach((group: string, i: number) => {
          isWhole &&= sides[i] === sides[groups.indexOf(group)];
        });
        return sides[0] as number;
      },
      groups,
      { seed: 1, draws: 50 },
    );
    expect(isWhole).toBe(true);
    expect(pValue).toBe(1);
    const differ = (sides: Uint8Array) => sides.reduce((sum, side) => sum + side, 0);
    const items = Array.from({ length: 60 }, (_, i) => `${i}`);
    expect(approximateRandomisation(differ, items, { seed: 1, draws: 99 }).pValue).toBe(0.01);
  });

  test("has no p where the difference is undefined, and counts undefined draws against it", () => {
    expect(approximateRandomisation(() => Number.NaN, groups, { seed: 1 }).pValue).toBeNaN();
    let calls = 0;
    const mostly = () => (calls++ < 2 ? calls : Number.NaN);
    expect(approximateRandomisation(mostly, groups, { seed: 1, draws: 9 }).pValue).toBe(1);
  });
});
