/** @file What the finished runs of a study say to do: the mixture to take for each task, and which runs to add. Choices are made on dev only. */

import { readReceipt } from "../runs/run-dir.ts";
import { METRICS } from "../specs/metrics.ts";
import type { Amount, DesignPart, MetricName, StudySpec } from "../specs/types.ts";
import { additiveModel, type HeldOutCheck, heldOutCheck, type MixtureData } from "../stats/additive.ts";
import { designEffect, minimumDetectableDifference } from "../stats/detectable.ts";
import { type Difference, meanOfSeeds, seededDifference } from "../stats/difference.ts";
import { mean, variance } from "../stats/moments.ts";
import { type Row, SIGNIFICANT, type StudyTable } from "./analyse.ts";
import { bestOfTask } from "./comparisons.ts";
import { type ModelItems, studyItems, variedIngredients } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import { attempt } from "./report-records.ts";
import type { StudyResults } from "./results.ts";
import { runDir } from "./scored.ts";
import { rowLabel } from "./words.ts";

/** The mixture that dev chooses. */
export interface BestMixture {
  name: string;
  /** The task's own metric on dev, mean over seeds. */
  dev: number;
  numSeeds: number;
  /** Of being the best of all here, on dev; absent where it cannot be told. */
  chance?: number;
  /** Of training and scoring one run, mean over seeds. */
  cost?: { seconds: number; tokens: number };
}

/** The chosen mixture against the likeliest other, on dev items. */
export interface Rival {
  name: string;
  /** Chosen minus it, in what items are compared on. */
  difference: number;
  low: number;
  high: number;
  pValue: number;
  /** `told`: it can be told from the chosen one; `seeds`: so many would do; `equal`: not even {@link MAX_SEEDS} would, take the cheaper. */
  verdict: "told" | "seeds" | "equal";
  /** For a difference of this size to be found in four of five cases; of mixtures with one seed: 2, the first that can say anything. */
  seedsNeeded?: number;
}

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
  /** The chance is {@link PROMISING} or more, and the sum of ingredients foretells mixtures that it has not seen better than their mean does. */
  isPromising: boolean;
}

/** What to do for a task under a model. */
export interface TaskAdvice {
  task: string;
  model: string;
  metric: MetricName;
  /** What items are compared on. */
  itemMetric: string;
  best: BestMixture;
  rival?: Rival;
  /** Mixtures of the study's ingredients that are not among its runs; and the most hopeful of them. */
  numUntried: number;
  untried: Untried[];
  /** Of the sum of ingredients, on mixtures left out one at a time; absent where none could be predicted from the rest. */
  check?: HeldOutCheck;
}

/** A mixture to add, for which tasks. */
export interface AddedMixture {
  name: string;
  ingredients: string[];
  tasks: string[];
}

export interface Advice {
  name: string;
  numRuns: number;
  numDone: number;
  tasks: TaskAdvice[];
  /** Tasks without a dev score. */
  unscored: string[];
  add: {
    mixtures: AddedMixture[];
    /** All that the study should then have; absent: those it has. */
    seeds?: number[];
    numRuns: number;
    /** Keys for the study file in place of those there; empty where there is nothing to add. */
    yaml: string;
  };
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
/** Seeds beyond which two mixtures are better taken for equal. */
export const MAX_SEEDS = 12;

/** Marks a mixture that does not hold the task: no ingredient's name has a space. */
const OUTSIDE = "without the task";

/**
 * Reads what is done of a study and says what follows.
 *
 * Best is what dev chooses. An untried mixture's dev score is predicted by the sum of its ingredients' effects, estimated from the mixtures that hold
 * the task (an ingredient does other things to a task that is not trained on). Those that promise a gain over the best mixture tried come first;
 * among others as well the order is that of prediction plus one standard error: what is uncertain may be worth a run, what is surely bad is not.
 * The best one tried had luck on its side, which makes promises careful.
 */
export function recommend({ dir, lock, table, models, read }: StudyResults): Advice {
  const items = studyItems(table, models, lock, read, "dev");
  const isTarget = ({ task }: ModelItems) => lock.study.tasks[task]?.evaluation_only !== true;
  const targets = items.filter(isTarget);
  const chosenFor = ({ model, task }: ModelItems) => table.chosen[model]?.[task];
  const tasks = targets.flatMap((one) => {
    const chosen = chosenFor(one);
    return chosen === undefined ? [] : [adviceOf(one, chosen, { dir, lock, table })];
  });
  const unscored = targets.filter((one) => chosenFor(one) === undefined).map(({ task }) => task);
  return {
    name: table.name,
    numRuns: table.numRuns,
    numDone: table.numDone,
    tasks,
    unscored: [...new Set(unscored)],
    add: addedBy(tasks, lock, table),
  };
}

interface Read {
  dir: string;
  lock: StudyLock;
  table: StudyTable;
}

function adviceOf(items: ModelItems, chosen: number, { dir, lock, table }: Read): TaskAdvice {
  const { task, model, metric } = items;
  const row = table.rows[chosen]!;
  const { chances } = bestOfTask(table, items, undefined);
  const chance = chances.find((one) => one.row === chosen)?.chance;
  const cost = costOf(dir, row.runs);
  const best = {
    name: rowLabel(row),
    dev: row.cells[task]!.dev.mean,
    numSeeds: row.cells[task]!.dev.values.length,
    ...(chance === undefined ? {} : { chance }),
    ...(cost && { cost }),
  };
  const rival = rivalOf(items, chosen, chances, table);
  return {
    task,
    model,
    metric,
    itemMetric: METRICS[metric].item,
    best,
    ...(rival && { rival }),
    ...untriedOf(items, chosen, table, lock),
  };
}

function costOf(dir: string, runs: readonly string[]): BestMixture["cost"] {
  const costs = runs.flatMap((id) => attempt(() => readReceipt(runDir(dir, id)))?.cost ?? []);
  if (costs.length === 0) return undefined;
  return { seconds: mean(costs.map(({ seconds }) => seconds)), tokens: mean(costs.map(({ tokens }) => tokens)) };
}

function rivalOf(
  { scores, groups, seeds }: ModelItems,
  chosen: number,
  chances: readonly { row: number; chance: number }[],
  { rows }: StudyTable,
): Rival | undefined {
  const likely = (row: number) => chances.find((one) => one.row === row)?.chance ?? 0;
  const level = (row: number) => mean(meanOfSeeds(scores.get(row)!));
  const others = [...scores.keys()].filter((row) => row !== chosen && rows[row]!.kind === "mixture");
  const [other] = others.toSorted((x, y) => likely(y) - likely(x) || level(y) - level(x));
  const [a, b] = [scores.get(chosen), other === undefined ? undefined : scores.get(other)];
  if (other === undefined || a === undefined || b === undefined) return undefined;
  const { difference, low, high, pValue } = seededDifference(a, b, groups, seeds);
  const found = { name: rowLabel(rows[other]!), difference, low, high, pValue };
  if (pValue < SIGNIFICANT) return { ...found, verdict: "told" };
  if (difference === 0) return { ...found, verdict: "equal" };
  const numSeeds = Math.min(a.length, b.length);
  if (seeds.df === 0) return { ...found, verdict: "seeds", seedsNeeded: numSeeds + 1 };
  const means = [meanOfSeeds(a), meanOfSeeds(b)] as const;
  const d = means[0].map((score, i) => score - means[1][i]!);
  const effect = designEffect(d, groups);
  const spread = Math.max(0, seeds.variance - (seeds.noise?.variance ?? 0));
  for (let more = numSeeds + 1; more <= MAX_SEEDS; more++) {
    const detectable = minimumDetectableDifference({
      numItems: d.length,
      itemVariance: variance(d),
      ...(Number.isNaN(effect) ? {} : { designEffect: effect }),
      // every seed more of the pooled mixtures adds as many degrees of freedom as each of those there
      seeds: { numSeeds: more, variance: spread, df: (seeds.df * (more - 1)) / Math.max(1, numSeeds - 1) },
    });
    if (detectable <= Math.abs(difference)) return { ...found, verdict: "seeds", seedsNeeded: more };
  }
  return { ...found, verdict: "equal" };
}

function untriedOf(
  items: ModelItems,
  chosen: number,
  table: StudyTable,
  lock: StudyLock,
): Pick<TaskAdvice, "numUntried" | "untried" | "check"> {
  const held = (row: number) => variedIngredients(table.rows[row]!, lock);
  const fitted = fittedMixtures(items, chosen, table, held);
  if (fitted === undefined) return { numUntried: 0, untried: [] };
  const { data, against, always } = fitted;
  const fit = additiveModel(data);
  const check = heldOutCheck(data);
  const isTrusted = check.numChecked === 0 || check.meanError < check.meanErrorOfMean;
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
      const isPromising = isTrusted && chance >= PROMISING;
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
  const factors = JSON.stringify(rows[chosen]!.factors);
  const isLike = (row: number) => rows[row]!.kind === "mixture" && JSON.stringify(rows[row]!.factors) === factors;
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

function keyOf(ingredients: readonly string[]): string {
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

function addedBy(tasks: readonly TaskAdvice[], lock: StudyLock, table: StudyTable): Advice["add"] {
  const mixtures = new Map<string, AddedMixture>();
  for (const { task, untried } of tasks) {
    for (const { name, ingredients } of untried.filter(({ isPromising }) => isPromising)) {
      const known = mixtures.get(keyOf(ingredients));
      if (known === undefined) mixtures.set(keyOf(ingredients), { name, ingredients, tasks: [task] });
      else if (!known.tasks.includes(task)) known.tasks.push(task);
    }
  }
  const { seeds, design } = lock.study;
  const needed = Math.max(0, ...tasks.map(({ rival }) => rival?.seedsNeeded ?? 0));
  const more = needed > seeds.length ? withMore(seeds, needed) : undefined;
  const numRows = table.rows.filter(({ kind }) => kind === "mixture" || kind === "control").length;
  const numArms = new Set(lock.runs.map(({ model, factors }) => JSON.stringify([model, factors]))).size;
  const numSeeds = more?.length ?? seeds.length;
  const added = [...mixtures.values()];
  const lines = [
    ...(added.length > 0 ? ["design:", ...design.map(partLine), ...added.map(mixtureLine)] : []),
    ...(more ? [`seeds: [${more.join(", ")}]`] : []),
  ];
  return {
    mixtures: added,
    ...(more && { seeds: more }),
    numRuns: numRows * (numSeeds - seeds.length) + added.length * numArms * numSeeds,
    yaml: lines.map((line) => `${line}\n`).join(""),
  };
}

/** The next whole numbers that are not among them. */
function withMore(seeds: readonly number[], needed: number): number[] {
  const all = [...seeds];
  for (let next = Math.max(...seeds) + 1; all.length < needed; next++) all.push(next);
  return all;
}

function partLine(part: DesignPart): string {
  return `  - ${typeof part === "string" ? part : JSON.stringify(part)}`;
}

function mixtureLine({ name, ingredients }: AddedMixture): string {
  const amounts: Record<string, Amount> = Object.fromEntries(ingredients.map((one) => [one, {}]));
  return `  - ${JSON.stringify({ name, tasks: amounts })}`;
}
