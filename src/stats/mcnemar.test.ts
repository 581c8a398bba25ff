import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mcnemarExact } from "./mcnemar.ts";

const { mcnemar } = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/tests/expected.json", import.meta.url), "utf8"),
);
const repeat = (times: number, value: number): number[] => Array.from({ length: times }, () => value);

describe("exact McNemar", () => {
  test("agrees with statsmodels", () => {
    for (const { onlyA, onlyB, pValue } of mcnemar) {
      const a = [...repeat(onlyA, 1), ...repeat(onlyB, 0), 1, 0];
      const b = [...repeat(onlyA, 0), ...repeat(onlyB, 1), 1, 0];
      const got = mcnemarExact(a, b);
      expect([got.onlyA, got.onlyB]).toEqual([onlyA, onlyB]);
      expect(Math.abs(got.pValue / pValue - 1)).toBeLessThan(1e-9);
    }
  });

  test("does not mind which side is which, nor the order of items", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(0, 1))), (items) => {
        const once = mcnemarExact(
          items.map(([a]) => a),
          items.map(([, b]) => b),
        );
        const turned = items.toReversed();
        expect(
          mcnemarExact(
            turned.map(([, b]) => b),
            turned.map(([a]) => a),
          ).pValue,
        ).toBe(once.pValue);
        expect(once.pValue).toBeLessThanOrEqual(1);
        expect(once.pValue).toBeGreaterThan(0);
      }),
    );
  });

  test("has no p value for scores that are not right or wrong", () => {
    expect(mcnemarExact([0.5, 1], [0, 1]).pValue).toBeNaN();
  });
});
