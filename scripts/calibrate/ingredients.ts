/** @file The factorial model and the interquartile mean: error and coverage. */

import { Rng } from "../../src/base/rng.ts";
import { type FactorialData, factorialModel } from "../../src/stats/factorial.ts";
import { interquartileMean, interquartileMeanInterval } from "../../src/stats/interquartile-mean.ts";
import { mean, sortedQuantile } from "../../src/stats/moments.ts";
import { excludes, percent, RESAMPLES, shares, table } from "./tables.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];
const NUM_ITEMS = 60;

/** Singles, pairs, leave-one-out and all of six ingredients: 28 mixtures. */
const MIXTURES = Array.from({ length: 64 }, (_, bits) => NAMES.map((_, i) => (bits >> i) & 1)).filter((mixture) =>
  [1, 2, 5, 6].includes(mixture.reduce((sum, held) => sum + held, 0)),
);

/** Ingredient a without effect. */
export function factorialTable(numStudies: number): string {
  const settings = [
    ["none", 0, 0],
    ["of items, by ingredient", 0, 1],
    ["of mixtures (synergies)", 1, 0],
    ["both", 1, 1],
  ] as const;
  const rows = settings.flatMap(([name, ofMixtures, ofItems]) =>
    [2, 3].map((numSeeds) => {
      const rng = new Rng(10, `${name} ${numSeeds}`);
      const found = shares(numStudies, () => {
        const { runs, means } = draw(numSeeds, ofMixtures, ofItems, rng);
        const error = (data: FactorialData, term = "a") => {
          const effect = factorialModel(data).effects.find((one) => one.term === term);
          return effect !== undefined && excludes(effect, 0);
        };
        const paired = { ...means, pairs: ["b", "c"].map((other) => ["a", other] as const) };
        return {
          runs: error({ scores: runs.scores, factors: runs.factors }),
          runsItems: error(runs),
          meansOnly: error({ scores: means.scores, factors: means.factors }),
          meansItems: error(means),
          inPairs: error(paired),
          pair: error(paired, "a x b"),
        };
      });
      const { runs, runsItems, meansOnly, meansItems, inPairs, pair } = found;
      return [name, numSeeds, ...[runs, meansOnly, runsItems, meansItems, inPairs, pair].map(percent)];
    }),
  );
  const head = ["what else varies", "seeds", "runs", "mixture means", "runs, with items"];
  return table([...head, "**mixture means, with items**", "the same, two pairs in the model", "the pair a x b"], rows);
}

/** Every run as a row, and the means over seeds as rows. */
function draw(numSeeds: number, ofMixtures: number, ofItems: number, rng: Rng) {
  const normals = (spread: number) => Array.from({ length: NUM_ITEMS }, () => spread * rng.normal());
  const strengths = NAMES.map(() => normals(0.3 * ofItems));
  const groups = Array.from({ length: NUM_ITEMS }, (_, i) => `${Math.floor(i / 2)}`);
  const items = MIXTURES.map((mixture) => {
    const own = 0.06 * ofMixtures * rng.normal();
    const level = normals(0).map(
      (_, i) => own + mixture.reduce((sum, held, f) => sum + held * (strengths[f]![i] as number), 0),
    );
    return Array.from({ length: numSeeds }, () => {
      const shift = 0.05 * rng.normal();
      return level.map((score) => score + shift + 0.3 * rng.normal());
    });
  });
  const rowsOf = (scores: number[][], repeats: number): Required<Omit<FactorialData, "pairs">> => ({
    scores: scores.map(mean),
    factors: Object.fromEntries(
      NAMES.map((name, f) => [
        name,
        MIXTURES.flatMap((mixture) => Array.from({ length: repeats }, () => mixture[f] as number)),
      ]),
    ),
    items: { scores, groups },
  });
  const overSeeds = items.map((seeds) => groups.map((_, i) => mean(seeds.map((run) => run[i] as number))));
  return { runs: rowsOf(items.flat(), numSeeds), means: rowsOf(overSeeds, 1) };
}

/** Retraining on the same tasks. */
export function aggregateTable(numStudies: number): string {
  const rows = [5, 20].flatMap((numTasks) =>
    [2, 3, 6].map((numSeeds) => {
      const rng = new Rng(11, `${numTasks} ${numSeeds}`);
      const levels = Array.from({ length: numTasks }, () => 0.5 + 0.2 * rng.normal());
      const draw = () => levels.map((level) => Array.from({ length: numSeeds }, () => level + 0.05 * rng.normal()));
      const truth = mean(Array.from({ length: 5_000 }, () => interquartileMean(draw().flat())));
      const { ours, plain } = shares(numStudies, (s) => {
        const scores = draw();
        return {
          ours: !excludes(interquartileMeanInterval(scores, { seed: s, resamples: RESAMPLES }), truth),
          plain: !excludes(plainInterval(scores, rng), truth),
        };
      });
      return [numTasks, numSeeds, percent(ours), percent(plain)];
    }),
  );
  return table(["tasks", "seeds", "**deviations stretched, t tails**", "plain stratified bootstrap"], rows);
}

/** As rliable has it: k of k seeds, plain percentiles. */
function plainInterval(scores: readonly number[][], rng: Rng) {
  const draws = Array.from({ length: RESAMPLES }, () =>
    interquartileMean(scores.flatMap((seeds) => seeds.map(() => rng.pick(seeds)))),
  ).sort((a, b) => a - b);
  return { low: sortedQuantile(draws, 0.025), high: sortedQuantile(draws, 0.975) };
}
