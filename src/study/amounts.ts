/** @file How many examples a mixture asks of each ingredient: caps, mixers that are always there, mixers whose size is a share of all caps. */

import { SpecError } from "../base/errors.ts";
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
export function capOf(ingredient: string, input: AmountsInput): number {
  const share = input.mixers[ingredient]?.share_of_caps;
  if (share !== undefined)
    return Math.max(1, Math.round(share * sum(Object.keys(input.tasks).map((task) => capOf(task, input)))));
  const available = input.numTrain[ingredient]!;
  return Math.min(input.tasks[ingredient]?.max_train ?? available, available);
}

/**
 * The designed mixture with every amount made explicit, and each mixer of role `always` added with its dose.
 * dose d means d examples per task example of the mixture; an explicit amount in the design wins.
 * @throws {SpecError} a dose beside amounts that are no counts
 */
export function resolveAmounts(
  mixture: DesignedMixture,
  doses: Readonly<Record<string, number>>,
  input: AmountsInput,
): Record<string, Amount> {
  const resolved: Record<string, Amount> = {};
  for (const [name, amount] of Object.entries(mixture.ingredients)) {
    const isSaid = Object.keys(amount).length > 0;
    resolved[name] = isSaid ? amount : amountOf(capOf(name, input), input.numTrain[name]!);
  }
  const numTaskExamples = sum(
    Object.entries(resolved)
      .filter(([name]) => input.mixers[name]?.role !== "always")
      .map(([name, amount]) => askedExamples(amount, input.numTrain[name]!)),
  );
  for (const [name, dose] of Object.entries(doses)) {
    if (resolved[name] !== undefined) continue;
    if (Number.isNaN(numTaskExamples)) {
      throw new SpecError({
        place: `design: ${mixture.name}`,
        expected: `an amount for ${name}, since a dose counts task examples and this mixture says weight or tokens`,
        got: "nothing",
        remedy: `Add ${name}: {weight: …} to the mixture.`,
      });
    }
    resolved[name] = amountOf(Math.max(1, Math.round(dose * numTaskExamples)), input.numTrain[name]!);
  }
  return resolved;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0);
}
