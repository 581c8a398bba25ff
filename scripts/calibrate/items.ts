/** @file Two trained models on new items: error of the first kind of the paired tests; coverage of one proportion; power as planned. */

import { Rng } from "../../src/base/rng.ts";
import { accuracy } from "../../src/metrics/accuracy.ts";
import { macroF1 } from "../../src/metrics/macro-f1.ts";
import { mcc } from "../../src/metrics/mcc.ts";
import type { LabelMetric } from "../../src/metrics/metric.ts";
import { weightedF1 } from "../../src/metrics/weighted-f1.ts";
import { minimumDetectableDifference } from "../../src/stats/detectable.ts";
import { pairedDifference, seededDifference } from "../../src/stats/difference.ts";
import { clopperPearsonInterval, wilsonInterval } from "../../src/stats/interval.ts";
import { mcnemarExact } from "../../src/stats/mcnemar.ts";
import { approximateRandomisation } from "../../src/stats/randomisation.ts";
import { pairedBootstrap, seededStatisticDifference } from "../../src/stats/statistic-difference.ts";
import { drawGold, metricOf, partsOf, predictedLabels } from "./labels.ts";
import { DESIGN, studyMaker } from "./simulated-study.ts";
import { excludes, percent, RESAMPLES, shares, table } from "./tables.ts";

/** Paired tests of one checkpoint each. */
export function pairedTable(numStudies: number): string {
  const sizes = [
    [30, 1],
    [100, 1],
    [400, 1],
    [30, 4],
    [100, 4],
  ] as const;
  const rows = sizes.map(([numGroups, meanGroupSize]) => {
    const design = { ...DESIGN, numGroups, meanGroupSize, numMixtures: 2, numSeeds: 1, seedRatio: 0, noiseShare: 0 };
    const rng = new Rng(3, JSON.stringify(design));
    const next = studyMaker(design, rng);
    const found = shares(numStudies, (s) => {
      const { groups, scores } = next();
      const [a, b] = scores.map((seeds) => seeds[0]) as [number[], number[]];
      const gold = drawGold(groups.length, rng);
      const [ofA, ofB] = [a, b].map((right) => predictedLabels(right, gold, rng)) as [number[], number[]];
      const bootstrap = (metric: LabelMetric) => {
        const options = { seed: s, resamples: RESAMPLES };
        return excludes(pairedBootstrap(metricOf(metric, gold, ofA), metricOf(metric, gold, ofB), groups, options), 0);
      };
      // Of these two checkpoints: no variance from seeds.
      const t = (metric: LabelMetric) => {
        const options = { seed: s, resamples: RESAMPLES };
        const fixed = { variance: 0, df: Number.POSITIVE_INFINITY };
        const [x, y] = [metricOf(metric, gold, ofA), metricOf(metric, gold, ofB)];
        return excludes(seededStatisticDifference([x], [y], groups, fixed, options), 0);
      };
      const items = Int32Array.from(groups.keys());
      const f1 = (sides: Uint8Array) => {
        const outputs = ofA.map((label, i) => (sides[i] === 0 ? label : (ofB[i] as number)));
        return metricOf(weightedF1, gold, outputs)(items);
      };
      return {
        mcnemar: mcnemarExact(a, b).pValue <= 0.05,
        mean: excludes(pairedDifference(a, b, groups), 0),
        accuracy: bootstrap(accuracy),
        f1: bootstrap(weightedF1),
        mcc: bootstrap(mcc),
        tF1: t(weightedF1),
        tMcc: t(mcc),
        randomisation: approximateRandomisation(f1, groups, { seed: s, draws: 99 }).pValue <= 0.05,
      };
    });
    const { mcnemar, mean, accuracy: share, f1, mcc: correlation, tF1, tMcc, randomisation } = found;
    return [
      numGroups,
      meanGroupSize,
      ...[mcnemar, mean, share, f1, tF1, correlation, tMcc, randomisation].map(percent),
    ];
  });
  const head = ["groups", "items a group", "McNemar", "t, clustered", "bootstrap, accuracy"];
  return table(
    [...head, "bootstrap, weighted F1", "its t", "bootstrap, MCC", "its t", "randomisation, weighted F1"],
    rows,
  );
}

/** The t test on items' parts in a metric: two trained models. */
export function partsTable(numStudies: number): string {
  const sizes = [60, 300, 1000].flatMap((numItems) => [1, 4].map((meanGroupSize) => ({ numItems, meanGroupSize })));
  const rows = [weightedF1, macroF1, mcc].flatMap((metric) =>
    sizes.map(({ numItems, meanGroupSize }) => {
      const numGroups = numItems / meanGroupSize;
      const design = { ...DESIGN, numGroups, meanGroupSize, numMixtures: 2, numSeeds: 1, seedRatio: 0, noiseShare: 0 };
      const rng = new Rng(13, JSON.stringify([metric.name, design]));
      const tested = (effect: number, groups = numGroups) => {
        const { groups: names, scores } = studyMaker({ ...design, effect, numGroups: groups }, rng)();
        const gold = drawGold(names.length, rng);
        const [a, b] = scores.map(([right]) => partsOf(metric, gold, predictedLabels(right!, gold, rng)));
        return pairedDifference(a!, b!, names);
      };
      const truth = tested(0.5, 100_000).difference;
      const { wrong, covered } = shares(numStudies, () => ({
        wrong: excludes(tested(0), 0),
        covered: !excludes(tested(0.5), truth),
      }));
      return [metric.name, numItems, meanGroupSize, percent(wrong), percent(covered)];
    }),
  );
  return table(["metric", "items", "items a group", "error", "coverage of an effect"], rows);
}

/** Coverage of a proportion. */
export function proportionTable(numStudies: number): string {
  const rows = [20, 90, 970].flatMap((n) =>
    [0.5, 0.9, 0.99].map((share) => {
      const rng = new Rng(5, `${n} ${share}`);
      const { wilson, exact } = shares(numStudies, () => {
        let successes = 0;
        for (let i = 0; i < n; i++) successes += rng.float() < share ? 1 : 0;
        return {
          wilson: !excludes(wilsonInterval(successes, n), share),
          exact: !excludes(clopperPearsonInterval(successes, n), share),
        };
      });
      return [n, share, percent(wilson), percent(exact)];
    }),
  );
  return table(["items", "true share", "Wilson", "Clopper-Pearson"], rows);
}

/** How often an effect of the size promised for 80 % power is found. */
export function powerTable(numStudies: number): string {
  const rows = [
    [100, 0, 2],
    [100, 1, 2],
    [100, 4, 2],
    [100, 4, 6],
    [20, 1, 3],
  ].map(([numItems, ratio, numSeeds]) => {
    const [n, k] = [numItems as number, numSeeds as number];
    // Item differences of variance 1; a run's score varies by ratio / n over seeds, known from 7 mixtures.
    const seed = { variance: (ratio as number) / n, df: 7 * (k - 1) };
    const plan = { numItems: n, itemVariance: 1, seeds: { ...seed, numSeeds: k } };
    const effect = minimumDetectableDifference(plan);
    const rng = new Rng(6, JSON.stringify(plan));
    const groups = Array.from({ length: n }, (_, i) => `${i}`);
    const { found } = shares(numStudies, () => {
      const shift = effect + Math.sqrt((2 * seed.variance) / k) * rng.normal();
      const d = groups.map(() => shift + rng.normal());
      let squares = 0;
      for (let i = 0; i < seed.df; i++) squares += rng.normal() ** 2;
      const none = groups.map(() => 0);
      const estimated = { variance: (seed.variance * squares) / seed.df, df: seed.df };
      const repeated = (scores: number[]) => Array.from({ length: k }, () => scores);
      return { found: excludes(seededDifference(repeated(d), repeated(none), groups, estimated), 0) };
    });
    return [n, k, ratio as number, effect.toFixed(3), percent(found)];
  });
  return table(["items", "seeds", "seed variance", "detectable difference", "found"], rows);
}
