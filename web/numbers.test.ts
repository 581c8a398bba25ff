import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ReportTask } from "../src/study/report-data.ts";
import {
  duration,
  extent,
  fixed,
  interval,
  large,
  percent,
  plain,
  pValue,
  score,
  signed,
  tickOf,
  ticks,
} from "./numbers.ts";
import { comesFirst } from "./order.ts";

const inPoints = { unit: "points" } as ReportTask;
const inNats = { unit: "nats a token" } as ReportTask;

describe("ticks", () => {
  test.each<[number, number, number, number[]]>([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-0.03, 1.03, 5, [0, 0.5, 1]],
    [0.31, 0.38, 4, [0.32, 0.34, 0.36, 0.38]],
    [-7, 12, 5, [-5, 0, 5, 10]],
    [997, 1003, 8, Array.from({ length: 7 }, (_, i) => 997 + i)],
    [3, 3, 5, [3]],
  ])("from %d to %d, about %d", (low, high, count, expected) => {
    expect(ticks(low, high, count)).toEqual(expected);
  });

  test("are in order within the range, of a step of 1, 2 or 5 times a power of ten, and as many as asked for at most", () => {
    const range = fc.tuple(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
    );
    fc.assert(
      fc.property(range, fc.integer({ min: 2, max: 10 }), ([low, width], count) => {
        fc.pre(low + width - low > 1e-9 * Math.max(1, Math.abs(low)));
        const high = low + width;
        const marks = ticks(low, high, count);
        const slack = 1e-6 * width + 1e-9 * Math.abs(low);
        expect(marks.length).toBeLessThanOrEqual(count + 1);
        expect(marks.length).toBeGreaterThanOrEqual(1);
        expect(Math.min(...marks)).toBeGreaterThanOrEqual(low - slack);
        expect(Math.max(...marks)).toBeLessThanOrEqual(high + slack);
        if (marks.length < 2) return;
        const step = marks[1]! - marks[0]!;
        const leading = step / 10 ** Math.floor(Math.log10(step * (1 + 1e-6)));
        expect(Math.min(...[1, 2, 5].map((factor) => Math.abs(leading - factor)))).toBeLessThan(1e-3);
        for (const [i, mark] of marks.entries()) if (i > 0) expect(mark - marks[i - 1]!).toBeCloseTo(step, 6);
        // No round number of the range is missing at its ends.
        expect(marks[0]! - low).toBeLessThan(step * (1 + 1e-6));
        expect(high - marks.at(-1)!).toBeLessThan(step * (1 + 1e-6));
      }),
    );
  });
});

describe("an extent", () => {
  test("has a margin on both sides, of the width, of the value where there is one, or of 1", () => {
    expect(extent([2, null, 12, Number.NaN, 7], 0.1)).toEqual([1, 13]);
    expect(extent([-50, undefined], 0.1)).toEqual([-55, -45]);
    expect(extent([0], 0.1)).toEqual([-0.1, 0.1]);
    expect(extent([0, 100])).toEqual([-4, 104]);
  });

  test("of nothing is none", () => {
    expect(extent([])).toBeUndefined();
    expect(extent([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])).toBeUndefined();
  });
});

test("scores and differences are written in their task's unit, with a true minus, and a dash where there is none", () => {
  expect([score(inPoints, 0.8768), score(inNats, 0.8764), score(inPoints, null)]).toEqual(["87.7", "0.876", "–"]);
  expect([signed(inPoints, 0.031), signed(inPoints, -0.031), signed(inNats, 0)]).toEqual(["+3.1", "−3.1", "+0.000"]);
  expect([signed(inPoints, null), fixed(Number.NaN, 2), fixed(-1.005, 1)]).toEqual(["–", "–", "−1.0"]);
  expect([tickOf(inPoints)(0.85), tickOf(inNats)(-0.85)]).toEqual(["85", "−0.85"]);
});

test("an interval has both ends or is empty", () => {
  expect(interval(0.1, 0.2, String)).toBe("0.1 to 0.2");
  expect([interval(null, 0.2, String), interval(0.1, undefined, String), interval(Number.NaN, 1, String)]).toEqual([
    "",
    "",
    "",
  ]);
});

test.each([
  [pValue(0.0009), "< 0.001"],
  [pValue(0.001), "0.001"],
  [pValue(null), "–"],
  [percent(0.009), "< 1\u00a0%"],
  [percent(0.01), "1\u00a0%"],
  [percent(0.996), "> 99\u00a0%"],
  [duration(9.96), "10.0 s"],
  [duration(89), "89 s"],
  [duration(90), "2 min"],
  [duration(5399), "90 min"],
  [duration(5400), "1.5 h"],
  [duration(undefined), "–"],
  [large(999, "B"), "999 B"],
  [large(1234567), "1.23 M"],
  [large(1000), "1 k"],
  [large(0), "0"],
  [large(Number.NaN), "–"],
  [plain(1234.56), "1235"],
  [plain(-0.000123456), "−0.0001235"],
])("%j is %j", (written, expected) => {
  expect(written).toBe(expected);
});

test("the larger comes first, what does not exist last", () => {
  expect([null, 1, 3, null, 2].sort(comesFirst)).toEqual([3, 2, 1, null, null]);
});
