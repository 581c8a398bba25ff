/** @file Is the mixture that dev chooses better than the likeliest other, and if that is open: how many seeds would tell? */

import { SIGNIFICANT } from "../stats/corrections.ts";
import { designEffect, minimumDetectableDifference } from "../stats/detectable.ts";
import { meanOfSeeds } from "../stats/difference.ts";
import { mean, variance } from "../stats/moments.ts";
import type { ModelItems } from "./items.ts";
import { ofMixtures, rowDifference } from "./pair-difference.ts";
import type { StudyTable } from "./study-table.ts";
import { rowLabel } from "./words.ts";

/** The chosen mixture against the likeliest other, on dev items. */
export interface Rival {
  name: string;
  /** Chosen minus it, in the task's metric. */
  difference: number;
  low: number;
  high: number;
  pValue: number;
  /** `told`: it can be told from the chosen one; `seeds`: so many would do; `equal`: not even {@link MAX_SEEDS} would, take the cheaper. */
  verdict: "told" | "seeds" | "equal";
  /** For a difference of this size to be found in four of five cases; of mixtures with one seed: 2, the first that can say anything. */
  seedsNeeded?: number;
}

/** Seeds beyond which two mixtures are better taken for equal. */
export const MAX_SEEDS = 12;

/**
 * @param items    of dev
 * @param chosen   a row, as are those of `chances`, of being best
 * @param learned  rows that have learned something of the task: no other is a rival
 * @returns undefined where no other mixture has answered the same items
 */
export function rivalOf(
  items: ModelItems,
  chosen: number,
  chances: readonly { row: number; chance: number }[],
  { rows }: StudyTable,
  learned: ReadonlySet<number>,
): Rival | undefined {
  const { scores, groups, seeds } = items;
  const likely = (row: number) => chances.find((one) => one.row === row)?.chance ?? 0;
  const level = (row: number) => mean(meanOfSeeds(scores.get(row)!));
  const others = [...learned].filter((row) => row !== chosen && rows[row]!.kind === "mixture");
  const [other] = others.toSorted((x, y) => likely(y) - likely(x) || level(y) - level(x));
  const pair = other === undefined ? undefined : rowDifference(items, chosen, other, rows);
  if (other === undefined || pair === undefined) return undefined;
  const [a, b] = [scores.get(chosen)!, scores.get(other)!];
  const { difference, low, high, pValue } = ofMixtures(pair);
  const found = { name: rowLabel(rows[other]!), difference, low, high, pValue };
  if (pValue < SIGNIFICANT) return { ...found, verdict: "told" };
  if (difference === 0) return { ...found, verdict: "equal" };
  const numSeeds = Math.min(a.length, b.length);
  if (seeds.df === 0) return { ...found, verdict: "seeds", seedsNeeded: numSeeds + 1 };
  const means = [meanOfSeeds(a), meanOfSeeds(b)] as const;
  const d = means[0].map((score, i) => score - means[1][i]!);
  const effect = designEffect(d, groups);
  const spread = Math.max(0, seeds.variance - (seeds.noise?.variance ?? 0));
  for (let more = numSeeds + 1; more <= MAX_SEEDS; more++) {
    const detectable = minimumDetectableDifference({
      numItems: d.length,
      itemVariance: variance(d),
      ...(Number.isNaN(effect) ? {} : { designEffect: effect }),
      // every seed more of the pooled mixtures adds as many degrees of freedom as each of those there
      seeds: { numSeeds: more, variance: spread, df: (seeds.df * (more - 1)) / Math.max(1, numSeeds - 1) },
    });
    if (detectable <= Math.abs(difference)) return { ...found, verdict: "seeds", seedsNeeded: more };
  }
  return { ...found, verdict: "equal" };
}
