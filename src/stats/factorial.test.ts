import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededDifference, seedVariance } from "./difference.ts";
import { factorialModel } from "./factorial.ts";
import { linearFit } from "./least-squares.ts";
import { mean } from "./moments.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/stats/factorial/expected.json", import.meta.url), "utf8"),
);

describe("the model of a score by ingredients", () => {
  test.each([0, 1, 2, 3, 4, 5, 6])(
    "agrees with statsmodels, and gives no number that the runs do not determine: case %i",
    (c) => {
      const { factors, pairs, scores, effects, notEstimable, residualDf, residualVariance, lackOfFit } =
        golden.cases[c];
      const got = factorialModel({ scores, factors, pairs });
      expect(got.notEstimable).toEqual(notEstimable);
      expect(got.residualDf).toBe(residualDf);
      expect(got.residualVariance).toBeCloseTo(residualVariance, 12);
      expect(got.effects.map(({ term }) => term)).toEqual(effects.map(({ term }: { term: string }) => term));
      got.effects.forEach((effect, j) => {
        for (const key of ["effect", "standardError", "df", "low", "high", "pValue"] as const) {
          expect(effect[key], `${effect.term} ${key}`).toBeCloseTo(effects[j][key], 8);
        }
      });
      if (lackOfFit === null) expect(got.lackOfFit).toBeUndefined();
      else {
        expect(got.lackOfFit?.f).toBeCloseTo(lackOfFit.f, 8);
        expect(got.lackOfFit?.dfs).toEqual(lackOfFit.dfs);
        expect(got.lackOfFit?.pValue).toBeCloseTo(lackOfFit.pValue, 8);
      }
    },
  );

  test("with items adds their clustered variance, the noise of runs counted once", () => {
    const { scores, groups, effects } = golden.items;
    const got = factorialModel({
      scores: scores.map(mean),
      factors: golden.cases[0].factors,
      items: { scores, groups },
    });
    got.effects.forEach((effect, j) => {
      for (const key of ["effect", "standardError", "df", "low", "high"] as const) {
        expect(effect[key], `${effect.term} ${key}`).toBeCloseTo(effects[j][key], 8);
      }
    });
  });

  test("of two mixtures is their seeded difference", () => {
    const { scores, groups } = golden.items;
    const a: number[][] = scores.slice(0, 3);
    const b: number[][] = scores.slice(3, 6);
    const wanted = seededDifference(a, b, groups, seedVariance([a, b], groups));
    const items = { scores: [...a, ...b], groups };
    const [got] = factorialModel({ scores: items.scores.map(mean), factors: { a: [1, 1, 1, 0, 0, 0] }, items }).effects;
    for (const key of ["standardError", "df", "low", "high", "pValue"] as const) {
      expect(got![key], key).toBeCloseTo(wanted[key], 9);
    }
  });

  test("has effects but no intervals where every run is used up", () => {
    const got = factorialModel({ scores: [1, 2, 4], factors: { a: [0, 1, 0], b: [0, 0, 1] } });
    expect(got.effects.map(({ effect }) => effect)).toEqual([expect.closeTo(1, 12), expect.closeTo(3, 12)]);
    expect(got.residualVariance).toBeNaN();
    expect(got.effects[0]?.low).toBeNaN();
    expect(got.effects[0]?.pValue).toBeNaN();
  });
});

describe("least squares", () => {
  const matrix = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 6 })).chain(([rows, columns]) =>
    fc.array(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: rows, maxLength: rows }), {
      minLength: columns,
      maxLength: columns,
    }),
  );

  test("finds again every coefficient that it says is determined, and leaves no residual of a fitted vector", () => {
    fc.assert(
      fc.property(
        matrix,
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 6, maxLength: 6 }),
        (columns, truth) => {
          const y = columns[0]!.map((_, r) => columns.reduce((sum, column, j) => sum + column[r]! * truth[j]!, 0));
          const { weights, rank, residuals } = linearFit(columns);
          weights.forEach((w, j) => {
            if (w) expect(w.reduce((sum, value, r) => sum + value * y[r]!, 0)).toBeCloseTo(truth[j] as number, 8);
          });
          for (const left of residuals(y)) expect(left).toBeCloseTo(0, 8);
          expect(weights.every((w) => w !== undefined)).toBe(rank === columns.length);
        },
      ),
    );
  });

  test("determines neither of two equal columns, and the third all the same", () => {
    const { weights, rank } = linearFit([
      [1, 1, 0, 0],
      [1, 1, 0, 0],
      [0, 1, 1, 0],
    ]);
    expect(rank).toBe(2);
    expect(weights.map((w) => w !== undefined)).toEqual([false, false, true]);
  });
});
