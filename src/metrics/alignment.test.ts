import fc from "fast-check";
import { expect, test } from "vitest";
import { bestAlignment } from "./alignment.ts";

/** Every way to pair, tried. */
function tried(scores: readonly (readonly number[])[], used: readonly number[] = []): number {
  const [row, ...rest] = scores;
  if (row === undefined) return 0;
  const with_ = row.map((score, j) => (used.includes(j) ? 0 : score + tried(rest, [...used, j])));
  return Math.max(tried(rest, used), ...with_);
}

test("the best pairing gives up the best single pair where that pays", () => {
  expect(
    bestAlignment([
      [1, 0.9],
      [0.9, 0],
    ]),
  ).toBeCloseTo(1.8, 12);
  expect(bestAlignment([])).toBe(0);
  expect(bestAlignment([[], []])).toBe(0);
  expect(bestAlignment([[0.2], [0.7], [0.1]])).toBeCloseTo(0.7, 12);
});

test("no pairing of up to five by five is better", () => {
  const table = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) => {
    const row = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: columns, maxLength: columns });
    return fc.array(row, { minLength: rows, maxLength: rows });
  });
  fc.assert(
    fc.property(table, (scores) => {
      expect(bestAlignment(scores)).toBeCloseTo(tried(scores), 9);
    }),
  );
});
