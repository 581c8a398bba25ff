/**
 * @file Examples shown before the question, for baselines of an untuned model (few_shot:K): which ones. All questions of a task see the same
 * ones, in the same order, each as a turn of the user and one of the assistant.
 */

import { digestOf } from "../../base/digest.ts";
import { SpecError } from "../../base/errors.ts";
import { Rng } from "../../base/rng.ts";
import type { Example, LoadedTask, Shot } from "../types.ts";
import { turnsOf } from "./turns.ts";

/**
 * K examples of train, none of a group that dev or test has too. Labels come in turn, in an order drawn anew for each round, so that no two
 * counts differ by more than one while there are enough of each; a smaller K is the beginning of a larger one.
 *
 * @throws {SpecError} a task without prompts, fewer than K examples to draw from
 */
export function drawShots(
  task: Pick<LoadedTask, "name" | "answer" | "splits">,
  numShots: number,
  seed: number,
): Example[] {
  const { name, answer, splits } = task;
  const asked = new Set([...splits.dev, ...splits.test].map(({ group }) => group));
  const free = answer.kind === "document" ? [] : splits.train.filter(({ group }) => !asked.has(group));
  if (free.length < numShots) throw tooFew(name, numShots, free.length);
  const rng = new Rng(seed).fork("few-shot").fork(name);
  const piles = new Map<string, Example[]>();
  for (const example of rng.fork("examples").shuffle(free)) {
    // Only labels repeat enough to be balanced.
    const key = answer.kind === "label" ? example.answer : "";
    const pile = piles.get(key);
    if (pile === undefined) piles.set(key, [example]);
    else pile.push(example);
  }
  const order = rng.fork("labels");
  // Not in the order of first appearance, which would favour frequent labels.
  const labels = [...piles.keys()].sort();
  const shots: Example[] = [];
  while (shots.length < numShots) {
    const round = order.shuffle(labels).flatMap((label) => piles.get(label)?.pop() ?? []);
    shots.push(...round);
  }
  return shots.slice(0, numShots);
}

function tooFew(name: string, numShots: number, got: number): SpecError {
  return new SpecError({
    place: `few_shot:${numShots}: task ${name}`,
    expected: `${numShots} training examples with prompts, of groups that are not scored`,
    got: `${got}`,
    remedy: `Take few_shot:${got} or less for it, or leave the task out of the baseline.`,
  });
}

/** A task whose dev and test questions are asked behind the shots. They are the same for every question, so that their tokens are shared. */
export function withShots(task: LoadedTask, shots: readonly Shot[]): LoadedTask {
  const digest = (split: "dev" | "test") =>
    digestOf([shots.map((shot) => [turnsOf(shot), shot.answer]), task.digests[split]]);
  return { ...task, shots, digests: { ...task.digests, dev: digest("dev"), test: digest("test") } };
}

/** Longest example in tokens with its shots, each of them as long as an example may be. */
export function lengthWithShots(cutoffLen: number, numShots: number): number {
  return cutoffLen * (1 + numShots);
}

/** Which examples are shown is drawn from this seed: the same for every model. */
export const SHOT_SEED = 1;

/** Stands between examples, and ends the answer of a base model, which would go on with an example of its own. */
export const SHOT_END = "\n\n";
