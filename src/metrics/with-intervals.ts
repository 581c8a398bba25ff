/** @file Statistics of the items of a split, each with its 95 % interval, in the shape of scores.json. */

import { bootstrapIntervals } from "../stats/bootstrap.ts";
import { wilsonInterval } from "../stats/interval.ts";

/** A value with its interval; bounds are absent where they do not exist. Equal in shape to the run records' MetricValue. */
export interface MetricInterval {
  value: number;
  low?: number;
  high?: number;
  method?: "wilson" | "bootstrap";
}

/** Equal in shape to the run records' SplitScores. */
export interface ScoredSplit {
  n: number;
  n_groups: number;
  metrics: Record<string, MetricInterval>;
  scoring: Record<string, Record<string, MetricInterval>>;
}

/** `scoring` is how the answers were read. `resamples` default 1000. */
export interface IntervalOptions {
  seed: number;
  scoring: string;
  resamples?: number | undefined;
}

/** A statistic by name. `numShare`: where it is a share of items with a property, of how many. */
export interface NamedStatistic {
  name: string;
  numShare?: number | undefined;
}

/**
 * Shares of independent items (each its own group) have a Wilson interval; all else a percentile bootstrap over groups.
 * A statistic that is not defined is absent.
 *
 * @param aggregate  item indices, with repeats, to the statistics in order; NaN where not defined
 * @param groups     [n] the group of each item
 */
export function withIntervals(
  statistics: readonly NamedStatistic[],
  aggregate: (items: Iterable<number>) => readonly number[],
  groups: readonly string[],
  { seed, scoring, resamples = 1000 }: IntervalOptions,
): ScoredSplit {
  const numGroups = new Set(groups).size;
  const isIndependent = numGroups === groups.length;
  const values = aggregate(groups.keys());
  const bootstrap = bootstrapIntervals(aggregate, groups, { seed, resamples });
  const metrics: Record<string, MetricInterval> = {};
  statistics.forEach(({ name, numShare }, m) => {
    const value = values[m]!;
    if (Number.isNaN(value)) return;
    const isExact = numShare !== undefined && isIndependent;
    const interval = isExact ? wilsonInterval(Math.round(value * numShare), numShare) : bootstrap[m]!;
    const method = isExact ? "wilson" : "bootstrap";
    metrics[name] = Number.isNaN(interval.low) ? { value } : { value, ...interval, method };
  });
  return { n: groups.length, n_groups: numGroups, metrics, scoring: { [scoring]: metrics } };
}
