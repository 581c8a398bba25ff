/** @file The best of many mixtures: an interval that allows for its having been picked, and every mixture's chance of being it. */

import { CONFIDENCE, type Interval } from "./interval.ts";
import type { JointDraws } from "./joint-draws.ts";
import { mean, sortedQuantile, variance } from "./moments.ts";

/** The highest estimate with an interval that holds for whichever was picked. */
export interface SelectedBest extends Interval {
  kind: "selected";
  /** Among the candidates. */
  index: number;
  estimate: number;
  numCandidates: number;
  /** Half-width in standard errors. */
  criticalValue: number;
  /** Two-sided, of a true value of 0, corrected for the number of candidates. */
  pValue: number;
}

/**
 * estimate -+ c * standard error of the highest estimate, where c is the 0.95 quantile of max over k of |draw(k) - estimate(k)| /
 * standard error(k): with chance 0.95 the true values of all candidates are in such intervals, so that of the picked one is too.
 * For a winner picked on the items it is reported on; one picked on dev needs no correction on test. Mixtures without spread are left out
 * of the maximum. NaN bounds where there are no draws.
 *
 * @source Westfall & Young 1993 (single-step max-T); golden test/golden/stats/selection (scipy multivariate t)
 */
export function selectedBest({ estimates, standardErrors, draws }: JointDraws): SelectedBest {
  let index = 0;
  estimates.forEach((estimate, k) => {
    if (estimate > (estimates[index] as number)) index = k;
  });
  const estimate = estimates[index] ?? Number.NaN;
  const spread = standardErrors[index] as number;
  const maxima = Float64Array.from(draws, (draw) => largestT(draw, estimates, standardErrors)).sort();
  const criticalValue = sortedQuantile(maxima, CONFIDENCE);
  const observed = Math.abs(estimate) / spread;
  const extreme = maxima.reduce((count, t) => count + (t < observed ? 0 : 1), 0);
  return {
    kind: "selected",
    index,
    estimate,
    low: estimate - criticalValue * spread,
    high: estimate + criticalValue * spread,
    numCandidates: estimates.length,
    criticalValue,
    pValue: maxima.length === 0 ? Number.NaN : (1 + extreme) / (maxima.length + 1),
  };
}

function largestT(draw: Float64Array, estimates: readonly number[], standardErrors: readonly number[]): number {
  let largest = 0;
  for (let k = 0; k < draw.length; k++) {
    const spread = standardErrors[k] as number;
    if (spread > 0) largest = Math.max(largest, Math.abs((draw[k] as number) - (estimates[k] as number)) / spread);
  }
  return largest;
}

/**
 * [K] the chance of each mixture to be the best of them. Sums to 1; NaN where there are no draws.
 *
 * The plain share of draws in which a mixture is the highest takes the luck of the highest estimate for skill: of mixtures said to be best
 * with 96 % only 85 % were, where now it is 90 % (docs/calibration.md). So estimates are first drawn together by as much as their scatter is noise:
 * B = 1 - (mean variance of a mixture against their mean) / (variance of the estimates), at least 0, as in empirical Bayes. The
 * share is then of draws with sqrt(B) * estimate + (draw - estimate) the highest; several equal highest share the draw.
 *
 * @source Efron & Morris 1973; golden test/golden/stats/selection (scipy multivariate normal)
 */
export function chanceOfBest({ estimates, draws }: Pick<JointDraws, "estimates" | "draws">): number[] {
  const errors = draws.map((draw) => draw.map((value, k) => value - (estimates[k] as number)));
  const ofNoise = mean(errors.map((error) => variance([...error])));
  const scatter = variance(estimates);
  const kept = scatter > ofNoise ? Math.sqrt(1 - ofNoise / scatter) : 0;
  const wins = estimates.map(() => 0);
  for (const error of errors) {
    const drawn = error.map((value, k) => kept * (estimates[k] as number) + value);
    const highest = Math.max(...drawn);
    const winners = [...drawn.keys()].filter((k) => drawn[k] === highest);
    for (const k of winners) wins[k] = (wins[k] as number) + 1 / winners.length;
  }
  return wins.map((share) => share / draws.length);
}
