/** @file Designs become mixtures: which ingredients stand together. How much of each is amounts.ts. */

import { SpecError } from "../base/errors.ts";
import type { Amount, DesignPart } from "../specs/types.ts";

/** A mixture before its amounts are resolved: `{}` asks for all of an ingredient under its cap. */
export interface DesignedMixture {
  name: string;
  ingredients: Record<string, Amount>;
}

const PAPER_INGREDIENTS = 9;

/**
 * The mixtures of a design over n ingredients, in the order asked for; equal ones once, under their first name.
 * paper-55 is singles, pairs, leave-one-out and all of exactly nine ingredients: 9 + 36 + 9 + 1 = 55.
 * @throws {SpecError} paper-55 without nine ingredients, an empty mixture, one name for two mixtures
 */
export function designedMixtures(design: readonly DesignPart[], ingredients: readonly string[]): DesignedMixture[] {
  const seen = new Set<string>();
  const unique = design
    .flatMap((part) => mixturesOf(part, ingredients))
    .filter((mixture) => {
      const content = JSON.stringify(Object.entries(mixture.ingredients).sort(([a], [b]) => (a < b ? -1 : 1)));
      return !seen.has(content) && seen.add(content);
    });
  for (const mixture of unique) refuseBadMixture(mixture, unique);
  return unique;
}

function mixturesOf(part: DesignPart, ingredients: readonly string[]): DesignedMixture[] {
  if (typeof part === "object") {
    if ("random" in part) throw new Error("random designs are refused by the study file's reader");
    return [{ name: part.name, ingredients: part.tasks }];
  }
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
          expected: `exactly ${PAPER_INGREDIENTS} ingredients (tasks and mixers with role: ingredient)`,
          got: `${ingredients.length}: ${ingredients.join(", ")}`,
          remedy: "Use [singles, pairs, leave-one-out, all], which fits any number.",
        });
      }
      return (["singles", "pairs", "leave-one-out", "all"] as const).flatMap((inner) => mixturesOf(inner, ingredients));
  }
}

/** Two long names share the 64 characters evenly. */
function pairName(one: string, other: string): string {
  return one.length + other.length <= 62 ? `${one}__${other}` : `${one.slice(0, 31)}__${other.slice(0, 31)}`;
}

function whole(name: string, ingredients: readonly string[]): DesignedMixture {
  return { name, ingredients: Object.fromEntries(ingredients.map((ingredient) => [ingredient, {}])) };
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
  if (all.some((other) => other !== mixture && other.name === mixture.name)) {
    throw new SpecError({
      place: `design: ${mixture.name}`,
      expected: "different names for different mixtures",
      got: `${mixture.name} twice`,
      remedy: "Rename one of them.",
    });
  }
}
