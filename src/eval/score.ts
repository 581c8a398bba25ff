/** @file Likelihoods under a network: of every label of every prompt, and of the gold answers. */

import { forEachLabel, type PackOptions, packExamples, packLabels } from "../data/batches/packing.ts";
import type { TokenizedExample } from "../data/types.ts";
import type { Network } from "../models/network.ts";

/** Tokens through the net in one scoring pass; no gradients are held, so it may be larger than in training. */
const SCORING_TOKENS = 2048;
/** Prompts that are laid out at a time, so that packs of large splits need not all be held. */
const CHUNK = 1024;
/** Tokens of their labels that are laid out at a time: the most where labels are many, less than a second's work. */
const CHUNK_TOKENS = 2 ** 18;

/**
 * log p of each label for each prompt: the sum over the label's tokens and the end-of-turn token, no length normalisation (product.md).
 * @param labels  ids of each label with its end-of-turn token
 * @returns       [prompts][labels] in nats
 */
export async function scoreLabels(
  network: Network,
  parameters: Float32Array,
  prompts: readonly TokenizedExample[],
  labels: readonly Int32Array[],
  onProgress: (done: number) => Promise<void> = async () => {},
): Promise<Float64Array[]> {
  const scores = prompts.map(() => new Float64Array(labels.length));
  const numTokens = labels.reduce((sum, { length }) => sum + length, 0);
  const size = Math.min(CHUNK, Math.ceil(CHUNK_TOKENS / numTokens));
  for (let from = 0; from < prompts.length; from += size) {
    const chunk = prompts.slice(from, from + size);
    for (const pack of packLabels(chunk, () => labels, { sharePrefix: true, maxTokens: SCORING_TOKENS })) {
      const nll = await network.nll(pack, parameters);
      forEachLabel(pack, nll, (example, label, sum) => {
        scores[from + example]![label]! -= sum;
      });
    }
    await onProgress(Math.min(from + size, prompts.length));
  }
  return scores;
}

/** Mean log p of each example's answer a token, end of turn included, in nats. */
export async function scoreGold(
  network: Network,
  parameters: Float32Array,
  examples: readonly TokenizedExample[],
  onProgress: (done: number) => Promise<void> = async () => {},
): Promise<Float64Array> {
  const scores = new Float64Array(examples.length);
  for (let from = 0; from < examples.length; from += CHUNK) {
    const chunk = examples.slice(from, from + CHUNK);
    const answers = (i: number) => [chunk[i]!.answer];
    for (const pack of packLabels(chunk, answers, { sharePrefix: true, maxTokens: SCORING_TOKENS })) {
      const nll = await network.nll(pack, parameters);
      forEachLabel(pack, nll, (example, _, sum) => {
        scores[from + example]! -= sum;
      });
    }
    await onProgress(Math.min(from + CHUNK, examples.length));
  }
  return scores.map((sum, i) => sum / examples[i]!.answer.length);
}

/** Index of the likeliest label; ties go to the earlier one. */
export function bestLabel(scores: Float64Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** Mean nats a supervised token. */
export async function answerLoss(
  network: Network,
  parameters: Float32Array,
  examples: readonly TokenizedExample[],
  lossOn: PackOptions["lossOn"],
): Promise<number> {
  let sum = 0;
  let count = 0;
  for (let from = 0; from < examples.length; from += CHUNK) {
    const options = { packing: "isolated", sharePrefix: true, maxTokens: SCORING_TOKENS, lossOn } as const;
    for (const pack of packExamples(examples.slice(from, from + CHUNK), options)) {
      const nll = await network.nll(pack, parameters);
      for (const value of nll) sum += value;
      count += nll.length;
    }
  }
  return sum / count;
}
