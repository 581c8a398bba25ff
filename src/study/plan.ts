/** @file Which runs a study is made of. Pure: sizes, identities and estimates come in as arguments. Which runs are done is not known here. */

import { canonicalJson } from "../base/canonical-json.ts";
import { SpecError } from "../base/errors.ts";
import { runId } from "../specs/run-id.ts";
import { isTrainedOn, mayOverlap } from "../specs/tasks.ts";
import type {
  BudgetSpec,
  Caps,
  DesignPart,
  MixtureSpec,
  ModelIdentity,
  RunControl,
  RunSpec,
  StudySpec,
  TaskSpec,
  TrainSpec,
} from "../specs/types.ts";
import { type AmountsInput, resolveIngredients, withDoses } from "./amounts.ts";
import { type Budgeted, type Candidate, matched, referenceFor } from "./budget.ts";
import { designedMixtures } from "./designs.ts";
import { type Combination, combinations, sizeFactor } from "./factors.ts";
import { product } from "./product.ts";
import type { Estimate, PlannedRun } from "./types.ts";

/** What is known of an ingredient once its data is loaded. */
export interface IngredientFacts {
  /** Digest of its training rows, rendered, in order. */
  rows_digest: string;
  /** Training examples it has (windows, where documents are cut), under the task's own cap. */
  num_train: number;
  /** Digest of its dev examples, as many as are scored. */
  dev_digest: string;
  /** Its answers are labels. */
  has_labels: boolean;
}

/** Tasks whose training answers are dealt out anew, and by which seed. */
export interface Shuffled {
  tasks: readonly string[];
  seed: number;
}

/** Which training rows of the tasks are used, and how; those of the study where it says nothing. */
export interface RowChoice {
  caps?: Caps;
  shuffled?: Shuffled | undefined;
}

/** What planning needs to know of the world. */
export interface PlanFacts {
  /** By ingredient name, for a model (its tokenizer may refuse rows), a way to train, and a choice of rows. */
  ingredients(model: string, train: TrainSpec, rows: RowChoice): Record<string, IngredientFacts>;
  /** By model name as written. */
  models: Record<string, ModelIdentity>;
  worker: RunSpec["worker"];
  estimate(spec: RunSpec, caps: Caps): Estimate;
  /** The first number of steps by when a run has shown so many tokens. */
  stepsToShow(spec: RunSpec, tokens: number, caps: Caps): number;
}

/** Every task that a study touches, by ingredient name: targets and mixers. Those that drop overlaps know the tasks they are kept apart from. */
export function ingredientTasks({ tasks, mixers, allow_overlap }: StudySpec): Record<string, TaskSpec> {
  const mixedIn = Object.entries(mixers).map(([name, mixer]): [string, TaskSpec] => [
    name,
    mixer.source ?? { name, catalogue: mixer.task },
  ]);
  const scored = Object.values(tasks);
  const all = [...Object.entries(tasks), ...mixedIn].map(([name, spec]): [string, TaskSpec] => {
    if (spec.on_overlap !== "drop") return [name, spec];
    return [name, { ...spec, apart_from: scored.filter((one) => !mayOverlap(allow_overlap, name, one.name)) }];
  });
  return Object.fromEntries(all);
}

/** What of a run's data is shuffled; undefined: nothing. */
export function shuffledOf({ mixture, seed }: Pick<RunSpec, "mixture" | "seed">): Shuffled | undefined {
  return mixture.shuffled_labels && { tasks: mixture.shuffled_labels, seed };
}

/**
 * All runs of a study: models x mixtures x doses x factors x budgets x seeds, with those of its controls; runs with equal ids once.
 * @throws {SpecError} a design that cannot be made, a budget that cannot be matched
 */
export function planRuns(study: StudySpec, facts: PlanFacts): PlannedRun[] {
  const all = combinations(study);
  const runs = study.models.flatMap((model) => all.flatMap((combination) => runsUnder(model, combination, facts)));
  const unique = runsOnce(runs);
  verifyPlan(unique);
  return unique;
}

/** What all runs of one model and one value of each factor share. */
interface Setting {
  model: string;
  study: StudySpec;
  caps: Caps;
  /** As tables show them: the values of `train` keys, and the sizes of tasks. */
  factors: Record<string, unknown>;
  ingredients: Record<string, IngredientFacts>;
  amounts: AmountsInput;
  facts: PlanFacts;
}

/** The runs of one model and one value of each factor: mixtures x budgets x seeds. */
function runsUnder(model: string, { study, train, caps }: Combination, facts: PlanFacts): PlannedRun[] {
  const ingredients = facts.ingredients(model, study.train, { caps });
  const sizes = Object.keys(caps).map((task) => [sizeFactor(task), ingredients[task]!.num_train]);
  const factors = { ...train, ...Object.fromEntries(sizes) };
  const amounts = amountsInput(study, ingredients);
  const setting = { model, study, caps, factors, ingredients, amounts, facts };
  const designed = candidatesOf([...study.design, ...shuffledDesign(study, ingredients)], study, amounts);
  const trueOnes = designed.filter(({ mixture }) => mixture.shuffled_labels === undefined);
  const arms: Arm[] = [{ candidates: designed, train: study.train }];
  if (study.controls.includes("random_init")) arms.push(randomArm(trueOnes, study.train));
  const isMatched = study.budget.match.some((match) => match !== "none");
  const others = isMatched ? REFERENCE_DESIGN.flatMap((part) => candidatesOf([part], study, amounts)) : [];
  const referenceOf = (one: Candidate) => referenceFor(study.budget.reference, one, [...trueOnes, ...others]);
  return study.budget.match.flatMap((match) =>
    study.seeds.flatMap((seed) => arms.flatMap((arm) => armRuns(setting, arm, match, seed, referenceOf))),
  );
}

/** The runs of mixtures that are trained alike, under one budget and seed. */
function armRuns(
  setting: Setting,
  { candidates, train, control }: Arm,
  match: BudgetSpec["match"][number],
  seed: number,
  referenceOf: (candidate: Candidate) => Candidate,
): PlannedRun[] {
  const { model, study, caps, factors, amounts, facts } = setting;
  const specOf = (budgeted: Budgeted) => runSpec(setting, train, seed, budgeted);
  const budget = { max_steps: train.max_steps, num_train_epochs: train.num_train_epochs };
  const budgeted = matched(match, candidates, budget, referenceOf, amounts, {
    shown: (one) => facts.estimate(specOf(one), caps),
    stepsToShow: (one, tokens) => facts.stepsToShow(specOf(one), tokens, caps),
  });
  const shown = study.budget.match.length > 1 ? { ...factors, "budget.match": match } : factors;
  return budgeted.map((one) => {
    const spec = specOf(one);
    return plannedRun(spec, model, shown, capsIn(spec.mixture, caps), facts.estimate(spec, caps), control);
  });
}

function runSpec(
  { model, caps, ingredients, facts }: Setting,
  train: TrainSpec,
  seed: number,
  { mixture, ...budget }: Budgeted,
): RunSpec {
  const shuffled = shuffledOf({ mixture, seed });
  const used = shuffled === undefined ? ingredients : facts.ingredients(model, train, { caps, shuffled });
  return {
    format: 1,
    model: facts.models[model]!,
    mixture,
    data: runData(mixture, used, train),
    train: { ...train, ...budget },
    seed,
    worker: facts.worker,
  };
}

/** Mixtures that are trained alike. */
interface Arm {
  candidates: Candidate[];
  train: TrainSpec;
  control?: RunControl;
}

/** The same mixtures from random weights: all of them are trained, as an adapter on random weights learns next to nothing. */
function randomArm(candidates: readonly Candidate[], train: TrainSpec): Arm {
  const named = candidates.map((one) => ({
    ...one,
    mixture: { ...one.mixture, name: `${one.mixture.name} (random init)` },
  }));
  return { candidates: named, train: { ...train, method: "full", init: "random" }, control: "random_init" };
}

/**
 * The mixtures of `controls: [shuffled_labels]`: each task with labels alone.
 * @throws {SpecError} no task has labels
 */
function shuffledDesign({ controls, tasks }: StudySpec, facts: Record<string, IngredientFacts>): DesignPart[] {
  if (!controls.includes("shuffled_labels")) return [];
  const labelled = Object.keys(tasks).filter((name) => isTrainedOn(tasks[name]) && facts[name]!.has_labels);
  if (labelled.length === 0) {
    throw new SpecError({
      place: "controls: shuffled_labels",
      expected: "a task with labels that is trained on",
      got: Object.keys(tasks).join(", "),
      remedy: "For other answers write a mixture of the design out, with shuffled_labels: true.",
    });
  }
  return labelled.map((name) => ({ name, tasks: { [name]: {} }, shuffled_labels: true }));
}

/** Runs of equal ids as one. A second mixture that is equal under the same factors is forgotten; other factors are noted. */
function runsOnce(runs: readonly PlannedRun[]): PlannedRun[] {
  const byId = new Map<string, PlannedRun>();
  for (const run of runs) {
    const known = byId.get(run.id);
    if (known === undefined) byId.set(run.id, run);
    else if (![known, ...known.also].some((other) => isSameArm(other, run))) {
      const { mixture, factors, control } = run;
      known.also.push({ mixture, factors, ...(control && { control }) });
    }
  }
  return [...byId.values()];
}

function isSameArm(a: PlannedRun["also"][number], b: PlannedRun["also"][number]): boolean {
  return canonicalJson(a.factors) === canonicalJson(b.factors) && a.control === b.control;
}

/** Mixtures that a budget may refer to though they are not in the design. */
const REFERENCE_DESIGN: DesignPart[] = ["all", "singles", "pairs", "leave-one-out"];

function candidatesOf(design: readonly DesignPart[], study: StudySpec, input: AmountsInput): Candidate[] {
  const isIngredient = (mixer: string) => study.mixers[mixer]?.role === "ingredient";
  const targets = Object.keys(study.tasks).filter((name) => isTrainedOn(study.tasks[name]));
  const names = [...targets, ...Object.keys(study.mixers).filter(isIngredient)];
  return designedMixtures(design, names, study.temperature).flatMap((mixture) =>
    doseCombinations(study).map(({ doses, suffix }): Candidate => {
      const name = `${mixture.name.slice(0, 64 - suffix.length)}${suffix}`;
      const ingredients = resolveIngredients(mixture, input);
      const plain = { name, ingredients: withDoses(name, ingredients, doses, input) };
      const explicit = mixture.shuffled_labels ? shuffledMixture(plain, study) : plain;
      return { mixture: explicit, designed: mixture.name, ingredients, doses };
    }),
  );
}

/** Answers of tasks are shuffled; mixers are no targets and stay what they are. */
function shuffledMixture({ name, ingredients }: MixtureSpec, { tasks }: StudySpec): MixtureSpec {
  const shuffled_labels = Object.keys(ingredients)
    .filter((ingredient) => tasks[ingredient] !== undefined)
    .sort();
  if (shuffled_labels.length > 0) return { name: `${name} (shuffled labels)`, ingredients, shuffled_labels };
  throw new SpecError({
    place: `design: ${name}: shuffled_labels`,
    expected: "a task among the ingredients, whose answers can be shuffled",
    got: `mixers only: ${Object.keys(ingredients).join(", ")}`,
    remedy: "Add a task to the mixture, or leave shuffled_labels out.",
  });
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

function plannedRun(
  spec: RunSpec,
  model: string,
  factors: Record<string, unknown>,
  caps: Caps,
  estimate: Estimate,
  asked: RunControl | undefined,
): PlannedRun {
  const { mixture, seed } = spec;
  const control = mixture.shuffled_labels === undefined ? asked : "shuffled_labels";
  return {
    id: runId(spec),
    model,
    mixture,
    seed,
    factors,
    caps,
    ...(control && { control }),
    also: [],
    spec,
    estimate,
  };
}

/** Those of a mixture's own ingredients. */
function capsIn({ ingredients }: MixtureSpec, caps: Caps): Caps {
  return Object.fromEntries(Object.entries(caps).filter(([task]) => ingredients[task] !== undefined));
}

/** The doses of mixers that are always added, all ways, and what each adds to a mixture's name. */
export function doseCombinations(study: StudySpec): { doses: Record<string, number>; suffix: string }[] {
  const always = Object.entries(study.mixers).filter(([, mixer]) => mixer.role === "always");
  const varied = always.filter(([, mixer]) => (mixer.dose ?? [1]).length > 1).map(([name]) => name);
  return product(always.map(([name, mixer]): [string, number[]] => [name, mixer.dose ?? [1]])).map((doses) => ({
    doses,
    suffix: varied.map((name) => `_${name}-${String(doses[name]).replace(".", "_")}`).join(""),
  }));
}
