/** @file The scores of one model on one split of a task: every metric with its 95 % interval, in the shape of scores.json. */

import type { LabelMetricName, Scoring } from "../specs/types.ts";
import { confusionCells, countCells, type Verdict } from "./confusion.ts";
import { LABEL_METRICS } from "./label-metrics.ts";
import { type ScoredSplit, withIntervals } from "./with-intervals.ts";

/** An item's verdict and the group it is resampled with. */
export interface ScoredItem extends Verdict {
  group: string;
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
  { seed, scoring = "constrained", resamples }: ScoreSplitOptions,
): ScoredSplit {
  const cells = confusionCells(items, labels);
  const aggregate = (chosen: Iterable<number>) => {
    const confusion = countCells(cells, chosen, labels.length);
    return metrics.map((name) => LABEL_METRICS[name].aggregate(confusion));
  };
  const statistics = metrics.map((name) => ({ name, numShare: name === "accuracy" ? items.length : undefined }));
  const groups = items.map((item) => item.group);
  return withIntervals(statistics, aggregate, groups, { seed, scoring, resamples });
}
