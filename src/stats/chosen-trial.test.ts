import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedChosen, type Trial } from "./chosen-trial.ts";
import { expectedMaximum } from "./expected-maximum.ts";

/** By its meaning: every subset, every trial of it that is best on dev as likely as the others. */
function byEnumeration(trials: readonly Trial[], k: number): number {
  const means: number[] = [];
  for (let bits = 0; bits < 2 ** trials.length; bits++) {
    const subset = trials.filter((_, i) => (bits >> i) & 1);
    if (subset.length !== k) continue;
    const best = Math.max(...subset.map(({ dev }) => dev));
    const picked = subset.filter(({ dev }) => dev === best);
    means.push(picked.reduce((sum, { test }) => sum + test, 0) / picked.length);
  }
  return means.reduce((sum, mean) => sum + mean, 0) / means.length;
}

const trial = fc.record({ dev: fc.integer({ min: 0, max: 4 }), test: fc.double({ min: 0, max: 1, noNaN: true }) });

describe("the trial that dev picks", () => {
  test("is, ties among equals aside, the mean over all subsets", () => {
    const distinct = fc.uniqueArray(
      fc.record({ dev: fc.integer({ min: 0, max: 99 }), test: fc.double({ min: 0, max: 1, noNaN: true }) }),
      { minLength: 1, maxLength: 8, selector: ({ dev }) => dev },
    );
    fc.assert(
      fc.property(distinct, fc.nat(7), (trials, at) => {
        const k = (at % trials.length) + 1;
        expect(expectedChosen(trials, k)).toBeCloseTo(byEnumeration(trials, k), 12);
      }),
    );
  });

  test("shares chances among trials of equal dev score by the mean of their test scores", () => {
    fc.assert(
      fc.property(fc.array(trial, { minLength: 1, maxLength: 8 }), fc.nat(7), (trials, at) => {
        const k = (at % trials.length) + 1;
        expect(expectedChosen(trials, k)).toBeCloseTo(byEnumeration(trials, k), 12);
      }),
    );
  });

  test("is the expected maximum where dev says what test will say", () => {
    const scores = [0.5, 0.61, 0.58, 0.4, 0.7];
    for (const k of [1, 2, 3, 4, 5]) {
      const trials = scores.map((score) => ({ dev: score, test: score }));
      expect(expectedChosen(trials, k)).toBeCloseTo(expectedMaximum(scores, k), 12);
    }
  });

  test("does not exist beyond what was tried, nor where a score does not", () => {
    expect(expectedChosen([{ dev: 1, test: 1 }], 2)).toBeNaN();
    expect(expectedChosen([], 1)).toBeNaN();
    expect(expectedChosen([{ dev: Number.NaN, test: 1 }], 1)).toBeNaN();
    expect(expectedChosen([{ dev: 1, test: Number.NaN }], 1)).toBeNaN();
  });
});
