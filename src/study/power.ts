/** @file What a study can find, before it starts. */

import { isTrainedOn } from "../specs/tasks.ts";
import { minimumDetectableDifference } from "../stats/detectable.ts";
import type { StudyLock } from "./lock-file.ts";

/** Share of test items that one of two mixtures has right and the other wrong, guessed before there are answers. */
export const ASSUMED_DISCORDANCE = 0.1;

/** A task's smallest difference that is found in four of five cases. */
export interface Detectable {
  task: string;
  numItems: number;
  difference: number;
}

/**
 * Of each target that is right or wrong, were its test items independent and seeds without spread: real ones find larger differences only. Of
 * log-probabilities nothing can be said before there are some.
 */
export function detectableBefore({ study, tasks }: StudyLock): Detectable[] {
  const isShare = (task: string) => tasks[task]!.metric !== "answer_logprob";
  const targets = Object.values(study.tasks).filter((one) => isTrainedOn(one) && isShare(one.name));
  return targets.map(({ name: task }) => {
    const { test } = tasks[task]!.num_examples;
    const numItems = Math.min(test, study.eval.max_test ?? test);
    return { task, numItems, difference: minimumDetectableDifference({ numItems, itemVariance: ASSUMED_DISCORDANCE }) };
  });
}
