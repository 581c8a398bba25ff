/** @file What each ingredient, and each pair of them, does to a task's score: a linear model over all runs of a study. */

import { clusteredVarianceOfMean, clusters } from "./clusters.ts";
import { type PooledVariance, type SeedVariance, tDifference, withSeeds } from "./difference.ts";
import type { Interval } from "./interval.ts";
import { type LinearFit, linearFit } from "./least-squares.ts";
import { mean } from "./moments.ts";
import { incompleteBeta } from "./special.ts";

/** Between the two of a pair: no ingredient's name has a space. */
const BETWEEN = " x ";

/** Whether a term is of two factors together. */
export function isPair({ term }: { term: string }): boolean {
  return term.includes(BETWEEN);
}

/** Runs of one task and base: their scores and what was in them. */
export interface FactorialData {
  /** [runs] */
  scores: readonly number[];
  /** [runs] each: 1 where the ingredient is in the run's mixture, else 0 (or a dose). */
  factors: Readonly<Record<string, readonly number[]>>;
  /** Pairs of factors whose product is a term: what both together do beyond the sum of what each does alone. */
  pairs?: readonly (readonly [string, string])[];
  /** Item scores [runs][n] whose means the scores are, and the items' groups. With them intervals hold for new items; else for these. */
  items?: { scores: readonly (readonly number[])[]; groups: readonly string[] };
}

/** One term of the model. */
export interface Effect extends Interval {
  /** A factor's name, or two joined by " x ". */
  term: string;
  /** Change of the score with the ingredient against without, the others as they are; of a pair: beyond the sum of its two. */
  effect: number;
  standardError: number;
  df: number;
  pValue: number;
}

/** The fitted model. */
export interface FactorialModel {
  /** Terms that the runs determine, in order: factors, then pairs. The intercept is not among them. */
  effects: Effect[];
  /** Terms that the runs do not determine: no number is given for them. */
  notEstimable: string[];
  numRuns: number;
  residualDf: number;
  /** Residual variance of one run; NaN with no residual df. */
  residualVariance: number;
  /** F test of what runs of one mixture have in common and the terms do not explain; absent without repeats or such df. */
  lackOfFit?: { f: number; dfs: [number, number]; pValue: number };
}

/**
 * Ordinary least squares of score on intercept, factors and pairs. Errors of runs count as independent: true of seeds, not of what a
 * mixture does beyond the terms. So where `lackOfFit` is small, or the model holds no pairs, give the means of the mixtures over their
 * seeds as runs: synergies left out of the model are then part of the noise (docs/calibration.md).
 *
 * With items, an effect's variance is that of its item contrasts (clustered) plus the residual part beyond item noise, as
 * in seededDifference, which this is for two mixtures.
 *
 * @source golden test/golden/stats/factorial (statsmodels OLS; compare_f_test for lack of fit)
 */
export function factorialModel({ scores, factors, pairs = [], items }: FactorialData): FactorialModel {
  const terms = new Map(Object.entries(factors));
  for (const [a, b] of pairs) {
    const other = factors[b] ?? [];
    terms.set(
      `${a}${BETWEEN}${b}`,
      (factors[a] ?? []).map((value, r) => value * (other[r] as number)),
    );
  }
  const columns = [scores.map(() => 1), ...terms.values()];
  const fit = linearFit(columns);
  const residualDf = scores.length - fit.rank;
  const squares = sumOfSquares(fit.residuals(scores));
  const residual: SeedVariance = { variance: residualDf === 0 ? Number.NaN : squares / residualDf, df: residualDf };
  if (items) residual.noise = itemNoise(fit, items.scores, items.groups, residualDf);
  const effects: Effect[] = [];
  const notEstimable: string[] = [];
  [...terms.keys()].forEach((term, t) => {
    const weights = fit.weights[t + 1];
    if (weights === undefined) {
      notEstimable.push(term);
      return;
    }
    const ofItems = items
      ? itemPart(weights, items.scores, items.groups)
      : { variance: 0, df: Number.POSITIVE_INFINITY };
    const effect = weights.reduce((sum, w, r) => sum + w * (scores[r] as number), 0);
    const { difference, ...rest } = tDifference(effect, withSeeds(ofItems, residual, sumOfSquares(weights)));
    effects.push({ term, effect: difference, ...rest });
  });
  const lackOfFit = testOfFit(columns, scores, squares, residualDf);
  return {
    effects,
    notEstimable,
    numRuns: scores.length,
    residualDf,
    residualVariance: residual.variance,
    ...(lackOfFit ? { lackOfFit } : {}),
  };
}

/** Variance, over new items, of a weighted sum of these runs' means. */
export function itemPart(
  weights: Float64Array,
  scores: readonly (readonly number[])[],
  groups: readonly string[],
): PooledVariance {
  const contrasts = groups.map(() => 0);
  scores.forEach((run, r) => {
    const w = weights[r] as number;
    for (let i = 0; i < contrasts.length; i++) contrasts[i]! += w * (run[i] as number);
  });
  return { variance: clusteredVarianceOfMean(contrasts, groups), df: clusters(groups).length - 1 };
}

/** The share of a run's residual variance that is no more than item noise: from the residuals of every item's own fit. */
export function itemNoise(
  fit: LinearFit,
  scores: readonly (readonly number[])[],
  groups: readonly string[],
  residualDf: number,
): PooledVariance {
  const residuals = groups.map((_, i) => fit.residuals(scores.map((run) => run[i] as number)));
  const ofRun = (r: number) =>
    clusteredVarianceOfMean(
      residuals.map((item) => item[r] as number),
      groups,
    );
  const sum = scores.reduce((total, _, r) => total + ofRun(r), 0);
  return { variance: sum / residualDf, df: residualDf * (clusters(groups).length - 1) };
}

/** Residual sum of squares split into what runs with equal terms differ by, and the rest. */
function testOfFit(
  columns: readonly (readonly number[])[],
  scores: readonly number[],
  squares: number,
  residualDf: number,
): FactorialModel["lackOfFit"] {
  const alike = new Map<string, number[]>();
  scores.forEach((score, r) => {
    const key = JSON.stringify(columns.map((column) => column[r]));
    alike.set(key, [...(alike.get(key) ?? []), score]);
  });
  const pure = [...alike.values()].reduce((sum, group) => {
    const centre = mean(group);
    return sum + sumOfSquares(group.map((score) => score - centre));
  }, 0);
  const pureDf = scores.length - alike.size;
  const lackDf = residualDf - pureDf;
  if (pureDf === 0 || lackDf === 0) return undefined;
  const f = (squares - pure) / lackDf / (pure / pureDf);
  const below = lackDf * f + pureDf;
  // P(F > f) = I_{d2 / (d2 + d1 f)}(d2 / 2, d1 / 2)
  const pValue = incompleteBeta(pureDf / below, (lackDf * f) / below, pureDf / 2, lackDf / 2);
  return { f, dfs: [lackDf, pureDf], pValue };
}

/** Of a list's numbers. */
export function sumOfSquares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return sum;
}
