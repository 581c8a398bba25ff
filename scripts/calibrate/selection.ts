/** @file The best of many equal mixtures: coverage of its interval; chances of being best; the best of k trials. */

import { Rng } from "../../src/base/rng.ts";
import { clusteredVarianceOfMean } from "../../src/stats/clusters.ts";
import { meanOfSeeds, type SeedScores, seedVariance, tDifference, withSeeds } from "../../src/stats/difference.ts";
import { expectedMaximumCurve } from "../../src/stats/expected-maximum.ts";
import { jointDraws } from "../../src/stats/joint-draws.ts";
import { mean } from "../../src/stats/moments.ts";
import { chanceOfBest, selectedBest } from "../../src/stats/selected-best.ts";
import { DESIGN, studyMaker } from "./simulated-study.ts";
import { excludes, percent, RESAMPLES, shares, table } from "./tables.ts";

/** The highest of equal mixtures, as a score and as a gain over one more of them. */
export function selectionTable(numStudies: number): string {
  const settings = [
    [10, 2, 0],
    [10, 2, 1],
    [10, 2, 4],
    [10, 6, 1],
    [55, 2, 1],
  ] as const;
  const rows = settings.flatMap(([candidates, numSeeds, seedRatio]) =>
    [false, true].map((isGain) => {
      const design = { ...DESIGN, numMixtures: candidates + 1, numSeeds, seedRatio };
      const next = studyMaker(design, new Rng(4, JSON.stringify([design, isGain])));
      const excess: number[] = [];
      const { naive, joint } = shares(candidates > 10 ? Math.ceil(numStudies / 4) : numStudies, (s) => {
        const { groups, scores, level } = next();
        const reference = scores[0] as SeedScores;
        const mixtures = scores.slice(1);
        const seeds = seedVariance(scores, groups);
        const options = { seed: s, resamples: RESAMPLES, seeds, ...(isGain ? { reference } : {}) };
        const best = selectedBest(jointDraws(mixtures, groups, options));
        const truth = isGain ? 0 : level;
        excess.push(best.estimate - truth);
        const base = isGain ? meanOfSeeds(reference) : groups.map(() => 0);
        const d = meanOfSeeds(mixtures[best.index] as SeedScores).map((score, i) => score - (base[i] as number));
        const items = { variance: clusteredVarianceOfMean(d, groups), df: design.numGroups - 1 };
        const plain = tDifference(mean(d), withSeeds(items, seeds, (isGain ? 2 : 1) / numSeeds));
        return { naive: !excludes(plain, truth), joint: !excludes(best, truth) };
      });
      const what = isGain ? "gain" : "score";
      return [candidates, numSeeds, seedRatio, what, percent(mean(excess)), percent(naive), percent(joint)];
    }),
  );
  const head = ["candidates", "seeds", "seed variance", "of", "winner's curse, points"];
  return table([...head, "plain t covers", "**max-T covers**"], rows);
}

/** Mixtures that do differ: how often one given such a chance of being best is so. */
export function chanceTable(numStudies: number): string {
  const bins = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0001];
  const given: number[][] = bins.map(() => []);
  const came: number[][] = bins.map(() => []);
  const numMixtures = 5;
  const numItems = 100;
  const groups = Array.from({ length: numItems }, (_, i) => `${i}`);
  const rng = new Rng(8, "chance");
  for (let s = 0; s < numStudies; s++) {
    const truths = Array.from({ length: numMixtures }, () => 0.15 * rng.normal());
    const scores = truths.map((truth) =>
      [0, 1].map(() => {
        const shift = truth + 0.1 * rng.normal();
        return groups.map(() => shift + rng.normal());
      }),
    );
    const seeds = seedVariance(scores, groups);
    const chances = chanceOfBest(jointDraws(scores, groups, { seed: s, resamples: RESAMPLES, seeds }));
    chances.forEach((chance, k) => {
      const bin = bins.findIndex((from, b) => chance >= from && chance < (bins[b + 1] ?? 2));
      given[bin]?.push(chance);
      came[bin]?.push(truths[k] === Math.max(...truths) ? 1 : 0);
    });
  }
  const rows = bins
    .slice(0, -1)
    .map((_, b) => [percent(mean(given[b] ?? [])), percent(mean(came[b] ?? [])), (given[b] ?? []).length]);
  return table(["chance given, mean", "was the best", "mixtures"], rows);
}

/** Coverage of the expected maximum's interval, of 20 trials. */
export function maximumTable(numStudies: number): string {
  const numTrials = 20;
  const most = 5;
  const rng = new Rng(9, "maximum");
  const truths = Array.from({ length: most }, (_, at) => {
    let sum = 0;
    for (let r = 0; r < 20_000; r++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let k = 0; k <= at; k++) best = Math.max(best, rng.normal());
      sum += best;
    }
    return sum / 20_000;
  });
  const found = shares(numStudies, (s) => {
    const trials = Array.from({ length: numTrials }, () => rng.normal());
    const curve = expectedMaximumCurve(trials, { seed: s, resamples: RESAMPLES / 2 }).slice(0, most);
    return Object.fromEntries(curve.map((bounds, at) => [bounds.k, !excludes(bounds, truths[at] as number)]));
  });
  return table(
    ["k of 20 trials", "covers"],
    [1, 2, 3, 5].map((k) => [k, percent(found[k] ?? Number.NaN)]),
  );
}
