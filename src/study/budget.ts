/** @file budget.match: how long each mixture is trained so that what is compared had the same steps, tokens or task examples as a reference. */

import { SpecError } from "../base/errors.ts";
import { didYouMean } from "../specs/nearest.ts";
import type { Amount, BudgetSpec, MixtureSpec, Shown, TrainSpec } from "../specs/types.ts";
import { type AmountsInput, amountOf, withDoses } from "./amounts.ts";

/** A mixture of the plan, before its budget. */
export interface Candidate {
  mixture: MixtureSpec;
  /** Its name in the design: without the dose, where that is a factor. */
  designed: string;
  /** Its ingredients without the mixers that a dose adds. */
  ingredients: Record<string, Amount>;
  doses: Record<string, number>;
}

/** What is trained, and for how long: what a budget decides of a run. */
export type Budgeted = Pick<TrainSpec, "max_steps" | "num_train_epochs"> & { mixture: MixtureSpec };

/** What matching needs to know of a way to train a mixture. */
export interface Measures {
  /** All that a run shows, by ingredient, and its steps. */
  shown(budgeted: Budgeted): { steps: number; ingredients: Record<string, Shown> };
  /** The first number of steps by when a run has shown so many tokens. */
  stepsToShow(budgeted: Budgeted, tokens: number): number;
}

/**
 * How every mixture of a study is trained, given what the reference mixture comes to at the study's own number of epochs or steps.
 *
 * - `none`: `num_train_epochs` (or `max_steps`) decides.
 * - `steps`: as many optimiser steps as the reference.
 * - `tokens`: until as many tokens were shown as by the reference; the batch that gets there is the last.
 * - `target_examples`: each ingredient is shown as often as by the reference: in its epochs if these are whole ones, else in one long epoch.
 *   Mixers of role `always` follow by their dose.
 *
 * @throws {SpecError} target_examples of an ingredient that the reference does not show
 */
export function matched(
  match: BudgetSpec["match"][number],
  candidates: readonly Candidate[],
  own: Omit<Budgeted, "mixture">,
  referenceOf: (candidate: Candidate) => Candidate,
  input: AmountsInput,
  measures: Measures,
): Budgeted[] {
  if (match === "none") return candidates.map(({ mixture }) => ({ ...own, mixture }));
  const known = new Map<string, ReturnType<Measures["shown"]>>();
  return candidates.map((candidate) => {
    const reference = referenceOf(candidate);
    const { name } = reference.mixture;
    const shown = known.get(name) ?? measures.shown({ ...own, mixture: reference.mixture });
    known.set(name, shown);
    if (match === "target_examples") return shownAsOften(candidate, reference, shown.ingredients, own, input);
    const plain = { ...own, mixture: candidate.mixture };
    if (match === "steps") return { ...plain, max_steps: shown.steps };
    const tokens = Object.values(shown.ingredients).reduce((sum, one) => sum + one.tokens, 0);
    return { ...plain, max_steps: measures.stepsToShow(plain, tokens) };
  });
}

function shownAsOften(
  { mixture: whole, ingredients, doses }: Candidate,
  reference: Candidate,
  shown: Readonly<Record<string, Shown>>,
  own: Omit<Budgeted, "mixture">,
  input: AmountsInput,
): Budgeted {
  const { name } = whole;
  const held = Object.keys(reference.ingredients);
  const times = Object.fromEntries(held.map((target) => [target, shown[target]!.examples]));
  const targets = Object.keys(ingredients).filter((target) => input.mixers[target]?.role !== "always");
  const missing = targets.find((target) => (times[target] ?? 0) === 0);
  if (missing !== undefined) {
    const isHeld = held.includes(missing);
    const { name: refers } = reference.mixture;
    throw new SpecError({
      place: "budget.reference",
      expected: `a mixture that shows ${missing}, as ${name} does`,
      got: isHeld ? `${refers}, which ends before it comes to it` : `${refers} of ${held.join(", ")}`,
      remedy: isHeld ? "Train longer, or use another kind of match." : "Use reference: all, or another kind of match.",
    });
  }
  const isWhole = own.max_steps === null && Number.isInteger(own.num_train_epochs);
  const epochs = isWhole ? own.num_train_epochs : 1;
  const amounts = targets.map((target) => [target, amountOf(times[target]! / epochs, input.numTrain[target]!)]);
  const matchedIngredients = { ...ingredients, ...Object.fromEntries(amounts) };
  const mixture = { ...whole, ingredients: withDoses(name, matchedIngredients, doses, input) };
  return { max_steps: null, num_train_epochs: epochs, mixture };
}

/**
 * The mixture that `budget.reference` names for another: the one of that name, or, where the dose is a factor, the one of that name in the design
 * with the same doses.
 * @param among mixtures of the design, then further ones that may be named
 * @throws {SpecError} none has the name
 */
export function referenceFor(name: string, { doses }: Candidate, among: readonly Candidate[]): Candidate {
  const hasDoses = (other: Candidate) => Object.entries(doses).every(([mixer, dose]) => other.doses[mixer] === dose);
  const found =
    among.find(({ mixture }) => mixture.name === name) ??
    among.find((other) => other.designed === name && hasDoses(other));
  if (found !== undefined) return found;
  const names = [...new Set(among.flatMap(({ designed, mixture }) => [designed, mixture.name]))];
  throw new SpecError({
    place: "budget.reference",
    expected: "a mixture of the design, or of singles, pairs, leave-one-out, all",
    got: name,
    remedy: didYouMean(name, names),
  });
}
