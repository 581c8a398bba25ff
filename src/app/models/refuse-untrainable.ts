/** @file Studies that a model's own layers and positions do not allow: refused before anything is trained. */

import { SpecError } from "../../base/errors.ts";
import { loraOf, loraTensors } from "../../models/lora.ts";
import { readModelConfig } from "../../models/weights.ts";
import type { StudySpec } from "../../specs/types.ts";
import { combinations } from "../../study/factors.ts";

/**
 * Refuses what a model's layers and positions do not allow, in every way in which the study's factors train.
 * @param folders  of each model that is not hosted
 * @throws {SpecError} an adapter on layers that the model has not; concatenated packs that it cannot read
 */
export function refuseUntrainable(study: StudySpec, folders: Readonly<Record<string, string>>): void {
  for (const [model, folder] of Object.entries(folders)) {
    const { config } = readModelConfig(folder);
    for (const { study: one } of combinations(study)) {
      const { method, packing, cutoff_len } = one.train;
      if (method === "lora") loraTensors(config, loraOf(one.train));
      if (packing !== "contaminated" || cutoff_len <= config.max_position_embeddings) continue;
      throw new SpecError({
        place: "train.cutoff_len",
        expected: `at most ${config.max_position_embeddings}, which is what ${model} reads, as packing: contaminated fills rows of that length`,
        got: `${cutoff_len}`,
        remedy: `Set train.cutoff_len: ${config.max_position_embeddings}, or packing: isolated.`,
      });
    }
  }
}
