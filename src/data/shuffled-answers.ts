/** @file The shuffled-label control: a task whose training answers are dealt out anew among its rows, so that all there is to learn is their form. */

import { digestOf } from "../base/digest.ts";
import { Rng } from "../base/rng.ts";
import type { LoadedTask } from "./types.ts";

/**
 * The task with its training answers permuted; prompts, their order and how often each answer comes stay, dev and test are untouched.
 * A pure function of the task's name and rows and the seed. An answer may fall to a row that had it: forbidding that would tell what it is not.
 */
export function withShuffledAnswers(task: LoadedTask, seed: number): LoadedTask {
  const { splits, digests } = task;
  const answers = new Rng(seed)
    .fork("shuffled-labels")
    .fork(task.name)
    .shuffle(splits.train.map(({ answer }) => answer));
  const train = splits.train.map((example, i) => ({ ...example, answer: answers[i]! }));
  const digest = digestOf(["shuffled-labels", seed, digests.train]);
  return { ...task, splits: { ...splits, train }, digests: { ...digests, train: digest } };
}
