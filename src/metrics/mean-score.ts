/** @file A metric that is the mean of one number per item, with its interval. */

import { bootstrapIntervals } from "../stats/bootstrap.ts";
import type { ScoredSplit } from "./score-split.ts";

/**
 * Mean over items with a percentile bootstrap over groups, in the shape of scores.json.
 *
 * @param items    at least one
 * @param scoring  how the answers were read
 */
export function scoreMean(
  name: string,
  items: readonly { score: number; group: string }[],
  { seed, scoring = "constrained", resamples }: { seed: number; scoring?: string; resamples?: number },
): ScoredSplit {
  const mean = (chosen: Iterable<number>) => {
    let sum = 0;
    let n = 0;
    for (const i of chosen) {
      sum += items[i]!.score;
      n++;
    }
    return sum / n;
  };
  const groups = items.map(({ group }) => group);
  const options = { seed, ...(resamples === undefined ? {} : { resamples }) };
  const [interval] = bootstrapIntervals((chosen) => [mean(chosen)], groups, options);
  const value = mean(items.keys());
  const scored = interval !== undefined && !Number.isNaN(interval.low);
  const metrics = { [name]: scored ? { value, ...interval, method: "bootstrap" as const } : { value } };
  return { n: items.length, n_groups: new Set(groups).size, metrics, scoring: { [scoring]: metrics } };
}
