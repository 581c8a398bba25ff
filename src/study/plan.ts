/** @file Which runs a study is made of. Pure: sizes, identities and estimates come in as arguments. Which runs are done is not known here. */

import { SpecError } from "../base/errors.ts";
import { didYouMean } from "../specs/nearest.ts";
import { runId } from "../specs/run-id.ts";
import { changeTrain } from "../specs/train.ts";
import type { MixtureSpec, ModelIdentity, RunSpec, StudySpec, TaskSpec, TrainSpec } from "../specs/types.ts";
import { resolveAmounts } from "./amounts.ts";
import { designedMixtures } from "./designs.ts";
import type { Estimate, PlannedRun } from "./types.ts";

/** What is known of an ingredient once its data is loaded. */
export interface IngredientFacts {
  /** Digest of its training rows, rendered, in order. */
  rows_digest: string;
  /** Training examples it has (windows, where documents are cut), under the task's own cap. */
  num_train: number;
  /** Digest of its dev examples, as many as are scored. */
  dev_digest: string;
}

/** What planning needs to know of the world. */
export interface PlanFacts {
  /** By ingredient name, for a model (its tokenizer may refuse rows) and a way to train. */
  ingredients(model: string, train: TrainSpec): Record<string, IngredientFacts>;
  /** By model name as written. */
  models: Record<string, ModelIdentity>;
  worker: RunSpec["worker"];
  estimate(spec: RunSpec): Estimate;
}

/** Every task that a study touches, by ingredient name: targets and mixers. */
export function ingredientTasks(study: StudySpec): Record<string, TaskSpec> {
  const mixers = Object.entries(study.mixers).map(([name, mixer]) => [
    name,
    mixer.source ?? { name, catalogue: mixer.task },
  ]);
  return { ...study.tasks, ...(Object.fromEntries(mixers) as Record<string, TaskSpec>) };
}

/**
 * All runs of a study: models x mixtures x doses x factors x budgets x seeds; runs with equal ids once.
 * @throws {SpecError} a design that cannot be made, a budget reference that is no mixture
 */
export function planStudy(study: StudySpec, facts: PlanFacts): PlannedRun[] {
  const runs = study.models.flatMap((model) =>
    factorCombinations(study).flatMap((factors) => {
      const changed = Object.entries(factors).map(([dotted, value]) => [dotted.slice("train.".length), value]);
      const train = changeTrain(study.train, Object.fromEntries(changed));
      const ingredients = facts.ingredients(model, train);
      const mixtures = plannedMixtures(study, ingredients);
      return study.budget.match.flatMap((match) =>
        study.seeds.flatMap((seed) => {
          const specs = mixtures.map(
            (mixture): RunSpec => ({
              format: 1,
              model: facts.models[model]!,
              mixture,
              data: runData(mixture, ingredients, train),
              train,
              seed,
              worker: facts.worker,
            }),
          );
          const budgeted = match === "steps" ? matchedSteps(specs, study, facts) : specs;
          const shown = study.budget.match.length > 1 ? { ...factors, "budget.match": match } : factors;
          return budgeted.map((spec) => plannedRun(spec, model, shown, facts));
        }),
      );
    }),
  );
  const unique = [...new Map(runs.map((run) => [run.id, run])).values()];
  verifyPlan(unique);
  return unique;
}

/** The mixtures of a study with explicit amounts, doses multiplied out. */
export function plannedMixtures(study: StudySpec, facts: Record<string, IngredientFacts>): MixtureSpec[] {
  const numTrain = Object.fromEntries(Object.entries(facts).map(([name, { num_train }]) => [name, num_train]));
  const input = { tasks: study.tasks, mixers: study.mixers, numTrain };
  const isIngredient = (mixer: string) => study.mixers[mixer]?.role === "ingredient";
  const ingredients = [...Object.keys(study.tasks), ...Object.keys(study.mixers).filter(isIngredient)];
  return designedMixtures(study.design, ingredients).flatMap((mixture) =>
    doseCombinations(study).map(({ doses, suffix }) => ({
      name: `${mixture.name.slice(0, 64 - suffix.length)}${suffix}`,
      ingredients: resolveAmounts(mixture, doses, input),
    })),
  );
}

/** What of the data is part of a run: its training rows, and its dev rows where they decide what is kept. */
function runData(mixture: MixtureSpec, facts: Record<string, IngredientFacts>, train: TrainSpec): RunSpec["data"] {
  const devDecides = train.evaluate === "best" || train.keep === "best" || train.early_stopping_patience > 0;
  const data = Object.keys(mixture.ingredients).map((name) => {
    const { rows_digest, num_train, dev_digest } = facts[name]!;
    return [name, { rows_digest, num_train, ...(devDecides ? { dev_digest } : {}) }];
  });
  return Object.fromEntries(data);
}

/**
 * Checks what every plan must be.
 * @throws {Error} ids that repeat or differ from their spec's, an empty mixture, an ingredient without data: bugs, not a person's mistakes
 */
export function verifyPlan(runs: readonly PlannedRun[]): void {
  const ids = new Set(runs.map((run) => run.id));
  if (ids.size !== runs.length) throw new Error("plan: run ids repeat");
  for (const run of runs) {
    if (run.id !== runId(run.spec)) throw new Error(`plan: ${run.id} is not the id of its spec`);
    const ingredients = Object.keys(run.spec.mixture.ingredients);
    if (ingredients.length === 0) throw new Error(`plan: ${run.id} has an empty mixture`);
    const missing = ingredients.find((name) => run.spec.data[name] === undefined);
    if (missing !== undefined) throw new Error(`plan: ${run.id} knows no data of ${missing}`);
  }
}

function plannedRun(spec: RunSpec, model: string, factors: Record<string, unknown>, facts: PlanFacts): PlannedRun {
  const { mixture, seed } = spec;
  return { id: runId(spec), model, mixture, seed, factors, spec, estimate: facts.estimate(spec) };
}

/** Every spec trained for as many steps as the reference mixture takes by epochs. */
function matchedSteps(specs: RunSpec[], study: StudySpec, facts: PlanFacts): RunSpec[] {
  const reference = specs.find((spec) => spec.mixture.name === study.budget.reference);
  if (reference === undefined) {
    const names = specs.map((spec) => spec.mixture.name);
    throw new SpecError({
      place: "budget.reference",
      expected: "a mixture of the design",
      got: study.budget.reference,
      remedy: didYouMean(study.budget.reference, names),
    });
  }
  const { steps } = facts.estimate(reference);
  return specs.map((spec) => ({ ...spec, train: { ...spec.train, max_steps: steps } }));
}

function factorCombinations(study: StudySpec): Record<string, unknown>[] {
  return product(Object.entries(study.factors));
}

function doseCombinations(study: StudySpec): { doses: Record<string, number>; suffix: string }[] {
  const always = Object.entries(study.mixers).filter(([, mixer]) => mixer.role === "always");
  const varied = always.filter(([, mixer]) => (mixer.dose ?? [1]).length > 1).map(([name]) => name);
  return product(always.map(([name, mixer]): [string, number[]] => [name, mixer.dose ?? [1]])).map((doses) => ({
    doses,
    suffix: varied.map((name) => `_${name}-${String(doses[name]).replace(".", "_")}`).join(""),
  }));
}

/** All ways to take one value for each key. */
function product<T>(entries: readonly (readonly [string, readonly T[]])[]): Record<string, T>[] {
  return entries.reduce<Record<string, T>[]>(
    (taken, [key, values]) => taken.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}
