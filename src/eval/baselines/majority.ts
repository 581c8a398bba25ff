/** @file The majority baseline: always the most frequent training answer. A model below it has learnt nothing. */

import assert from "node:assert";
import type { Baseline, LabelledText } from "./baseline.ts";

/**
 * Predicts the most frequent answer of train, with the training shares as probabilities.
 *
 * @param train  at least one example; ties go to the answer that comes first
 */
export function fitMajority(train: readonly LabelledText[]): Baseline {
  assert(train.length > 0, "majority: no training examples");
  const counts = new Map<string, number>();
  for (const { answer } of train) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const [label] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best));
  const logprobs = Object.fromEntries([...counts].map(([answer, count]) => [answer, Math.log(count / train.length)]));
  return { predict: (prompts) => prompts.map(() => ({ label, logprobs: { ...logprobs } })) };
}
