/** @file The scores of one model on one split from the scores of its items: means, and F1 and shares from summed counts. */

import type { MetricName } from "../specs/types.ts";
import { type ScoredSplit, withIntervals } from "./with-intervals.ts";

/** Scores by name. One that does not apply to an item is absent. */
export type ItemScores = Readonly<Record<string, number>>;

/** A sum over items divided by another: a mean is the sum of a score over the number of items that have it. */
interface Ratio {
  over(scores: ItemScores): number;
  under(scores: ItemScores): number;
}

/** Scores of items that are counts, and no metrics by themselves. */
const COUNTS = ["tp", "fp", "fn", "tp_overlap", "tp_type", "checked", "followed", "followed_loose"];

function meanOf(name: string): Ratio {
  return { over: (scores) => scores[name] ?? 0, under: (scores) => (scores[name] === undefined ? 0 : 1) };
}

/** What spans are scored by, under the names of the task's metric. Any two relations share the bar between their ends, so overlap says nothing there. */
function spanRatios(metric: "entity_f1" | "relation_f1"): Record<string, Ratio> {
  const count = (name: string) => (scores: ItemScores) => scores[name] ?? 0;
  const sum = (a: string, b: string) => (scores: ItemScores) => count(a)(scores) + count(b)(scores);
  // gold = tp + fn and predicted = tp + fp, whichever way spans are matched
  const all = (scores: ItemScores) => sum("tp", "fn")(scores) + sum("tp", "fp")(scores);
  const f1 = (matched: string): Ratio => ({ over: (scores) => 2 * count(matched)(scores), under: all });
  return {
    [metric]: f1("tp"),
    precision: { over: count("tp"), under: sum("tp", "fp") },
    recall: { over: count("tp"), under: sum("tp", "fn") },
    ...(metric === "entity_f1" && { f1_overlap: f1("tp_overlap") }),
    f1_type: f1("tp_type"),
  };
}

const INSTRUCTION_RATIOS: Record<string, Ratio> = {
  instruction_accuracy: { over: ({ followed = 0 }) => followed, under: ({ checked = 0 }) => checked },
  instruction_accuracy_loose: {
    over: ({ followed_loose = 0 }) => followed_loose,
    under: ({ checked = 0 }) => checked,
  },
};

/** A mean over the items whose gold fields do not contradict each other. */
function withoutConflicts({ over, under }: Ratio): Ratio {
  return {
    over: (scores) => (scores.gold_conflict === 1 ? 0 : over(scores)),
    under: (scores) => (scores.gold_conflict === 1 ? 0 : under(scores)),
  };
}

/** All that the items' scores give, the task's metric first. */
function ratiosOf(items: readonly { scores: ItemScores }[], metric: MetricName): [string, Ratio][] {
  const names = new Set(items.flatMap(({ scores }) => Object.keys(scores)));
  const means = [...names].filter((name) => !COUNTS.includes(name)).map((name) => [name, meanOf(name)] as const);
  const ratios = Object.entries({
    ...(names.has("tp") && spanRatios(metric === "relation_f1" ? metric : "entity_f1")),
    ...(names.has("checked") && INSTRUCTION_RATIOS),
    ...Object.fromEntries(means),
    ...(names.has("gold_conflict") && { [`${metric}_without_conflicts`]: withoutConflicts(meanOf(metric)) }),
  });
  return ratios.toSorted(([a], [b]) => Number(b === metric) - Number(a === metric));
}

/**
 * Scores a split. Every score of the items that is no count gives a metric of its name, the mean over the items that have it; counts give the F1 and
 * shares that are theirs (scores of score-answer.ts). What is not defined is absent.
 *
 * @param metric   ranks models on the task; comes first
 * @param scoring  how the answers were read; default strict
 */
export function scoreItems(
  items: readonly { scores: ItemScores; group: string }[],
  metric: MetricName,
  { seed, scoring = "strict", resamples }: { seed: number; scoring?: string; resamples?: number },
): ScoredSplit {
  const ratios = ratiosOf(items, metric);
  const sides = ratios.map(([, ratio]) => sidesOf(ratio, items));
  const aggregate = (chosen: Iterable<number>): number[] => {
    const indices = Int32Array.from(chosen);
    return sides.map((side) => quotient(side, indices));
  };
  const statistics = ratios.map(([name], m) => ({ name, numShare: numShare(sides[m]!) }));
  const groups = items.map(({ group }) => group);
  return withIntervals(statistics, aggregate, groups, { seed, scoring, resamples });
}

/**
 * [n] the part that each item has in a metric: the ratio, plus n times what the item moves it by. Their mean is the metric, exactly; of a mean over
 * items they are its scores.
 *
 * @returns NaN where nothing is below the line, and always where the items' scores give no such metric
 * @source Cochran 1977, ch. 6 (the variance of a ratio)
 */
export function itemParts(items: readonly { scores: ItemScores }[], metric: MetricName): number[] {
  const ratio = ratiosOf(items, metric).find(([name]) => name === metric)?.[1];
  if (ratio === undefined) return items.map(() => Number.NaN);
  const { over, under } = sidesOf(ratio, items);
  const below = under.reduce((sum, value) => sum + value, 0);
  const value = over.reduce((sum, one) => sum + one, 0) / below;
  return items.map((_, i) => value + (items.length * (over[i]! - value * under[i]!)) / below);
}

/** What a ratio's two sums are made of, [n] each. */
interface Sides {
  over: Float64Array;
  under: Float64Array;
}

function sidesOf({ over, under }: Ratio, items: readonly { scores: ItemScores }[]): Sides {
  return {
    over: Float64Array.from(items, ({ scores }) => over(scores)),
    under: Float64Array.from(items, ({ scores }) => under(scores)),
  };
}

function quotient({ over, under }: Sides, chosen: Int32Array): number {
  let [above, below] = [0, 0];
  for (const i of chosen) {
    above += over[i]!;
    below += under[i]!;
  }
  return above / below;
}

/** Of how many items a ratio is a share; undefined where it is none, as some item counts for more than one or for a part. */
function numShare({ over, under }: Sides): number | undefined {
  const isShare = over.every((value, i) => (value === 0 || value === 1) && (under[i] === 0 || under[i] === 1));
  return isShare ? under.reduce((sum, value) => sum + value, 0) : undefined;
}
