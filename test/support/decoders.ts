/** @file The tiny decoders of test/golden/models as networks of every kind are made of them, with the weights that their goldens were made with. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openSafetensors } from "../../src/formats/safetensors.ts";
import type { DecoderConfig } from "../../src/models/config.ts";
import { type Tuning, tunedLayout } from "../../src/models/network.ts";
import { parameterViews } from "../../src/models/parameters.ts";
import { openModelFolder, rawWeights, readParameters } from "../../src/models/weights.ts";

const MODELS = join(import.meta.dirname, "../golden/models");

/** @param cacheFolder  where frozen weights are laid down */
export function openDecoder(
  name: string,
  method: "full" | "lora" | "dora" | "frozen",
  cacheFolder: string,
): { config: DecoderConfig; tuning: Tuning; parameters: Float32Array } {
  const model = openModelFolder(join(MODELS, name, "model"));
  const { settings } = JSON.parse(readFileSync(join(MODELS, name, "expected.json"), "utf8"));
  const lora = {
    lora_rank: settings.r,
    lora_alpha: settings.lora_alpha,
    lora_target: "all",
    use_dora: method === "dora",
  } as const;
  const frozen = rawWeights(model, cacheFolder);
  const tuning: Tuning =
    method === "full" ? { method } : method === "frozen" ? { method, frozen } : { method: "lora", lora, frozen };
  const layout = tunedLayout(model.config, tuning);
  const parameters = new Float32Array(layout.size);
  if (method === "full") readParameters(model, layout, parameters);
  if (tuning.method === "lora") {
    const tensors = openSafetensors(join(MODELS, name, "expected.safetensors"));
    for (const [tensor, view] of Object.entries(parameterViews(layout, parameters)))
      tensors.readInto(`${method}.init.${tensor}`, view);
  }
  return { config: model.config, tuning, parameters };
}
