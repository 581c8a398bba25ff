import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Rng } from "../base/rng.ts";
import { bootstrapInterval, bootstrapIntervals } from "./bootstrap.ts";
import { clusteredVarianceOfMean, clusters } from "./clusters.ts";

const rng = new Rng(3);
const groups = Array.from({ length: 400 }, (_, i) => `${Math.floor(i / 4)}`);
/** Items of a group are alike: treating them as independent would halve the interval. */
const shift = new Map([...new Set(groups)].map((g) => [g, rng.normal()]));
const values = groups.map((g) => (shift.get(g) as number) + 0.1 * rng.normal());
const meanOf = (items: Int32Array) => items.reduce((sum, i) => sum + (values[i] as number), 0) / items.length;

describe("the bootstrap over groups", () => {
  test("is as wide as the clustered normal interval for a mean", () => {
    const { low, high } = bootstrapInterval(meanOf, groups, { seed: 1, resamples: 2000 });
    const wanted = 2 * 1.96 * Math.sqrt(clusteredVarianceOfMean(values, groups));
    // The width's own noise at 2000 resamples is about 3 %.
    expect((high - low) / wanted).toBeGreaterThan(0.9);
    expect((high - low) / wanted).toBeLessThan(1.1);
  });

  test("gives the same interval for the same seed and another for another", () => {
    const once = bootstrapInterval(meanOf, groups, { seed: 1, resamples: 50 });
    expect(bootstrapInterval(meanOf, groups, { seed: 1, resamples: 50 })).toEqual(once);
    expect(bootstrapInterval(meanOf, groups, { seed: 2, resamples: 50 })).not.toEqual(once);
  });

  test("draws whole groups, as many as there are", () => {
    const seen: Int32Array[] = [];
    bootstrapInterval(
      (items) => {
        seen.push(items);
        return 0;
      },
      groups,
      { seed: 1, resamples: 20 },
    );
    for (const items of seen) {
      expect(items.length).toBe(400);
      for (let i = 0; i < items.length; i += 4) {
        const first = items[i] as number;
        expect([...items.slice(i, i + 4)]).toEqual([first, first + 1, first + 2, first + 3]);
      }
    }
  });

  test("leaves out a few undefined resamples, and has no interval with many", () => {
    let calls = 0;
    const mostly = (every: number) => () => (calls++ % every === 1 ? Number.NaN : 1);
    const [few] = bootstrapIntervals(() => [mostly(50)()], groups, { seed: 1, resamples: 100 });
    expect(few).toEqual({ low: 1, high: 1 });
    calls = 0;
    const [many] = bootstrapIntervals(() => [mostly(3)()], groups, { seed: 1, resamples: 100 });
    expect(many?.low).toBeNaN();
  });

  test("has no interval from one group", () => {
    expect(bootstrapInterval(() => 1, ["x", "x"], { seed: 1 }).low).toBeNaN();
  });

  test("clusters hold every item once, groups in order of appearance", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c", "d")), (names) => {
        const all = clusters(names);
        expect(all.flat().sort((x, y) => x - y)).toEqual([...names.keys()]);
        expect(all.map((items) => names[items[0] as number])).toEqual([...new Set(names)]);
      }),
    );
  });
});
