/** @file A report's answers: which mixture each task wants, and what each ingredient does to it. */

import { isTrainedOn } from "../specs/tasks.ts";
import { benjaminiHochberg } from "../stats/corrections.ts";
import { isPair } from "../stats/factorial.ts";
import { aloneRows } from "./analyse.ts";
import { addedEffects, bestOfTask, pairEffects } from "./comparisons.ts";
import { type ModelItems, studyItems } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";
import { offerOf } from "./offer.ts";
import { offerText } from "./offer-words.ts";
import { type IngredientEffects, orNull, type TaskAnswer } from "./report-data.ts";
import type { StudyResults } from "./results.ts";
import type { StudyTable } from "./study-table.ts";
import { answerText, effectText } from "./words.ts";

/** Chances of being best that are shown. */
const SHOWN_CHANCE = 0.01;

/** One a target and model. */
export function answersOf({ lock, table, items, models, read }: StudyResults): TaskAnswer[] {
  const onDev = studyItems(table, models, lock, read, "dev");
  return items.flatMap((one): TaskAnswer[] => {
    const chosen = table.chosen[one.model]?.[one.task];
    if (chosen === undefined || !isTrainedOn(lock.study.tasks[one.task])) return [];
    const row = table.rows[chosen]!;
    const [reference] = aloneRows(table.rows, row, one.task, lock);
    const found = table.comparisons.find(({ task, model }) => task === one.task && model === one.model);
    const best = bestOfTask(table, one, reference, lock);
    const { selected } = best;
    const dev = onDev.find(({ task, model }) => task === one.task && model === one.model)!;
    const offer = offerOf(dev, chosen, table, lock);
    const answer = {
      task: one.task,
      model: one.model,
      chosen,
      reference: reference ?? null,
      difference: orNull(found?.difference),
      low: orNull(found?.low),
      high: orNull(found?.high),
      pValue: orNull(found?.pValue),
      pAdjusted: orNull(found?.pAdjusted),
      familySize: found?.familySize ?? 0,
      verdict: found?.verdict ?? ("no reference" as const),
      offer: { verdict: offer.verdict, text: offerText(offer, one.task, table) },
      chanceOfBest: best.chances.filter(({ chance }) => chance >= SHOWN_CHANCE).toSorted((a, b) => b.chance - a.chance),
      selected:
        selected === undefined
          ? null
          : {
              row: selected.row,
              estimate: selected.estimate,
              low: orNull(selected.low),
              high: orNull(selected.high),
              candidates: selected.numCandidates,
            },
    };
    return [{ ...answer, text: answerText(answer, table) }];
  });
}

/**
 * Of tasks whose mixtures differ in what they hold. Over a model's tasks there are three families: what other ingredients do, what a task's own data
 * does, and what pairs do.
 */
export function effectsOf(lock: StudyLock, table: StudyTable, items: readonly ModelItems[]): IngredientEffects[] {
  const found = effectsOfEach(lock, table, items);
  for (const model of new Set(found.map((one) => one.model))) {
    const all = found
      .filter((one) => one.model === model)
      .flatMap(({ task, effects }) => effects.map((effect) => ({ task, effect })));
    const familyOf = ({ task, effect }: (typeof all)[number]) =>
      isPair(effect) ? "pair" : effect.term === task ? "own" : "other";
    for (const name of ["pair", "own", "other"]) {
      const family = all.filter((one) => familyOf(one) === name);
      const { pValues } = benjaminiHochberg(family.map(({ effect }) => effect.pValue ?? Number.NaN));
      for (const [i, { effect }] of family.entries()) effect.pAdjusted = orNull(pValues[i]);
    }
  }
  return found.map((one) => {
    const { metric } = table.tasks.find(({ name }) => name === one.task)!;
    return { ...one, text: effectText(one, metric) };
  });
}

function effectsOfEach(
  lock: StudyLock,
  table: StudyTable,
  items: readonly ModelItems[],
): Omit<IngredientEffects, "text">[] {
  const hasPairs = lock.study.design.some((part) => part === "pairs" || part === "paper-55");
  return items.flatMap((one): Omit<IngredientEffects, "text">[] => {
    const model = addedEffects(table, one, lock);
    if (model === undefined) return [];
    const withPairs = hasPairs ? pairEffects(table, one, lock) : undefined;
    const synergies = withPairs?.effects.filter(isPair) ?? [];
    const effects = [...model.effects, ...synergies].map(({ term, effect, low, high, pValue }) => {
      return { term, effect, low: orNull(low), high: orNull(high), pValue: orNull(pValue), pAdjusted: null };
    });
    const notEstimable = [...new Set([...model.notEstimable, ...(withPairs?.notEstimable ?? [])])];
    return [{ task: one.task, model: one.model, effects, notEstimable, numRuns: model.numRuns }];
  });
}
