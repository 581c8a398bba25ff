/** @file From what a spec asks for to what a network is made of. */

import type { TrainSpec } from "../specs/types.ts";
import type { DecoderConfig } from "./config.ts";
import { loraOf } from "./lora.ts";
import type { Tuning } from "./network.ts";
import { type ModelFolder, rawWeights } from "./weights.ts";

/** What trains; everything is frozen without a train spec. `cacheFolder` keeps the float32 copy of frozen weights. */
export function tuningOf(train: TrainSpec | undefined, model: ModelFolder, cacheFolder: string): Tuning {
  if (train?.method === "full") return { method: "full" };
  const frozen = rawWeights(model, cacheFolder);
  if (train === undefined) return { method: "frozen", frozen };
  return { method: "lora", lora: loraOf(train), frozen };
}

/** Room above cutoff_len for labels that are longer than the gold answer. */
const LABEL_ROOM = 256;

/**
 * Longest sequence that a run's networks are made for. A run whose examples fit a longrope model's original context stays within it, so that
 * its networks use the short factors.
 */
export function maxPositions({ rotary, max_position_embeddings }: DecoderConfig, cutoffLen: number): number {
  const original = rotary.long?.originalPositions ?? 0;
  return Math.min(cutoffLen <= original ? original : max_position_embeddings, cutoffLen + LABEL_ROOM);
}
