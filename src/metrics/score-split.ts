/** @file The scores of one model on one split of a task: every metric with its 95 % interval, in the shape of scores.json. */

import type { LabelMetricName, Scoring } from "../specs/types.ts";
import { bootstrapIntervals } from "../stats/bootstrap.ts";
import { wilsonInterval } from "../stats/interval.ts";
import { confusionCells, countCells, type Verdict } from "./confusion.ts";
import { LABEL_METRICS } from "./label-metrics.ts";

/** An item's verdict and the group it is resampled with. */
export interface ScoredItem extends Verdict {
  group: string;
}

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

/** `scoring` is how the labels were read; default constrained. */
export interface ScoreSplitOptions {
  seed: number;
  scoring?: Scoring;
  /** Default 1000. */
  resamples?: number;
}

/**
 * Scores a split. Accuracy of independent items (each its own group) has a Wilson interval; all else a percentile bootstrap over groups.
 * A metric that is not defined is absent.
 *
 * @param items    gold must be one of the labels; a null prediction is wrong
 * @param metrics  the task's metric should be among them; order is kept
 */
export function scoreSplit(
  items: readonly ScoredItem[],
  labels: readonly string[],
  metrics: readonly LabelMetricName[],
  { seed, scoring = "constrained", resamples = 1000 }: ScoreSplitOptions,
): ScoredSplit {
  const cells = confusionCells(items, labels);
  const groups = items.map((item) => item.group);
  const numGroups = new Set(groups).size;
  const aggregate = (chosen: Iterable<number>) => {
    const confusion = countCells(cells, chosen, labels.length);
    return metrics.map((name) => LABEL_METRICS[name].aggregate(confusion));
  };
  const values = aggregate(items.keys());
  const bootstrap = bootstrapIntervals(aggregate, groups, { seed, resamples });
  const scores: Record<string, MetricInterval> = {};
  metrics.forEach((name, m) => {
    const value = values[m] as number;
    if (Number.isNaN(value)) return;
    const exact = name === "accuracy" && numGroups === items.length;
    const interval = exact ? wilsonInterval(Math.round(value * items.length), items.length) : bootstrap[m];
    scores[name] = { value };
    if (interval && !Number.isNaN(interval.low)) {
      scores[name] = { value, ...interval, method: exact ? "wilson" : "bootstrap" };
    }
  });
  return { n: items.length, n_groups: numGroups, metrics: scores, scoring: { [scoring]: scores } };
}
