import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { benjaminiHochberg, holm } from "./corrections.ts";

const { families } = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/tests/expected.json", import.meta.url), "utf8"),
);
const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 });

describe.each([
  ["Holm", holm, "holm"],
  ["Benjamini and Hochberg", benjaminiHochberg, "benjaminiHochberg"],
] as const)("p values adjusted by %s", (_, adjust, key) => {
  test("agree with statsmodels", () => {
    for (const family of families) {
      const { pValues: got, familySize } = adjust(family.p);
      expect(familySize).toBe(family.p.length);
      got.forEach((p, i) => {
        expect(p).toBeCloseTo(family[key][i], 12);
      });
    }
  });

  test("are no smaller, keep the order, and stay below 1", () => {
    fc.assert(
      fc.property(pValues, (ps) => {
        const { pValues: got } = adjust(ps);
        ps.forEach((p, i) => {
          expect(got[i]).toBeGreaterThanOrEqual(p * (1 - 1e-12));
          expect(got[i]).toBeLessThanOrEqual(1);
          ps.forEach((other, j) => {
            if (p < other) expect(got[i]).toBeLessThanOrEqual(got[j] as number);
            if (p === other) expect(got[i]).toBe(got[j]);
          });
        });
      }),
    );
  });

  test("do not count tests that could not be made", () => {
    expect(adjust([0.01, Number.NaN, 0.02])).toEqual({
      pValues: [adjust([0.01, 0.02]).pValues[0], Number.NaN, adjust([0.01, 0.02]).pValues[1]],
      familySize: 2,
    });
    expect(adjust([])).toEqual({ pValues: [], familySize: 0 });
  });
});

test("Benjamini and Hochberg's are never above Holm's", () => {
  fc.assert(
    fc.property(pValues, (ps) => {
      const strict = holm(ps).pValues;
      benjaminiHochberg(ps).pValues.forEach((p, i) => {
        expect(p).toBeLessThanOrEqual((strict[i] as number) * (1 + 1e-12));
      });
    }),
  );
});
