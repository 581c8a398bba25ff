/** @file Which runs a study is made of. Pure: sizes, identities and estimates come in as arguments. Which runs are done is not known here. */

import { canonicalJson } from "../base/canonical-json.ts";
import { runId } from "../specs/run-id.ts";
import { changeTrain } from "../specs/train.ts";
import type {
  DesignPart,
  MixtureSpec,
  ModelIdentity,
  RunSpec,
  StudySpec,
  TaskSpec,
  TrainSpec,
} from "../specs/types.ts";
import { type AmountsInput, resolveIngredients, withDoses } from "./amounts.ts";
import { type Budgeted, type Candidate, matched, referenceFor } from "./budget.ts";
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
  /** The first number of steps by when a run has shown so many tokens. */
  stepsToShow(spec: RunSpec, tokens: number): number;
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
 * @throws {SpecError} a design that cannot be made, a budget that cannot be matched
 */
export function planStudy(study: StudySpec, facts: PlanFacts): PlannedRun[] {
  const runs = study.models.flatMap((model) =>
    factorCombinations(study).flatMap((factors) => {
      const changed = Object.entries(factors).map(([dotted, value]) => [dotted.slice("train.".length), value]);
      const train = changeTrain(study.train, Object.fromEntries(changed));
      const ingredients = facts.ingredients(model, train);
      const input = amountsInput(study, ingredients);
      const candidates = candidatesOf(study.design, study, input);
      const isMatched = study.budget.match.some((match) => match !== "none");
      const others = isMatched ? REFERENCE_DESIGN.flatMap((part) => candidatesOf([part], study, input)) : [];
      const referenceOf = (one: Candidate) => referenceFor(study.budget.reference, one, [...candidates, ...others]);
      return study.budget.match.flatMap((match) =>
        study.seeds.flatMap((seed) => {
          const specOf = ({ mixture, ...budget }: Budgeted): RunSpec => ({
            format: 1,
            model: facts.models[model]!,
            mixture,
            data: runData(mixture, ingredients, train),
            train: { ...train, ...budget },
            seed,
            worker: facts.worker,
          });
          const own = { max_steps: train.max_steps, num_train_epochs: train.num_train_epochs };
          const budgeted = matched(match, candidates, own, referenceOf, input, {
            shown: (one) => facts.estimate(specOf(one)),
            stepsToShow: (one, tokens) => facts.stepsToShow(specOf(one), tokens),
          });
          const shown = study.budget.match.length > 1 ? { ...factors, "budget.match": match } : factors;
          return budgeted.map((one) => plannedRun(specOf(one), model, shown, facts));
        }),
      );
    }),
  );
  const unique = runsOnce(runs);
  verifyPlan(unique);
  return unique;
}

/** Runs of equal ids as one. A second mixture that is equal under the same factors is forgotten; other factors are noted. */
function runsOnce(runs: readonly PlannedRun[]): PlannedRun[] {
  const byId = new Map<string, PlannedRun>();
  for (const run of runs) {
    const known = byId.get(run.id);
    if (known === undefined) byId.set(run.id, run);
    else if (![known, ...known.also].some(({ factors }) => canonicalJson(factors) === canonicalJson(run.factors))) {
      known.also.push({ mixture: run.mixture, factors: run.factors });
    }
  }
  return [...byId.values()];
}

/** The mixtures of a study with explicit amounts, doses multiplied out. */
export function plannedMixtures(study: StudySpec, facts: Record<string, IngredientFacts>): MixtureSpec[] {
  return candidatesOf(study.design, study, amountsInput(study, facts)).map(({ mixture }) => mixture);
}

/** Mixtures that a budget may refer to though they are not in the design. */
const REFERENCE_DESIGN: DesignPart[] = ["all", "singles", "pairs", "leave-one-out"];

function candidatesOf(design: readonly DesignPart[], study: StudySpec, input: AmountsInput): Candidate[] {
  const isTrainedOn = (task: string) => study.tasks[task]?.evaluation_only !== true;
  const isIngredient = (mixer: string) => study.mixers[mixer]?.role === "ingredient";
  const names = [...Object.keys(study.tasks).filter(isTrainedOn), ...Object.keys(study.mixers).filter(isIngredient)];
  return designedMixtures(design, names, study.temperature).flatMap((mixture) =>
    doseCombinations(study).map(({ doses, suffix }): Candidate => {
      const name = `${mixture.name.slice(0, 64 - suffix.length)}${suffix}`;
      const ingredients = resolveIngredients(mixture, input);
      const explicit = { name, ingredients: withDoses(name, ingredients, doses, input) };
      return { mixture: explicit, designed: mixture.name, ingredients, doses };
    }),
  );
}

function amountsInput({ tasks, mixers }: StudySpec, facts: Record<string, IngredientFacts>): AmountsInput {
  const numTrain = Object.fromEntries(Object.entries(facts).map(([name, { num_train }]) => [name, num_train]));
  return { tasks, mixers, numTrain };
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
  return { id: runId(spec), model, mixture, seed, factors, also: [], spec, estimate: facts.estimate(spec) };
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
