/** @file Made-up studies whose truth is known: mixtures scored on the same items, over seeds, with items in groups. */

import type { Rng } from "../../src/base/rng.ts";
import { normalCdf, normalPdf } from "../../src/stats/normal.ts";

/** What a study is made of. Variances are of a latent ability; a 0/1 score is whether it is above 0. */
export interface StudyDesign {
  numGroups: number;
  /** Groups have 1 .. 2 * meanGroupSize - 1 items. */
  meanGroupSize: number;
  numMixtures: number;
  numSeeds: number;
  /** Variance of a run's mean over seeds, in item variances of the difference of two single runs. */
  seedRatio: number;
  /** Share of a run's item variance that another seed would not repeat. */
  noiseShare: number;
  isBinary: boolean;
  /** The seeds' spread of mixtures 0 and 1 against the others'. */
  unlike: number;
  /** Added to the mean ability of mixture 0. */
  effect: number;
}

/** What the tables vary: 120 items or so in 60 groups, seven mixtures with two seeds. */
export const DESIGN: StudyDesign = {
  numGroups: 60,
  meanGroupSize: 2,
  numMixtures: 7,
  numSeeds: 2,
  seedRatio: 1,
  noiseShare: 0.5,
  isBinary: true,
  unlike: 1,
  effect: 0,
};

/** A study and what is true of it. */
export interface SimulatedStudy {
  groups: string[];
  /** [mixtures][seeds][n] */
  scores: number[][][];
  /** Mean score of mixture 0 less that of any other, over all items and seeds that could be. */
  truth: number;
  /** Mean score of those others. */
  level: number;
}

/** Ability at which mixtures stand: about three quarters right. */
const ABILITY = 1;
/** Variance over items common to all mixtures, and of a mixture's own strengths; half of either is shared within a group. */
const COMMON = 1;
const OWN = 0.5;

/** Draws studies of a design; the standard deviation of a seed's shift follows from the ratio. */
export function studyMaker(design: StudyDesign, rng: Rng): () => SimulatedStudy {
  const shift = shiftOf(design);
  return () => drawStudy(design, shift, rng);
}

/** Variance of one run's latent ability around a seed's shift, without the shift. */
const SPREAD = COMMON + OWN;

/** Standard deviation of a seed's shift on the latent scale. */
function shiftOf({ numGroups, meanGroupSize, seedRatio, noiseShare, isBinary }: StudyDesign): number {
  // Groups of 1 .. 2m - 1: n = G m on average, sum of squared sizes = G (m^2 + (m^2 - m) / 3).
  const numItems = numGroups * meanGroupSize;
  const squares = numGroups * (meanGroupSize ** 2 + (meanGroupSize ** 2 - meanGroupSize) / 3);
  const noise = OWN * noiseShare;
  const own = OWN - noise;
  const graded = (2 * (noise + own / 2)) / numItems + (own * squares) / numItems ** 2;
  // Of 0/1 scores, to first order: abilities move shares by the density at 0; flips of single items add what the shares leave.
  if (!isBinary) return Math.sqrt(seedRatio * graded);
  const slope = normalPdf(ABILITY / Math.sqrt(SPREAD)) / Math.sqrt(SPREAD);
  const share = normalCdf(ABILITY / Math.sqrt(SPREAD));
  const flips = (2 * share * (1 - share) * OWN) / SPREAD / numItems;
  return Math.sqrt((seedRatio * flips) / slope ** 2);
}

function drawStudy(design: StudyDesign, shift: number, rng: Rng): SimulatedStudy {
  const { numGroups, meanGroupSize, numMixtures, numSeeds, noiseShare, isBinary, unlike, effect } = design;
  const groups: string[] = [];
  for (let g = 0; g < numGroups; g++) {
    for (let left = 1 + rng.int(2 * meanGroupSize - 1); left > 0; left--) groups.push(`${g}`);
  }
  const own = Math.sqrt(OWN * (1 - noiseShare));
  const noise = Math.sqrt(OWN * noiseShare);
  const common = grouped(groups, Math.sqrt(COMMON), rng);
  const scores = Array.from({ length: numMixtures }, (_, m) => {
    const strengths = grouped(groups, own, rng);
    const level = (isBinary ? ABILITY : 0) + (m === 0 ? effect : 0);
    const spread = m < 2 ? unlike * shift : shift;
    return Array.from({ length: numSeeds }, () => {
      const mean = level + (spread === 0 ? 0 : spread * rng.normal());
      return groups.map((_, i) => {
        const ability = mean + (common[i] as number) + (strengths[i] as number) + noise * rng.normal();
        return isBinary ? (ability > 0 ? 1 : 0) : ability;
      });
    });
  });
  const spread = Math.sqrt(SPREAD + shift ** 2);
  const level = isBinary ? normalCdf(ABILITY / spread) : 0;
  const truth = isBinary ? normalCdf((ABILITY + effect) / spread) - level : effect;
  return { groups, scores, truth, level };
}

/** [n] normal values of which half the variance is their group's. */
function grouped(groups: readonly string[], spread: number, rng: Rng): number[] {
  const ofGroup = new Map<string, number>();
  return groups.map((group) => {
    let shared = ofGroup.get(group);
    if (shared === undefined) {
      shared = rng.normal();
      ofGroup.set(group, shared);
    }
    return spread * Math.SQRT1_2 * (shared + rng.normal());
  });
}
