/** @file P values of a family of tests, adjusted for their number: compare an adjusted p with the level itself. */

/** The level of every test. */
export const SIGNIFICANT = 0.05;

/** Adjusted p values in the order given, and how many tests were corrected for. Undefined (NaN) p values stay so and are not counted. */
export interface Adjusted {
  pValues: number[];
  familySize: number;
}

/**
 * Holm's step-down: the chance of any false claim in the family is at most the level, whatever the tests' dependence. For the declared
 * primary family. p(i) becomes max over j <= i of (m - j + 1) p(j), at most 1.
 *
 * @source Holm 1979; golden test/golden/stats/tests (statsmodels multipletests, holm)
 */
export function holm(pValues: readonly number[]): Adjusted {
  return adjusted(pValues, (ascending) => {
    let most = 0;
    return ascending.map((p, i) => {
      most = Math.max(most, Math.min(1, (ascending.length - i) * p));
      return most;
    });
  });
}

/**
 * Benjamini and Hochberg's step-up: the expected share of false claims among the claims is at most the level, for independent or
 * positively dependent tests. For exploration. p(i) becomes min over j >= i of m p(j) / j, at most 1.
 *
 * @source Benjamini & Hochberg 1995; golden test/golden/stats/tests (statsmodels multipletests, fdr_bh)
 */
export function benjaminiHochberg(pValues: readonly number[]): Adjusted {
  return adjusted(pValues, (ascending) => {
    let least = 1;
    return ascending
      .map((p, i) => (ascending.length * p) / (i + 1))
      .reverse()
      .map((p) => {
        least = Math.min(least, p);
        return least;
      })
      .reverse();
  });
}

function adjusted(pValues: readonly number[], adjust: (ascending: number[]) => number[]): Adjusted {
  const order = [...pValues.keys()].filter((i) => !Number.isNaN(pValues[i]));
  order.sort((i, j) => (pValues[i] as number) - (pValues[j] as number));
  const out = pValues.map(() => Number.NaN);
  adjust(order.map((i) => pValues[i] as number)).forEach((p, rank) => {
    out[order[rank] as number] = p;
  });
  return { pValues: out, familySize: order.length };
}
