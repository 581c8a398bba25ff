/** @file Approximate randomisation: a paired test of any statistic of two trained models, without a distribution. */

import { Rng } from "../base/rng.ts";
import { clusters } from "./clusters.ts";

/** `draws` 10,000: a p of 0.05 is then known to -+ 0.004. */
export interface RandomisationOptions {
  seed: number;
  draws?: number;
}

/** Allowance for rounding when a swapped difference equals the observed one. */
const ROUNDING = 1e-12;

/**
 * If the two models do not differ, their outputs may be swapped, a whole group of items at a time, without changing the distribution of
 * the difference. p = (1 + draws with |difference| >= the observed one) / (draws + 1), two-sided, so it is never 0.
 * Says nothing about retraining. A draw whose statistic is undefined counts against the difference.
 *
 * @param statistic  of the system that gives A's output on items where `sides` is 0 and B's where it is 1; `sides` is reused: do not keep it
 * @param groups     [n] the group of each item
 * @returns          difference A - B and its p; NaN where the difference is undefined
 * @source Noreen 1989; Riezler & Maxwell 2005; golden test/golden/stats/tests (scipy permutation_test, all swaps)
 */
export function approximateRandomisation(
  statistic: (sides: Uint8Array) => number,
  groups: readonly string[],
  { seed, draws = 10_000 }: RandomisationOptions,
): { difference: number; pValue: number } {
  const rng = new Rng(seed, "randomisation");
  const all = clusters(groups);
  const sides = new Uint8Array(groups.length);
  const others = new Uint8Array(groups.length).fill(1);
  const difference = statistic(sides) - statistic(others);
  if (Number.isNaN(difference)) return { difference, pValue: Number.NaN };
  const least = Math.abs(difference) * (1 - ROUNDING) - ROUNDING;
  let extreme = 0;
  for (let r = 0; r < draws; r++) {
    for (const items of all) {
      const side = rng.uint32() >>> 31;
      for (const i of items) {
        sides[i] = side;
        others[i] = 1 - side;
      }
    }
    if (!(Math.abs(statistic(sides) - statistic(others)) < least)) extreme++;
  }
  return { difference, pValue: (1 + extreme) / (draws + 1) };
}
