import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Rng } from "./rng.ts";

const draws = (rng: Rng, n: number): number[] => Array.from({ length: n }, () => rng.float());

/** Pearson's statistic of counts against equal expectation. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("a stream", () => {
  test("is decided by seed and names alone, and forking does not move it", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.string().map((text) => text.replaceAll("/", "|")),
        (seed, name) => {
          const rng = new Rng(seed);
          const first = rng.float();
          const forked = draws(rng.fork(name), 3);
          expect(draws(new Rng(seed), 2)).toEqual([first, rng.float()]);
          expect(draws(new Rng(seed).fork(name), 3)).toEqual(forked);
        },
      ),
    );
  });

  test("differs from those of other seeds and names, also of those that spell alike", () => {
    const streams = [
      new Rng(1),
      new Rng(2),
      new Rng(1).fork("a"),
      new Rng(1).fork("b"),
      new Rng(1).fork("a").fork("b"),
      new Rng(11),
      new Rng(1).fork(1),
      new Rng(1).fork(""),
      new Rng(1).fork("").fork(""),
    ];
    const firsts = streams.map((rng) => draws(rng, 4).join());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  test("has a name without slashes: one with them would be the stream of several names", () => {
    expect(() => new Rng(1).fork("a/b")).toThrow(/slash/);
    expect(() => new Rng("1/a")).toThrow(/slash/);
    expect(() => new Rng(1, "a/b")).toThrow(/slash/);
    expect(draws(new Rng(1, "a", "b"), 3)).toEqual(draws(new Rng(1).fork("a").fork("b"), 3));
  });

  test("stays what it was: the bits of every study hang on it", () => {
    const streams = [new Rng(1), new Rng(1, "bootstrap"), new Rng(1).fork("mixture").fork(3).fork("order")];
    expect(streams.map((rng) => rng.uint32())).toEqual([1460099408, 3397796221, 541914550]);
  });

  test("does not repeat within a million draws as a 32-bit mix of a counter alone would not", () => {
    const rng = new Rng(5);
    const seen = new Set(Array.from({ length: 1_000_000 }, () => rng.float()));
    expect(seen.size).toBeGreaterThan(999_990);
  });
});

// Each statistic has 99 degrees of freedom; 150 is passed by chance once in about 1,300 seeds, and the seeds are fixed.
describe("draws are spread evenly", () => {
  const n = 100_000;
  test("in [0, 1)", () => {
    const counts = new Array<number>(100).fill(0);
    for (const x of draws(new Rng(1), n)) counts[Math.floor(x * 100)]! += 1;
    expect(chiSquare(counts)).toBeLessThan(150);
  });

  test("in pairs of one draw and the next", () => {
    const counts = new Array<number>(100).fill(0);
    const rng = new Rng(2);
    for (let i = 0; i < n; i++) counts[rng.int(10) * 10 + rng.int(10)]! += 1;
    expect(chiSquare(counts)).toBeLessThan(150);
  });

  test("over the first draws of neighbouring forks", () => {
    const counts = new Array<number>(100).fill(0);
    const root = new Rng(3);
    for (let i = 0; i < 20_000; i++) counts[root.fork(i).int(100)]! += 1;
    expect(chiSquare(counts)).toBeLessThan(150);
  });

  test("over the places of a shuffle", () => {
    const counts = new Array<number>(25).fill(0);
    const rng = new Rng(4);
    for (let i = 0; i < 20_000; i++)
      for (const [place, item] of rng.shuffle([0, 1, 2, 3, 4]).entries()) counts[place * 5 + item]! += 1;
    expect(chiSquare(counts)).toBeLessThan(60);
  });
});

test("normal draws have mean 0, variance 1 and the share beyond two that a normal has", () => {
  const rng = new Rng(6);
  const n = 200_000;
  const xs = Array.from({ length: n }, () => rng.normal());
  const mean = xs.reduce((a, b) => a + b, 0) / n;
  const variance = xs.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1);
  // Standard errors: 0.0022, 0.0032, 0.0005; four of each.
  expect(Math.abs(mean)).toBeLessThan(0.009);
  expect(Math.abs(variance - 1)).toBeLessThan(0.013);
  expect(Math.abs(xs.filter((x) => Math.abs(x) > 2).length / n - 0.0455)).toBeLessThan(0.002);
});

test("a shuffle keeps every element and leaves the list alone", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (list, seed) => {
      const before = [...list];
      expect(new Rng(seed).shuffle(list).sort((a, b) => a - b)).toEqual([...list].sort((a, b) => a - b));
      expect(list).toEqual(before);
    }),
  );
});

test("an integer below n is one", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 1000 }), (seed, n) => {
      const value = new Rng(seed).int(n);
      expect(Number.isInteger(value) && value >= 0 && value < n).toBe(true);
    }),
  );
});
