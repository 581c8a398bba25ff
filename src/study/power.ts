/** @file What a study can find, before it starts and after. */

import { isTrainedOn } from "../specs/tasks.ts";
import { designEffect, minimumDetectableDifference } from "../stats/detectable.ts";
import { mean, variance } from "../stats/moments.ts";
import type { ModelItems } from "./items.ts";
import type { StudyLock } from "./lock-file.ts";

/** Share of items that one of two mixtures has right and the other wrong, guessed before there are answers: one in five. */
export const ASSUMED_DISCORDANCE = 0.2;

/** What so many rows of a task's split can tell apart. */
export interface Detectable {
  task: string;
  split: "dev" | "test";
  numItems: number;
  /** Smallest difference between two mixtures that is found in four of five studies, in the metric's unit. */
  difference: number;
}

/**
 * The smallest difference of two models that so many rows find in four of five cases, where {@link ASSUMED_DISCORDANCE} of the answers differ in
 * success, rows are independent and training again would change nothing: 59 rows tell 16.3 points apart, 300 rows 7.2. NaN without rows.
 */
export function detectableWith(numItems: number): number {
  return minimumDetectableDifference({ numItems, itemVariance: ASSUMED_DISCORDANCE });
}

/** Of each target that is right or wrong, on dev and on test. Of log-probabilities nothing can be said before there are some. */
export function detectableBefore({ study, tasks }: StudyLock): Detectable[] {
  const isShare = (task: string) => tasks[task]!.metric !== "answer_logprob";
  const targets = Object.values(study.tasks).filter((one) => isTrainedOn(one) && isShare(one.name));
  const most = { dev: study.eval.max_dev, test: study.eval.max_test };
  return targets.flatMap(({ name: task }) =>
    (["dev", "test"] as const).map((split): Detectable => {
      const there = tasks[task]!.num_examples[split];
      const numItems = Math.min(there, most[split] ?? there);
      return { task, split, numItems, difference: detectableWith(numItems) };
    }),
  );
}

/**
 * The smallest difference of two of these mixtures that such items and so many seeds find in four of five cases, from what the runs show.
 * @returns NaN below two mixtures; 0 where all answer alike
 */
export function detectableAfter(
  { scores, groups, seeds }: ModelItems,
  mixtures: readonly number[],
  numSeeds: number,
): number {
  const trained = mixtures.map((row) => scores.get(row)![0]!);
  const [first, ...others] = trained;
  if (first === undefined || others.length === 0) return Number.NaN;
  const differences = others.map((one) => one.map((score, i) => score - first[i]!));
  const itemVariance = mean(differences.map(variance));
  const effects = differences.map((one) => designEffect(one, groups)).filter((effect) => !Number.isNaN(effect));
  const beyondNoise = Math.max(0, seeds.variance - (seeds.noise?.variance ?? 0));
  return minimumDetectableDifference({
    numItems: groups.length,
    itemVariance,
    ...(effects.length > 0 ? { designEffect: mean(effects) } : {}),
    ...(seeds.df > 0 ? { seeds: { numSeeds, variance: beyondNoise, df: seeds.df } } : {}),
  });
}
