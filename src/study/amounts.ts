/** @file How many examples a mixture asks of each ingredient: caps, shares, mixers that are always there, mixers whose size is a share of all caps. */

import { SpecError } from "../base/errors.ts";
import { isTrainedOn } from "../specs/tasks.ts";
import type { Amount, MixerSpec, TaskSpec } from "../specs/types.ts";
import type { DesignedMixture } from "./designs.ts";

/** What decides amounts: the study's tasks and mixers, and how many training examples each ingredient has. */
export interface AmountsInput {
  tasks: Record<string, TaskSpec>;
  mixers: Record<string, MixerSpec>;
  numTrain: Record<string, number>;
}

/** An amount that yields `asked` examples per epoch of an ingredient that has `available`: a cap below that, repetition above. */
export function amountOf(asked: number, available: number): Amount {
  if (asked === available) return {};
  return asked < available ? { max_train: asked } : { epochs: asked / available };
}

/** Training examples per epoch that an amount of an ingredient stands for; NaN for weight and tokens, which the rest of the mixture decides. */
export function askedExamples(amount: Amount, available: number): number {
  if (amount.weight !== undefined || amount.tokens !== undefined) return Number.NaN;
  if (amount.epochs !== undefined) return Math.round(amount.epochs * available);
  return Math.min(amount.max_train ?? available, available);
}

/** Training examples of an ingredient under its cap; for a mixer with share_of_caps, that share of the sum of all task caps. */
function capOf(ingredient: string, input: AmountsInput): number {
  const share = input.mixers[ingredient]?.share_of_caps;
  if (share !== undefined) {
    const trainedOn = Object.keys(input.tasks).filter((task) => isTrainedOn(input.tasks[task]));
    return Math.max(1, Math.round(share * sum(trainedOn.map((task) => capOf(task, input)))));
  }
  const available = input.numTrain[ingredient]!;
  return Math.min(input.tasks[ingredient]?.max_train ?? available, available);
}

/**
 * A designed mixture's own ingredients with every amount made explicit; an amount that the design says stays as it is.
 * @throws {SpecError} amounts that are no counts where the total is shared out by temperature
 */
export function resolveIngredients(mixture: DesignedMixture, input: AmountsInput): Record<string, Amount> {
  const { ingredients, shares } = mixture;
  const resolved: Record<string, Amount> = {};
  for (const [name, amount] of Object.entries(ingredients)) {
    const isSaid = Object.keys(amount).length > 0;
    resolved[name] = isSaid ? amount : amountOf(capOf(name, input), input.numTrain[name]!);
  }
  if (shares === undefined) return resolved;
  const counts = Object.fromEntries(
    Object.entries(resolved).map(([name, amount]) => [name, askedExamples(amount, input.numTrain[name]!)]),
  );
  const uncounted = Object.keys(counts).find((name) => Number.isNaN(counts[name]));
  if (uncounted !== undefined) {
    throw new SpecError({
      place: `design: ${mixture.name}: ${uncounted}`,
      expected: "max_train, epochs or nothing, since temperature shares out a number of examples",
      got: JSON.stringify(ingredients[uncounted]),
      remedy: "Write it as max_train, or leave out temperature.",
    });
  }
  const weights =
    "proportions" in shares
      ? shares.proportions
      : Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count ** (1 / shares.temperature)]));
  const shared = sharedOut(sum(Object.values(counts)), weights);
  return Object.fromEntries(
    Object.keys(resolved)
      .filter((name) => shared[name] !== 0)
      .map((name) => [name, amountOf(shared[name]!, input.numTrain[name]!)]),
  );
}

/**
 * The mixture's ingredients, and each mixer of role `always` added with its dose: dose d means d examples per task example of the mixture.
 * A mixer that is there already keeps its amount.
 * @throws {SpecError} a dose beside amounts that are no counts
 */
export function withDoses(
  name: string,
  ingredients: Readonly<Record<string, Amount>>,
  doses: Readonly<Record<string, number>>,
  input: AmountsInput,
): Record<string, Amount> {
  const numTaskExamples = sum(
    Object.entries(ingredients)
      .filter(([name]) => input.mixers[name]?.role !== "always")
      .map(([name, amount]) => askedExamples(amount, input.numTrain[name]!)),
  );
  const all = { ...ingredients };
  for (const [mixer, dose] of Object.entries(doses)) {
    if (all[mixer] !== undefined) continue;
    if (Number.isNaN(numTaskExamples)) {
      throw new SpecError({
        place: `design: ${name}`,
        expected: `an amount for ${mixer}, since a dose counts task examples and this mixture says weight or tokens`,
        got: "nothing",
        remedy: `Add ${mixer}: {weight: …} to the mixture.`,
      });
    }
    all[mixer] = amountOf(Math.max(1, Math.round(dose * numTaskExamples)), input.numTrain[mixer]!);
  }
  return all;
}

/** A total in whole parts by weight: rounded down, what is left to the largest remainders, ties to the earlier name. Sums to the total. */
function sharedOut(total: number, weights: Readonly<Record<string, number>>): Record<string, number> {
  const names = Object.keys(weights).sort();
  const all = sum(names.map((name) => weights[name]!));
  const exact = names.map((name) => (total * weights[name]!) / all);
  const parts = exact.map(Math.floor);
  const order = names.map((_, i) => i).sort((i, j) => exact[j]! - parts[j]! - (exact[i]! - parts[i]!) || i - j);
  for (const i of order.slice(0, total - sum(parts))) parts[i]!++;
  return Object.fromEntries(names.map((name, i) => [name, parts[i]!]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0);
}
