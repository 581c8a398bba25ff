/** @file What a mixture that was never trained would score, if ingredients add up: with an interval, and a check on mixtures that were. */

import { type Difference, type SeedVariance, tDifference, withSeeds } from "./difference.ts";
import { itemNoise, itemPart, sumOfSquares } from "./factorial.ts";
import { linearFit } from "./least-squares.ts";
import { mean } from "./moments.ts";

/** Mixtures of one task and base. */
export interface MixtureData {
  /** [mixtures] ingredients that each holds. */
  held: readonly (readonly string[])[];
  /** [mixtures] mean score over seeds. */
  scores: readonly number[];
  /** Item scores [mixtures][n] whose means the scores are, and the items' groups. With them intervals hold for new items; else for these. */
  items?: { scores: readonly (readonly number[])[]; groups: readonly string[] };
  /**
   * The spread of such a mean over seeds, for where there are no more mixtures than ingredients and what the sum of ingredients leaves unexplained
   * cannot be seen: intervals then take for granted that they add up.
   */
  seeds?: SeedVariance;
}

/** The fitted sum of ingredients. */
export interface AdditiveModel {
  /** Ingredients that some mixtures hold and others do not. */
  varied: string[];
  /** Those of them whose effect the mixtures do not determine. */
  notEstimable: string[];
  /** What is left to estimate noise with; 0: the spread over seeds stands in for it. */
  residualDf: number;
  /**
   * The score of a mixture, less that of an observed one where `against` is given: 95 % prediction interval, for the mixture's own score with its own
   * luck of training and what it does beyond the sum of its ingredients.
   *
   * @returns undefined where an ingredient's effect is not determined
   */
  predict(held: readonly string[], against?: number): Difference | undefined;
}

/**
 * Least squares of score on the ingredients present.
 *
 * @source Seber & Lee 2003, §5.3; golden test/golden/stats/additive (statsmodels OLS get_prediction, obs_ci); coverage in additive.test.ts
 */
export function additiveModel({ held, scores, items, seeds }: MixtureData): AdditiveModel {
  const all = [...new Set(held.flat())];
  const varied = all.filter((name) => held.some((one) => !one.includes(name)));
  const columns = [scores.map(() => 1), ...varied.map((name) => held.map((one) => Number(one.includes(name))))];
  const fit = linearFit(columns);
  const residualDf = scores.length - fit.rank;
  const residual: SeedVariance = { variance: sumOfSquares(fit.residuals(scores)) / residualDf, df: residualDf };
  if (items && residualDf > 0) residual.noise = itemNoise(fit, items.scores, items.groups, residualDf);
  const noise = residualDf > 0 ? residual : (seeds ?? { variance: Number.NaN, df: 0 });
  const always = all.filter((name) => !varied.includes(name));
  return {
    varied,
    notEstimable: varied.filter((_, j) => fit.weights[j + 1] === undefined),
    residualDf,
    predict(mixture, against) {
      if (!mixture.every((name) => all.includes(name)) || !always.every((name) => mixture.includes(name)))
        return undefined;
      const terms = [0, ...varied.flatMap((name, j) => (mixture.includes(name) ? [j + 1] : []))];
      const weights = new Float64Array(scores.length);
      for (const term of terms) {
        const own = fit.weights[term];
        if (own === undefined) return undefined;
        own.forEach((weight, r) => {
          weights[r]! += weight;
        });
      }
      if (against !== undefined) weights[against]! -= 1;
      const predicted = weights.reduce((sum, weight, r) => sum + weight * scores[r]!, 0);
      const ofItems = items
        ? itemPart(weights, items.scores, items.groups)
        : { variance: 0, df: Number.POSITIVE_INFINITY };
      // 1: the new mixture's own
      return tDifference(predicted, withSeeds(ofItems, noise, sumOfSquares(weights) + 1));
    },
  };
}

/** How well the sum of ingredients foretells mixtures that it has not seen. */
export interface HeldOutCheck {
  /** Mixtures that the others could predict. */
  numChecked: number;
  /** Mean absolute errors: of the predictions, and of the mean of the other mixtures in their place. */
  meanError: number;
  meanErrorOfMean: number;
  /** Of predicted and observed scores; NaN below three, or where either is constant. */
  correlation: number;
}

/** Leaves out one mixture at a time and predicts it from the rest. */
export function heldOutCheck({ held, scores }: Pick<MixtureData, "held" | "scores">): HeldOutCheck {
  const pairs = scores.flatMap((observed, m) => {
    const others = <T>(values: readonly T[]) => values.filter((_, other) => other !== m);
    const predicted = additiveModel({ held: others(held), scores: others(scores) }).predict(held[m]!)?.difference;
    return predicted === undefined ? [] : [{ observed, predicted, ofMean: mean(others(scores)) }];
  });
  return {
    numChecked: pairs.length,
    meanError: mean(pairs.map(({ observed, predicted }) => Math.abs(observed - predicted))),
    meanErrorOfMean: mean(pairs.map(({ observed, ofMean }) => Math.abs(observed - ofMean))),
    correlation: correlation(
      pairs.map(({ predicted }) => predicted),
      pairs.map(({ observed }) => observed),
    ),
  };
}

function correlation(x: readonly number[], y: readonly number[]): number {
  if (x.length < 3) return Number.NaN;
  const [meanX, meanY] = [mean(x), mean(y)];
  const [dX, dY] = [x.map((value) => value - meanX), y.map((value) => value - meanY)];
  const product = dX.reduce((sum, value, i) => sum + value * dY[i]!, 0);
  return product / Math.sqrt(sumOfSquares(dX) * sumOfSquares(dY));
}
