/** @file The joint distribution of the scores of many mixtures on the same items: what comparing the best of them needs. */

import { Rng } from "../base/rng.ts";
import type { BootstrapOptions } from "./bootstrap.ts";
import { clusteredVarianceOfMean, clusters } from "./clusters.ts";
import { meanOfSeeds, type SeedScores, type SeedVariance } from "./difference.ts";
import { mean } from "./moments.ts";

/** Estimates of K mixtures with draws of what they might have been with other items and other seeds. */
export interface JointDraws {
  /** [K] mean over seeds and items, less the reference's where there is one. */
  estimates: number[];
  /** [K] */
  standardErrors: number[];
  /** [resamples][K]; none below two groups. */
  draws: Float64Array[];
}

/** `reference`: scores that every mixture's are taken relative to. `seed` of the random numbers. */
export interface JointOptions extends BootstrapOptions {
  reference?: SeedScores;
  /** As in seededDifference. Absent: of these trained models only, on new items; df 0: no standard errors and no draws. */
  seeds?: SeedVariance;
}

/**
 * Items by bootstrap over groups, the same for all mixtures, so that what they have in common stays in common; seeds by normal draws with
 * the pooled variance beyond item noise, since resampling two or three seeds would miss most of it. Both spreads are drawn too (chi-squared
 * over their df), as a t interval would.
 *
 * @param mixtures  [K] item scores per seed, all on the same items
 * @param groups    [n] the group of each item
 */
export function jointDraws(
  mixtures: readonly SeedScores[],
  groups: readonly string[],
  { seed, resamples = 1000, reference, seeds }: JointOptions,
): JointDraws {
  const all = clusters(groups);
  const rng = new Rng(seed, "joint-draws");
  const base = reference ? meanOfSeeds(reference) : groups.map(() => 0);
  const scores = mixtures.map((one) => meanOfSeeds(one).map((score, i) => score - (base[i] as number)));
  const estimates = scores.map(mean);
  const ofSeeds = seeds === undefined ? 0 : Math.max(0, seeds.variance - (seeds.noise?.variance ?? 0));
  const dfSeeds = seeds?.df ?? Number.POSITIVE_INFINITY;
  const ofReference = reference ? ofSeeds / reference.length : 0;
  const standardErrors = scores.map((d, k) =>
    Math.sqrt(clusteredVarianceOfMean(d, groups) + ofSeeds / (mixtures[k] as SeedScores).length + ofReference),
  );
  const draws: Float64Array[] = [];
  if (all.length < 2 || Number.isNaN(ofSeeds)) return { estimates, standardErrors, draws };

  const sums = scores.map((d) => Float64Array.from(all, (items) => items.reduce((s, i) => s + (d[i] as number), 0)));
  const sizes = all.map((items) => items.length);
  const times = new Int32Array(all.length);
  const drawn = new Int32Array(all.length);
  for (let r = 0; r < resamples; r++) {
    times.fill(0);
    let numItems = 0;
    for (let draw = 1; draw < all.length; draw++) {
      const g = rng.int(all.length);
      times[g]!++;
      numItems += sizes[g] as number;
    }
    let numDrawn = 0; // groups that were: about two of three
    for (let g = 0; g < all.length; g++) if (times[g] !== 0) drawn[numDrawn++] = g;
    const itemSpread = drawnSpread(rng, all.length - 1);
    const seedSpread = drawnSpread(rng, dfSeeds) * Math.sqrt(ofSeeds);
    const shift = reference ? rng.normal() / Math.sqrt(reference.length) : 0;
    const draw = new Float64Array(sums.length);
    for (let k = 0; k < draw.length; k++) {
      const ofGroups = sums[k] as Float64Array;
      const estimate = estimates[k] as number;
      let sum = 0;
      for (let d = 0; d < numDrawn; d++) {
        const g = drawn[d] as number;
        sum += (times[g] as number) * (ofGroups[g] as number);
      }
      const ownShift = rng.normal() / Math.sqrt((mixtures[k] as SeedScores).length);
      draw[k] = estimate + itemSpread * (sum / numItems - estimate) + seedSpread * (ownShift - shift);
    }
    draws.push(draw);
  }
  return { estimates, standardErrors, draws };
}

/** sqrt(df / chi-squared(df)): a normal draw times it is a t draw. Above 30 df by Wilson & Hilferty's cube. */
function drawnSpread(rng: Rng, df: number): number {
  if (df === Number.POSITIVE_INFINITY) return 1;
  if (df > 30) return (1 - 2 / (9 * df) + rng.normal() * Math.sqrt(2 / (9 * df))) ** -1.5;
  let squares = 0;
  for (let i = 0; i < df; i++) squares += rng.normal() ** 2;
  return Math.sqrt(df / squares);
}
