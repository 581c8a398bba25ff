/** @file The gradient of one optimiser step: a batch cut into packs, their gradients summed, normalised once over the whole batch. */

import { numSupervised, type PackOptions, packExamples } from "../data/batches/packing.ts";
import type { TokenizedExample } from "../data/types.ts";
import type { Network } from "../models/network.ts";
import type { LossMean } from "../specs/types.ts";

/** An example of a batch with the task that it came from. */
export interface BatchExample {
  task: string;
  tokens: TokenizedExample;
}

/** What a batch's forward and backward pass gave; its gradient is in the buffer that was passed. */
export interface BatchResult {
  /** The mean that was minimised, in nats. */
  loss: number;
  /** Mean nats a supervised token of each task in the batch. */
  lossPerTask: Record<string, number>;
  /** Tokens of all examples, each counted in full. */
  numTokens: number;
}

/** Where gradients go: `total` receives the sum, `part` is scratch for batches of several packs. */
export interface GradientBuffers {
  total: Float32Array;
  part: Float32Array;
  accumulate(total: Float32Array, part: Float32Array): Promise<void>;
}

/**
 * Loss and gradient of a batch. The result does not depend on how the batch is cut into packs (up to float rounding): every supervised token's
 * weight is fixed over the whole batch before the first pack runs.
 *
 * @param dropoutKeys  of each example; absent: no dropout
 */
export async function batchGradient(
  network: Network,
  parameters: Float32Array,
  batch: readonly BatchExample[],
  lossMean: LossMean,
  options: PackOptions,
  buffers: GradientBuffers,
  dropoutKeys?: readonly number[],
): Promise<BatchResult> {
  const packs = packExamples(
    batch.map(({ tokens }) => tokens),
    options,
    dropoutKeys,
  );
  const weights = exampleWeights(batch, lossMean, options.lossOn);
  const sums = new Map<string, { nll: number; count: number }>();
  let loss = 0;
  for (const [i, pack] of packs.entries()) {
    const target = i === 0 ? buffers.total : buffers.part;
    const rowWeights = Float64Array.from(pack.example, (e) => weights[e]!);
    const nll = await network.lossAndGradients(pack, Float32Array.from(rowWeights), parameters, target);
    if (i > 0) await buffers.accumulate(buffers.total, buffers.part);
    for (let r = 0; r < nll.length; r++) {
      const { task } = batch[pack.example[r]!]!;
      const sum = sums.get(task) ?? { nll: 0, count: 0 };
      sums.set(task, { nll: sum.nll + nll[r]!, count: sum.count + 1 });
      loss += rowWeights[r]! * nll[r]!;
    }
  }
  return {
    loss,
    lossPerTask: Object.fromEntries([...sums].map(([task, { nll, count }]) => [task, nll / count])),
    numTokens: batch.reduce((sum, { tokens }) => sum + tokens.prompt.length + tokens.answer.length, 0),
  };
}

/**
 * Weight of every loss row of each example, so that the sum is a mean over the batch: of tokens; of examples' token means; or of tasks' token means.
 * @source MFTCoder loss_utils.py (cases 1 to 3), normalised over the batch instead of the micro-batch
 */
export function exampleWeights(
  batch: readonly BatchExample[],
  mean: LossMean,
  lossOn: PackOptions["lossOn"],
): Float64Array {
  const keyOf = {
    token: () => "",
    example: (example: number) => `${example}`,
    task: (example: number) => batch[example]!.task,
  }[mean];
  const counts = new Map<string, number>();
  for (const [e, { tokens }] of batch.entries())
    counts.set(keyOf(e), (counts.get(keyOf(e)) ?? 0) + numSupervised(tokens, lossOn));
  return Float64Array.from(batch, (_, e) => 1 / (counts.size * counts.get(keyOf(e))!));
}
