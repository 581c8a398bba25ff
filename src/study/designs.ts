/** @file Designs become mixtures: which ingredients stand together, in which proportions. How much of each that comes to is amounts.ts. */

import { SpecError } from "../base/errors.ts";
import type { Amount, DesignPart } from "../specs/types.ts";
import { spacedProportions } from "./proportions.ts";

/** A mixture before its amounts are resolved: `{}` asks for all of an ingredient under its cap. */
export interface DesignedMixture {
  name: string;
  ingredients: Record<string, Amount>;
  /** How the total of what the ingredients come to is shared out anew: by size^(1 / temperature), or in given proportions. Absent: not at all. */
  shares?: { temperature: number } | { proportions: Record<string, number> };
  /** The training answers of its tasks are dealt out anew. */
  shuffled_labels?: true;
}

const PAPER_INGREDIENTS = 9;

/**
 * The mixtures of a design over n ingredients, in the order asked for; equal ones once, under their first name.
 * paper-55 is singles, pairs, leave-one-out and all of exactly nine ingredients: 9 + 36 + 9 + 1 = 55.
 * @param temperature of the mixtures that named designs make; random ones have their proportions, written ones their own temperature
 * @throws {SpecError} paper-55 without nine ingredients, an empty mixture, one name for two mixtures
 */
export function designedMixtures(
  design: readonly DesignPart[],
  ingredients: readonly string[],
  temperature = 1,
): DesignedMixture[] {
  const seen = new Set<string>();
  const unique = design
    .flatMap((part) => mixturesOf(part, ingredients, temperature))
    .filter(({ ingredients, shares, shuffled_labels }) => {
      const amounts = Object.entries(ingredients).sort(([a], [b]) => (a < b ? -1 : 1));
      const content = JSON.stringify([amounts, shares, shuffled_labels]);
      return !seen.has(content) && seen.add(content);
    });
  for (const mixture of unique) refuseBadMixture(mixture, unique);
  return unique;
}

function mixturesOf(part: DesignPart, ingredients: readonly string[], temperature: number): DesignedMixture[] {
  if (typeof part === "object") {
    if ("random" in part) return randomMixtures(part.random, ingredients);
    const { name, tasks, temperature = 1, shuffled_labels } = part;
    return [tempered({ name, ingredients: tasks, ...(shuffled_labels ? { shuffled_labels } : {}) }, temperature)];
  }
  const whole = (name: string, among: readonly string[]) =>
    tempered({ name, ingredients: Object.fromEntries(among.map((ingredient) => [ingredient, {}])) }, temperature);
  switch (part) {
    case "singles":
      return ingredients.map((one) => whole(one, [one]));
    case "pairs":
      return ingredients.flatMap((one, i) =>
        ingredients.slice(i + 1).map((other) => whole(pairName(one, other), [one, other])),
      );
    case "leave-one-out":
      return ingredients.map((out) =>
        whole(
          `all-but-${out}`.slice(0, 64),
          ingredients.filter((other) => other !== out),
        ),
      );
    case "all":
      return [whole("all", ingredients)];
    case "paper-55":
      if (ingredients.length !== PAPER_INGREDIENTS) {
        throw new SpecError({
          place: "design: paper-55",
          expected: `exactly ${PAPER_INGREDIENTS} ingredients (tasks that are trained on, and mixers with role: ingredient)`,
          got: `${ingredients.length}: ${ingredients.join(", ")}`,
          remedy: "Use [singles, pairs, leave-one-out, all], which fits any number.",
        });
      }
      return (["singles", "pairs", "leave-one-out", "all"] as const).flatMap((inner) =>
        mixturesOf(inner, ingredients, temperature),
      );
  }
}

/** Of a single ingredient there is nothing to share out. */
function tempered(mixture: DesignedMixture, temperature: number): DesignedMixture {
  const isShared = temperature !== 1 && Object.keys(mixture.ingredients).length > 1;
  return isShared ? { ...mixture, shares: { temperature } } : mixture;
}

/** Named by their number, so that asking for more runs later keeps those there are. */
function randomMixtures({ runs, seed }: { runs: number; seed: number }, among: readonly string[]): DesignedMixture[] {
  const names = [...among].sort();
  return spacedProportions(runs, names.length, seed).map((point, i) => ({
    name: `random-${i + 1}`,
    ingredients: Object.fromEntries(names.map((name) => [name, {}])),
    shares: { proportions: Object.fromEntries(names.map((name, j) => [name, point[j] as number])) },
  }));
}

/** Two long names share the 64 characters evenly. */
function pairName(one: string, other: string): string {
  return one.length + other.length <= 62 ? `${one}__${other}` : `${one.slice(0, 31)}__${other.slice(0, 31)}`;
}

function refuseBadMixture(mixture: DesignedMixture, all: DesignedMixture[]): void {
  if (Object.keys(mixture.ingredients).length === 0) {
    throw new SpecError({
      place: `design: ${mixture.name}`,
      expected: "at least one ingredient",
      got: "an empty mixture",
      remedy: "leave-one-out needs two ingredients or more.",
    });
  }
  const isNamed = ({ name, shuffled_labels }: DesignedMixture) =>
    name === mixture.name && shuffled_labels === mixture.shuffled_labels;
  if (all.some((other) => other !== mixture && isNamed(other))) {
    throw new SpecError({
      place: `design: ${mixture.name}`,
      expected: "different names for different mixtures",
      got: `${mixture.name} twice`,
      remedy: "Rename one of them.",
    });
  }
}
