/** @file Mixtures of a study's ingredients that were not trained, and what dev would say of them if ingredients add up. */

import type { StudySpec } from "../specs/types.ts";
import { additiveModel, type HeldOutCheck, heldOutCheck, type MixtureData } from "../stats/additive.ts";
import { type Difference, meanOfSeeds } from "../stats/difference.ts";
import { mean } from "../stats/moments.ts";
import { shareCombination } from "./analyse.ts";
import { type ModelItems, variedIngredients } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import type { Row, StudyTable } from "./study-table.ts";

/** A mixture that was not trained. */
export interface Untried {
  name: string;
  ingredients: string[];
  /** Predicted dev gain over the chosen mixture, with its 95 % prediction interval. */
  gain: number;
  low: number;
  high: number;
  /** Of any gain, by the same distribution; NaN where there is no interval. */
  chance: number;
  /** The chance is {@link PROMISING} or more, the chosen mixture is not perfect, and the sum of ingredients foretells mixtures that it has not seen better than their mean does. */
  isPromising: boolean;
}

/** What is said of a task's untried mixtures. */
export interface UntriedMixtures {
  /** Mixtures of the study's ingredients that are not among its runs; and the most hopeful of them. */
  numUntried: number;
  untried: Untried[];
  /** Of the sum of ingredients, on mixtures left out one at a time; absent where none could be predicted from the rest. */
  check?: HeldOutCheck;
}

/**
 * Chance of a gain from which an untried mixture is worth its runs. In made-up studies without effects it is reached in fewer than 1 of 100, with
 * effects it is right in about 8 of 10 or more (docs/calibration.md).
 */
export const PROMISING = 0.8;
/** Untried mixtures that are shown of each task. */
const SHOWN = 3;
/** Ingredients beyond which not all combinations are looked at: those with the smallest effects stay out. */
const MAX_VARIED = 12;

/** Marks a mixture that does not hold the task: no ingredient's name has a space. */
const OUTSIDE = "without the task";

/**
 * A mixture's dev score is predicted by the sum of its ingredients' effects, estimated from the mixtures that hold the task (an ingredient does other
 * things to a task that is not trained on). Those that promise a gain over the best mixture tried come first; among others as well the order is that
 * of prediction plus one standard error: what is uncertain may be worth a run, what is surely bad is not. The best one tried had luck on its side,
 * which makes promises careful.
 *
 * @param items   of dev
 * @param chosen  the row that dev chooses
 */
export function untriedOf(items: ModelItems, chosen: number, table: StudyTable, lock: StudyLock): UntriedMixtures {
  const held = (row: number) => variedIngredients(table.rows[row]!, lock);
  const fitted = fittedMixtures(items, chosen, table, held);
  if (fitted === undefined) return { numUntried: 0, untried: [] };
  const { data, against, always } = fitted;
  const fit = additiveModel(data);
  const check = heldOutCheck(data);
  const isTrusted = check.numChecked === 0 || check.meanError < check.meanErrorOfMean;
  const hasRoom = items.metric === "answer_logprob" || mean(meanOfSeeds(items.scores.get(chosen)!)) < 1;
  const isPlanned = ({ kind, model }: Row) => kind === "mixture" && model === items.model;
  const planned = new Set(table.rows.flatMap((row, i) => (isPlanned(row) ? [keyOf(held(i))] : [])));
  const levelOf = (mixture: string[]) => fit.predict(mixture)?.difference ?? 0;
  const effectOf = (name: string) => Math.abs(levelOf([...always, name]) - levelOf(always));
  const varied = fit.varied
    .filter((name) => name !== OUTSIDE)
    .toSorted((a, b) => effectOf(b) - effectOf(a))
    .slice(0, MAX_VARIED);
  const candidates = subsets(varied)
    .map((some) => ingredientsInOrder([...always, ...some], lock.study))
    .filter((mixture) => mixture.length > 0 && !planned.has(keyOf(mixture)));
  const predicted = candidates.flatMap((ingredients) => {
    const found = fit.predict(ingredients, against);
    return found === undefined ? [] : [{ ingredients, ...found }];
  });
  const hope = ({ difference, standardError }: Difference) =>
    difference + (Number.isNaN(standardError) ? 0 : standardError);
  const ranked = predicted
    .toSorted((a, b) => hope(b) - hope(a))
    .map(({ ingredients, difference, low, high, pValue }): Untried => {
      const chance = difference > 0 ? 1 - pValue / 2 : pValue / 2;
      const isPromising = hasRoom && isTrusted && chance >= PROMISING;
      return { name: mixtureName(ingredients, table), ingredients, gain: difference, low, high, chance, isPromising };
    });
  const isSo = ({ isPromising }: Untried) => isPromising;
  return {
    numUntried: candidates.length,
    untried: [...ranked.filter(isSo), ...ranked.filter((one) => !isSo(one))].slice(0, SHOWN),
    ...(check.numChecked > 0 ? { check } : {}),
  };
}

/**
 * The mixtures that hold the task (all, where none does) with the chosen one's factors; the chosen one is among them: `against`.
 * @returns undefined where the chosen one has no dev items to be compared on
 */
function fittedMixtures(
  { task, scores, groups, seeds }: ModelItems,
  chosen: number,
  { rows }: StudyTable,
  held: (row: number) => string[],
): { data: MixtureData; against: number; always: string[] } | undefined {
  if (!scores.has(chosen) || groups.length === 0) return undefined;
  const like = { combinations: rows[chosen]!.combinations.slice(0, 1) };
  const isLike = (row: number) => rows[row]!.kind === "mixture" && shareCombination(rows[row]!, like);
  const mixtures = [...scores.keys()].filter(isLike);
  const isTrainedOn = mixtures.some((row) => held(row).includes(task));
  const within = isTrainedOn ? mixtures.filter((row) => held(row).includes(task)) : mixtures;
  const fitted = within.includes(chosen) ? within : [...within, chosen];
  const always = held(within[0]!).filter((name) => within.every((row) => held(row).includes(name)));
  const means = fitted.map((row) => meanOfSeeds(scores.get(row)!));
  const numSeeds = scores.get(chosen)!.length;
  const over = (part: { variance: number; df: number }) => ({ ...part, variance: part.variance / numSeeds });
  return {
    data: {
      // a chosen mixture without the task is only what others are compared with: a term of its own keeps it out of the sum
      held: fitted.map((row) => (within.includes(row) ? held(row) : [...always, OUTSIDE])),
      scores: means.map(mean),
      items: { scores: means, groups },
      seeds: { ...over(seeds), ...(seeds.noise && { noise: over(seeds.noise) }) },
    },
    against: fitted.indexOf(chosen),
    always,
  };
}

/** The same for the same ingredients in any order. */
export function keyOf(ingredients: readonly string[]): string {
  return ingredients.toSorted().join();
}

function subsets(names: readonly string[]): string[][] {
  return Array.from({ length: 2 ** names.length }, (_, bits) => names.filter((_, i) => (bits >> i) % 2 === 1));
}

function ingredientsInOrder(names: readonly string[], { tasks, mixers }: StudySpec): string[] {
  return [...Object.keys(tasks), ...Object.keys(mixers)].filter((name) => names.includes(name));
}

/** Of its ingredients, no longer than names may be, and not one of the study's. */
function mixtureName(ingredients: readonly string[], { rows }: StudyTable): string {
  const plain = ingredients.join("__").slice(0, 60);
  const isTaken = (name: string) => rows.some((row) => row.name === name);
  let name = plain;
  for (let i = 2; isTaken(name); i++) name = `${plain}_${i}`;
  return name;
}
