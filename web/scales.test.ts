import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apart, bandOf, HEIGHT, type Line, MARGIN, scalesOf, smoothed } from "./scales.ts";

const WIDTH = 640;
const line = (points: Line["points"], more: Partial<Line> = {}): Line => ({ name: "a", points, ...more });

/** Finite numbers far enough apart to be told from each other in pixels. */
const valueArb = fc.integer({ min: -1e6, max: 1e6 }).map((value) => value / 100);
const pointArb = fc.record({ x: valueArb, y: valueArb });
const linesArb = fc.array(
  fc.record({
    name: fc.constant("a"),
    points: fc.array(pointArb, { minLength: 1, maxLength: 8 }),
    dots: fc.array(pointArb, { maxLength: 4 }),
    behind: fc.array(pointArb, { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 3 },
);

describe("scales", () => {
  test("by hand: 0 to 100 has 3 on either side, and the plot is 566 pixels wide and 246 high", () => {
    const { x, y, xTicks, yTicks, isLogarithmic } = scalesOf(
      [
        line([
          { x: 0, y: 0 },
          { x: 100, y: 50 },
        ]),
      ],
      WIDTH,
    );
    expect([x(0), x(100)].map((at) => Math.round(10 * at) / 10)).toEqual([74, 608]); // 58 + 566 x 3/106, 58 + 566 x 103/106
    expect([y(0), y(50)].map((at) => Math.round(10 * at) / 10)).toEqual([244.8, 25.2]); // 3 of 56 from either end
    expect(xTicks).toEqual([0, 20, 40, 60, 80, 100]);
    expect(yTicks).toEqual([0, 20, 40]);
    expect(isLogarithmic).toBe(false);
  });

  test("hold every point, dot and smoothed value, with the smallest on the left and at the bottom", () => {
    fc.assert(
      fc.property(linesArb, fc.integer({ min: 280, max: 2000 }), (lines, width) => {
        const { x, y } = scalesOf(lines, width);
        const all = lines.flatMap(({ points, dots, behind }) => [...points, ...dots, ...behind]);
        for (const point of all) {
          expect(x(point.x)).toBeGreaterThan(MARGIN.left);
          expect(x(point.x)).toBeLessThan(width - MARGIN.right);
          expect(y(point.y)).toBeGreaterThan(MARGIN.top);
          expect(y(point.y)).toBeLessThan(HEIGHT - MARGIN.bottom);
          for (const other of all) {
            if (point.x < other.x) expect(x(point.x)).toBeLessThan(x(other.x));
            if (point.y < other.y) expect(y(point.y)).toBeGreaterThan(y(other.y));
          }
        }
      }),
    );
  });

  test("hold bands whole", () => {
    const points = [
      { x: 1, y: 5, low: -10, high: 6 },
      { x: 2, y: 5, low: 4, high: 30 },
    ];
    const { y } = scalesOf([line(points)], WIDTH);
    expect(y(-10)).toBeLessThan(HEIGHT - MARGIN.bottom);
    expect(y(30)).toBeGreaterThan(MARGIN.top);
  });

  test("end where values mean nothing, and what lies beyond stands at the end", () => {
    const points = [
      { x: 1, y: 0.9, low: 0.7, high: 1.2 },
      { x: 2, y: 0.1, low: -0.3, high: 0.4 },
    ];
    const { y, yTicks } = scalesOf([line(points)], WIDTH, [0, 1]);
    expect([y(1), y(1.2)]).toEqual([MARGIN.top, MARGIN.top]);
    expect([y(0), y(-0.3)]).toEqual([HEIGHT - MARGIN.bottom, HEIGHT - MARGIN.bottom]);
    expect(yTicks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  test.each([
    ["more than twenty times the smallest", [10, 100, 1000], true, true],
    ["twenty times the smallest", [10, 200], true, false],
    ["zero among the values", [0, 10, 1000], true, false],
    ["a chart that may not", [10, 1000], false, false],
  ])("logarithmic or not: %s", (_, xs, mayBe, expected) => {
    const { isLogarithmic } = scalesOf([line(xs.map((x) => ({ x, y: 1 })))], WIDTH, undefined, mayBe);
    expect(isLogarithmic).toBe(expected);
  });

  test("drawn logarithmically, equal ratios are equally far apart, and each value has a tick", () => {
    const points = [1000, 10, 100, 10].map((x) => ({ x, y: x }));
    const { x, xTicks } = scalesOf([line(points)], WIDTH, undefined, true);
    expect(x(100) - x(10)).toBeCloseTo(x(1000) - x(100), 9);
    expect(xTicks).toEqual([10, 100, 1000]);
  });

  test("a narrow chart has fewer ticks", () => {
    const points = [
      { x: 0, y: 0 },
      { x: 100, y: 1 },
    ];
    expect(scalesOf([line(points)], 479).xTicks).toEqual([0, 50, 100]);
    expect(scalesOf([line(points)], 480).xTicks).toHaveLength(6);
  });

  test("one point stands in the middle", () => {
    const { x, y } = scalesOf([line([{ x: 3, y: 0 }])], WIDTH);
    expect(x(3)).toBeCloseTo((MARGIN.left + WIDTH - MARGIN.right) / 2, 9);
    expect(y(0)).toBeCloseTo((MARGIN.top + HEIGHT - MARGIN.bottom) / 2, 9);
  });
});

describe("a band", () => {
  test("takes two points with an interval, and only those", () => {
    const whole = { x: 1, y: 2, low: 1, high: 3 };
    expect(bandOf(line([whole, { x: 2, y: 2 }, { x: 3, y: 2, low: null, high: null }]))).toEqual([]);
    expect(bandOf(line([whole, { x: 2, y: 2 }, { ...whole, x: 3, low: 0 }]))).toEqual([
      { x: 1, low: 1, high: 3 },
      { x: 3, low: 0, high: 3 },
    ]);
  });
});

describe("a line of many points", () => {
  test("of fewer than twenty is not smoothed, and what is missing stays missing", () => {
    const points = Array.from({ length: 19 }, (_, x) => ({ x, y: x % 3 === 0 ? null : x }));
    expect(smoothed(points)).toEqual(points);
  });

  test("of twenty: each is the mean of itself and its neighbors that exist", () => {
    const points = Array.from({ length: 20 }, (_, x) => ({ x, y: x === 5 ? null : x ** 2 }));
    const ys = smoothed(points).map(({ y }) => y);
    expect(ys[0]).toBe(0.5); // of 0 and 1
    expect(ys[2]).toBeCloseTo((1 + 4 + 9) / 3, 12);
    expect(ys[4]).toBe((9 + 16) / 2);
    expect(ys[5]).toBe((16 + 36) / 2);
    expect(ys[19]).toBe((324 + 361) / 2);
  });

  test("stays within what it smooths", () => {
    fc.assert(
      fc.property(fc.array(valueArb, { minLength: 1, maxLength: 200 }), (ys) => {
        const means = smoothed(ys.map((y, x) => ({ x, y })));
        expect(means.map(({ x }) => x)).toEqual(ys.map((_, x) => x));
        for (const { y } of means) {
          expect(y).toBeGreaterThanOrEqual(Math.min(...ys) - 1e-9);
          expect(y).toBeLessThanOrEqual(Math.max(...ys) + 1e-9);
        }
      }),
    );
  });
});

test("labels that would touch are left out, the first stays", () => {
  const at = (...places: number[]) => places.map((place) => ({ at: place }));
  expect(apart(at(0, 43, 44, 80, 88), 44)).toEqual(at(0, 44, 88));
  expect(apart([], 44)).toEqual([]);
});
