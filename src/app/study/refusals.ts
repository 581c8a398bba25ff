/** @file Studies that are refused before anything is written. */

import { SpecError } from "../../base/errors.ts";
import { numericsOf } from "../../specs/train.ts";
import type { StudySpec } from "../../specs/types.ts";
import type { PlannedRun } from "../../study/types.ts";
import type { BaseModel } from "../models/base-model.ts";
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
 * Refuses a study with an example that is within train.cutoff_len and beyond what its model reads.
 * @throws {SpecError} with the task and the split
 */
export function refuseBeyondPositions(
  study: StudySpec,
  models: Readonly<Record<string, Pick<BaseModel, "positions">>>,
  ingredients: Ingredients,
): void {
  const { cutoff_len } = study.train;
  for (const model of study.models) {
    const { positions } = models[model]!;
    if (cutoff_len <= positions) continue; // what is longer was refused, shortened or left out
    for (const [name, task] of Object.entries(ingredients(model, study.train))) {
      for (const split of ["train", ...study.eval.splits] as const) {
        const longest = task.split(split).lengths.tokens.reduce((most, length) => Math.max(most, length), 0);
        if (longest > positions) throw beyondPositions(`${name}/${split}`, model, positions, longest, cutoff_len);
      }
    }
  }
}

function beyondPositions(place: string, model: string, positions: number, longest: number, cutoff: number): SpecError {
  return new SpecError({
    place,
    expected: `examples of at most ${positions} tokens, which is what ${model} reads (max_position_embeddings)`,
    got: `one of ${longest}, with train.cutoff_len: ${cutoff}`,
    remedy: `Set train.cutoff_len: ${positions}, and declare a fit for the task or on_bad_row: skip; or take a model that reads more.`,
  });
}

/** Tokenises what will be scored, so that a row that is too long is found before any training. */
export function refuseUnscorable(study: StudySpec, ingredients: Ingredients): void {
  for (const model of study.models) {
    const planned = ingredients(model, study.train);
    for (const name of Object.keys(study.tasks)) for (const split of study.eval.splits) planned[name]!.split(split);
  }
}
