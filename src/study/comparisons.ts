/** @file Comparisons of a study's rows on test items: families of differences, the chance of being best, ingredients' effects, retention. */

import { isTrainedOn } from "../specs/tasks.ts";
import { benjaminiHochberg, SIGNIFICANT } from "../stats/corrections.ts";
import { meanOfSeeds } from "../stats/difference.ts";
import { type FactorialData, type FactorialModel, factorialModel } from "../stats/factorial.ts";
import { jointDraws } from "../stats/joint-draws.ts";
import { mean } from "../stats/moments.ts";
import { chanceOfBest, type SelectedBest, selectedBest } from "../stats/selected-best.ts";
import { aloneRows } from "./analyse.ts";
import { type ModelItems, type TaskItems, variedIngredients } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import { comparable } from "./offer.ts";
import { ofMixtures, rowDifference } from "./pair-difference.ts";
import type { StudyTable } from "./study-table.ts";

/** A row against another on the same test items. */
export interface RowDifference {
  task: string;
  model: string;
  /** Indices into the table's rows. */
  row: number;
  reference: number;
  difference: number;
  low: number;
  high: number;
  pValue: number;
  /** Benjamini and Hochberg's, over the family. */
  pAdjusted: number;
  familySize: number;
  mark: "above" | "below" | "none";
}

/** Every mixture against training on the task alone with the same factors. */
export function versusAlone(table: StudyTable, all: readonly ModelItems[], lock: StudyLock): RowDifference[] {
  const found = all.flatMap((items) =>
    mixturesOf(table, items.scores).flatMap((row) =>
      aloneRows(table.rows, table.rows[row]!, items.task, lock).flatMap((reference) =>
        reference === row ? [] : differenceOf(items, row, reference, table),
      ),
    ),
  );
  return corrected(found);
}

/** Every mixture against its untuned model, on tasks that are only evaluated: what tuning cost in general ability. */
export function versusUntuned(table: StudyTable, all: readonly ModelItems[], lock: StudyLock): RowDifference[] {
  const found = all.flatMap((items) => {
    if (isTrainedOn(lock.study.tasks[items.task])) return [];
    const reference = table.rows.findIndex((row) => row.kind === "base" && row.model === items.model);
    return mixturesOf(table, items.scores).flatMap((row) => differenceOf(items, row, reference, table));
  });
  return corrected(found);
}

function differenceOf(items: ModelItems, row: number, reference: number, { rows }: StudyTable): Uncorrected[] {
  const found = rowDifference(items, row, reference, rows);
  if (found === undefined) return [];
  const { difference, low, high, pValue } = ofMixtures(found);
  return [{ task: items.task, model: items.model, row, reference, difference, low, high, pValue }];
}

function mixturesOf({ rows }: StudyTable, scores: TaskItems["scores"]): number[] {
  return [...scores.keys()].filter((i) => rows[i]!.kind === "mixture");
}

type Uncorrected = Omit<RowDifference, "pAdjusted" | "familySize" | "mark">;

function corrected(found: readonly Uncorrected[]): RowDifference[] {
  const family = found.map(({ pValue }) => pValue).filter((pValue) => !Number.isNaN(pValue));
  const { pValues, familySize } = benjaminiHochberg(family);
  let at = 0;
  return found.map((one) => {
    const pAdjusted = Number.isNaN(one.pValue) ? Number.NaN : pValues[at++]!;
    const mark = pAdjusted < SIGNIFICANT ? (one.difference > 0 ? "above" : "below") : "none";
    return { ...one, pAdjusted, familySize, mark };
  });
}

/** Who is best on test, allowing for the picking. */
export interface BestOfTask {
  chances: { row: number; chance: number }[];
  /** The highest gain over `reference`. */
  selected?: SelectedBest & { row: number };
}

/** Of the mixtures that may be chosen (offer.ts); their gains over training on the task alone where that is scored. */
export function bestOfTask(
  table: StudyTable,
  items: ModelItems,
  reference: number | undefined,
  lock: StudyLock,
): BestOfTask {
  const rows = comparable(items, table.rows, lock);
  if (rows.length < 2) return { chances: [] };
  const scoresOf = (row: number) => items.scores.get(row)!;
  const options = { seed: DRAWS_SEED, seeds: items.seeds };
  const draws = jointDraws(rows.map(scoresOf), items.groups, options);
  const chances = draws.draws.length === 0 ? [] : chanceOfBest(draws).map((chance, k) => ({ row: rows[k]!, chance }));
  const base = reference === undefined ? undefined : items.scores.get(reference);
  const others = rows.filter((row) => row !== reference);
  if (base === undefined || others.length === 0) return { chances };
  const selected = selectedBest(jointDraws(others.map(scoresOf), items.groups, { ...options, reference: base }));
  return { chances, selected: { ...selected, row: others[selected.index]! } };
}

/** Of resampling: fixed, so that a report rebuilt from the same files is the same. */
const DRAWS_SEED = 1;

/**
 * What adding an ingredient does to a task: a linear model of the means of all mixtures, in which other ingredients have one effect where the
 * mixture holds the task and another where it does not; the first is given. Of a task that is never trained on there is one.
 */
export function addedEffects(table: StudyTable, items: ModelItems, lock: StudyLock): FactorialModel | undefined {
  const { task } = items;
  const mixtures = observedMixtures(table, items, lock);
  const isWith = ({ held }: ObservedMixture) => held.includes(task);
  const names = variedIn(mixtures);
  if (names.length === 0) return undefined;
  const column = (holds: (one: ObservedMixture) => boolean) => mixtures.map((one) => Number(holds(one)));
  const isVaried = names.includes(task);
  const columns = names.flatMap((name): [string, number[]][] => {
    const has = ({ held }: ObservedMixture) => held.includes(name);
    if (name === task || !isVaried) return [[name, column(has)]];
    return [
      [name, column((one) => has(one) && isWith(one))],
      [`${name}${WITHOUT}`, column((one) => has(one) && !isWith(one))],
    ];
  });
  const isDetermined = ([, values]: [string, number[]]) => new Set(values).size > 1;
  const model = modelOf(mixtures, items, { factors: Object.fromEntries(columns.filter(isDetermined)) });
  const isShown = (term: string) => !term.endsWith(WITHOUT);
  return {
    ...model,
    effects: model.effects.filter(({ term }) => isShown(term)),
    notEstimable: model.notEstimable.filter(isShown),
  };
}

/** Marks an ingredient's effect on mixtures that do not hold the task: no ingredient's name has a space. */
const WITHOUT = " without the task";

/**
 * What pairs of ingredients do to a task beyond what each does: a second linear model of the means of all mixtures. Where its terms are as many as
 * the mixtures (singles, pairs and all of four ingredients) nothing is left to show what varies besides them: there are no intervals.
 */
export function pairEffects(table: StudyTable, items: ModelItems, lock: StudyLock): FactorialModel | undefined {
  const mixtures = observedMixtures(table, items, lock);
  const names = variedIn(mixtures);
  if (names.length === 0) return undefined;
  return modelOf(mixtures, items, {
    factors: Object.fromEntries(names.map((name) => [name, mixtures.map(({ held }) => Number(held.includes(name)))])),
    pairs: names.flatMap((one, i) => names.slice(i + 1).map((other) => [one, other] as const)),
  });
}

/** Of means over seeds: runs of one mixture share what the terms do not say of it, and are not independent (docs/calibration.md). */
function modelOf(
  mixtures: readonly ObservedMixture[],
  { groups }: ModelItems,
  terms: Pick<FactorialData, "factors" | "pairs">,
): FactorialModel {
  const scores = mixtures.map(({ means }) => means);
  return factorialModel({ scores: scores.map(mean), ...terms, items: { scores, groups } });
}

interface ObservedMixture {
  held: string[];
  /** [n] item scores. */
  means: number[];
}

function observedMixtures(table: StudyTable, { scores }: ModelItems, lock: StudyLock): ObservedMixture[] {
  const once = new Map(mixturesOf(table, scores).map((row) => [table.rows[row]!.runs.join(), row]));
  return [...once.values()].map((row) => ({
    held: variedIngredients(table.rows[row]!, lock),
    means: meanOfSeeds(scores.get(row)!),
  }));
}

/** Ingredients that some mixtures hold and others do not. */
function variedIn(mixtures: readonly ObservedMixture[]): string[] {
  const all = [...new Set(mixtures.flatMap(({ held }) => held))];
  return all.filter((name) => mixtures.some(({ held }) => !held.includes(name)));
}
