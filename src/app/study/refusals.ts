/** @file Studies that are refused before anything is written. */

import { DataError, SpecError } from "../../base/errors.ts";
import { nothingLeft } from "../../data/checks/contracts.ts";
import type { PreparedTask } from "../../data/tokens/prepare.ts";
import { numericsOf } from "../../specs/train.ts";
import type { StudySpec } from "../../specs/types.ts";
import { combinations, shotsAsked } from "../../study/factors.ts";
import type { PlannedRun } from "../../study/types.ts";
import { refuseLargeModel } from "../models/memory.ts";
import { weightCost } from "../models/memory-estimate.ts";
import type { Ingredients } from "../tasks/ingredients.ts";
import type { PlannedStudy } from "./planned-study.ts";
import { answerKind } from "./read-study.ts";

/** @throws {SpecError} numbers that the embedded engine does not compute in */
export function refuseNumerics(plan: readonly PlannedRun[]): void {
  const [key] = plan.flatMap(({ spec }) => Object.keys(numericsOf(spec.train)));
  if (key === undefined) return;
  throw new SpecError({
    place: `train.${key}`,
    expected: "false, on the local worker",
    got: "true",
    remedy: "Add options.worker torch: the embedded engine computes in float32 alone.",
  });
}

/**
 * Refuses a study with a run that cannot fit.
 * @param memory  of what computes; default: this machine's
 * @throws {SpecError} with the arithmetic
 */
export function refuseFullMemory({ plan, models }: Pick<PlannedStudy, "plan" | "models">, memory?: number): void {
  for (const { model, estimate, spec } of plan)
    refuseLargeModel(model, models[model]!.size, estimate.memory_bytes, memory, weightCost(spec));
}

/** @throws {SpecError} a setting that services alone have */
export function refuseMultiplier({ train, factors }: StudySpec): void {
  const key = "learning_rate_multiplier";
  const isFactor = factors[`train.${key}`] !== undefined;
  if (train[key] === undefined && !isFactor) return;
  throw new SpecError({
    place: isFactor ? `factors.train.${key}` : `train.${key}`,
    expected: "options.worker hosted, the only worker that applies it",
    got: "another worker",
    remedy: "Use train.learning_rate instead.",
  });
}

/** @throws {SpecError} documents among the scored tasks: they have no answer */
export function refuseUnscored(study: StudySpec): void {
  for (const [name, spec] of Object.entries(study.tasks)) {
    const kind = answerKind(spec);
    if (kind !== "document") continue;
    throw new SpecError({
      place: `tasks.${name}`,
      expected: "a task with prompts and answers",
      got: `kind ${kind}`,
      remedy: "Move it to mixers: there it is trained on and not scored.",
    });
  }
}

/**
 * Tokenises what will be scored, in every way in which the study's factors train and with the examples that few_shot shows, so that a row that is too
 * long for train.cutoff_len or for its model is found before any training.
 * @throws {DataError} with the row; own data of which no row is left to score
 */
export function refuseUnscorable(study: StudySpec, ingredients: Ingredients): void {
  const names = Object.keys(study.tasks);
  const tokenize = (of: Record<string, PreparedTask>) => {
    for (const name of names) {
      for (const split of study.eval.splits) {
        const isEmpty = of[name]!.split(split).tokenized.length === 0;
        if (isEmpty && study.tasks[name]!.data !== undefined) throw new DataError(nothingLeft(name, split));
      }
    }
  };
  for (const model of study.models) {
    for (const { study: one } of combinations(study)) tokenize(ingredients(model, one.train));
    for (const shots of shotsAsked(study))
      tokenize(ingredients(model, study.train, { shown: { tasks: names, shots } }));
  }
}
