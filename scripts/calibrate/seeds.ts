/** @file Two mixtures over a few seeds: error of the first kind without an effect, coverage with one. */

import { Rng } from "../../src/base/rng.ts";
import { macroF1 } from "../../src/metrics/macro-f1.ts";
import { mcc } from "../../src/metrics/mcc.ts";
import { weightedF1 } from "../../src/metrics/weighted-f1.ts";
import type { Statistic } from "../../src/stats/bootstrap.ts";
import { pairedDifference, type SeedScores, seededDifference, seedVariance } from "../../src/stats/difference.ts";
import { mean } from "../../src/stats/moments.ts";
import {
  hierarchicalBootstrap,
  seededStatisticDifference,
  statisticSeedVariance,
} from "../../src/stats/statistic-difference.ts";
import { drawGold, metricOf, partsOf, predictedLabels } from "./labels.ts";
import { DESIGN, studyMaker } from "./simulated-study.ts";
import { excludes, percent, RESAMPLES, shares, table } from "./tables.ts";

const SEEDS = [2, 3, 6];
const RATIOS = [0, 1, 4];

/** Differences of means over items. */
export function meansTable(numStudies: number): string {
  const rows: string[][] = [];
  for (const isBinary of [false, true]) {
    for (const numSeeds of SEEDS) {
      for (const seedRatio of RATIOS) {
        const design = { ...DESIGN, isBinary, numSeeds, seedRatio };
        const rng = new Rng(1, JSON.stringify(design));
        const none = studyMaker(design, rng);
        const planted = studyMaker({ ...design, effect: 0.5 }, rng);
        const found = shares(numStudies, (s) => {
          const { groups, scores } = none();
          const [a, b] = scores as [number[][], number[][]];
          const seed = seedVariance(scores, groups);
          const statistics = (seeds: SeedScores) =>
            seeds.map(
              (run): Statistic =>
                (items) =>
                  meanOf(run, items),
            );
          const other = planted();
          const [c, d] = other.scores as [number[][], number[][]];
          const ofOther = seededDifference(c, d, other.groups, seedVariance(other.scores, other.groups));
          return {
            t: excludes(seededDifference(a, b, groups, seed), 0),
            covered: !excludes(ofOther, other.truth),
            alone: excludes(seededDifference(a, b, groups, seedVariance([a, b], groups)), 0),
            twice: excludes(seededDifference(a, b, groups, { variance: seed.variance, df: seed.df }), 0),
            hierarchical: excludes(
              hierarchicalBootstrap(statistics(a), statistics(b), groups, { seed: s, resamples: RESAMPLES }),
              0,
            ),
            items: excludes(pairedDifference(a[0] as number[], b[0] as number[], groups), 0),
          };
        });
        const { t, covered, alone, twice, hierarchical, items } = found;
        const numbers = [t, covered, alone, twice, hierarchical, items].map(percent);
        rows.push([isBinary ? "0/1" : "graded", `${numSeeds}`, `${seedRatio}`, ...numbers]);
      }
    }
  }
  const settings = ["scores", "seeds", "seed variance"];
  const pooled = [
    "**t, pooled over 7**",
    "**its coverage of an effect**",
    "t, from the two alone",
    "t, noise counted twice",
  ];
  return table([...settings, ...pooled, "hierarchical bootstrap", "one seed each, items only"], rows);
}

/** The two mixtures vary over seeds more or less than those that they are pooled with. */
export function unlikeTable(numStudies: number): string {
  const rows = [0.5, 1, 2].flatMap((unlike) =>
    [2, 3].map((numSeeds) => {
      const design = { ...DESIGN, numSeeds, unlike };
      const next = studyMaker(design, new Rng(12, JSON.stringify(design)));
      const { pooled, alone } = shares(numStudies, () => {
        const { groups, scores } = next();
        const [a, b] = scores as [number[][], number[][]];
        return {
          pooled: excludes(seededDifference(a, b, groups, seedVariance(scores, groups)), 0),
          alone: excludes(seededDifference(a, b, groups, seedVariance([a, b], groups)), 0),
        };
      });
      return [unlike, numSeeds, percent(pooled), percent(alone)];
    }),
  );
  return table(["their seeds' spread / the others'", "seeds", "t, pooled over 7", "t, from the two alone"], rows);
}

/** Differences of weighted F1 and MCC. */
export function statisticsTable(numStudies: number): string {
  const rows: string[][] = [];
  for (const metric of [weightedF1, mcc]) {
    for (const numSeeds of SEEDS) {
      for (const seedRatio of RATIOS) {
        const design = { ...DESIGN, numMixtures: 4, numSeeds, seedRatio };
        const rng = new Rng(2, JSON.stringify([metric.name, design]));
        const next = studyMaker(design, rng);
        const { t, hierarchical } = shares(numStudies, (s) => {
          const { groups, scores } = next();
          const gold = drawGold(groups.length, rng);
          const statistics = scores.map((seeds) =>
            seeds.map((right) => metricOf(metric, gold, predictedLabels(right, gold, rng))),
          );
          const [a, b] = statistics as [Statistic[], Statistic[]];
          const options = { seed: s, resamples: RESAMPLES / 2 };
          const seed = statisticSeedVariance(statistics, groups, options);
          return {
            t: excludes(seededStatisticDifference(a, b, groups, seed, options), 0),
            hierarchical: excludes(hierarchicalBootstrap(a, b, groups, options), 0),
          };
        });
        rows.push([metric.name, `${numSeeds}`, `${seedRatio}`, percent(t), percent(hierarchical)]);
      }
    }
  }
  return table(["metric", "seeds", "seed variance", "**t, pooled over 4**", "hierarchical bootstrap"], rows);
}

/** Differences of metrics that are no means, by the items' parts in them: as report, recommend and compare test them. */
export function seededPartsTable(numStudies: number): string {
  const rows: string[][] = [];
  for (const metric of [weightedF1, macroF1, mcc]) {
    for (const numSeeds of SEEDS) {
      for (const seedRatio of RATIOS) {
        const design = { ...DESIGN, numMixtures: 4, numSeeds, seedRatio };
        const rng = new Rng(14, JSON.stringify([metric.name, design]));
        const [none, planted] = [studyMaker(design, rng), studyMaker({ ...design, effect: 0.5 }, rng)];
        const tested = ({ groups, scores }: ReturnType<typeof none>) => {
          const gold = drawGold(groups.length, rng);
          const parts = scores.map((seeds) =>
            seeds.map((right) => partsOf(metric, gold, predictedLabels(right, gold, rng))),
          );
          return seededDifference(parts[0]!, parts[1]!, groups, seedVariance(parts, groups));
        };
        const truth = mean(Array.from({ length: 2 * numStudies }, () => tested(planted()).difference));
        const { wrong, covered } = shares(numStudies, () => ({
          wrong: excludes(tested(none()), 0),
          covered: !excludes(tested(planted()), truth),
        }));
        rows.push([metric.name, `${numSeeds}`, `${seedRatio}`, percent(wrong), percent(covered)]);
      }
    }
  }
  return table(["metric", "seeds", "seed variance", "error", "coverage of an effect"], rows);
}

function meanOf(values: readonly number[], items: Int32Array): number {
  let sum = 0;
  for (const item of items) sum += values[item] as number;
  return sum / items.length;
}
