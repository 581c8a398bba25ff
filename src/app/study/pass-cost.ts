/** @file Seconds that passes through a model's net take on a processor, before anything was measured. */

import type { PackShape } from "../../data/batches/packing.ts";
import type { TrainSpec } from "../../specs/types.ts";
import type { ModelSize } from "../models/base-model.ts";

/**
 * fp32 FLOP/s that go through one core, fitted to the bench of four widths on an AMD EPYC core with AVX-512 (docs/LOG.md): narrow products run at
 * half the speed of wide ones. Other machines are off by a factor of two in either direction.
 */
function flopsPerThread({ hidden }: ModelSize): number {
  return (88e9 * hidden ** 2) / (hidden ** 2 + 256 ** 2);
}

/**
 * Passes through the net in training, where one forward is one: backward goes to activations, and to weights where they train, whose update takes
 * half a pass more at the bench's batch sizes.
 */
const TRAINING_PASSES = { full: 3.5, lora: 2 } as const;

/** Seconds that training on the packs of some batches takes. */
export function secondsOf(
  packs: readonly PackShape[],
  model: ModelSize,
  method: TrainSpec["method"],
  threads: number,
): number {
  return TRAINING_PASSES[method] * forwardSeconds(packs, model, threads);
}

/** Seconds of reading some packs. A multiply-add is two operations; attention reads its whole row, masked or not. */
export function forwardSeconds(packs: readonly PackShape[], model: ModelSize, threads: number): number {
  const macs = packs.reduce((sum, { numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S, numLossRows }) => {
    const attended = Q * P * P + B * S * (P + S);
    const ofBlocks = (Q * P + B * S) * model.blocks + 2 * attended * model.hidden * model.layers;
    return sum + ofBlocks + numLossRows * model.hidden * model.vocabulary;
  }, 0);
  return (2 * macs) / (flopsPerThread(model) * threads);
}

/** Seconds to read a model and make its networks ready. @param networks  that are made: for training, likelihoods, texts */
export function startSeconds({ parameters }: ModelSize, networks: number): number {
  return 1 + networks * (0.1 + 11e-9 * parameters);
}
