/** @file An adapter in PEFT's layout: adapter_model.safetensors and adapter_config.json. */

import { join } from "node:path";
import { writeWhole } from "../../formats/files.ts";
import { writeSafetensors } from "../../formats/safetensors.ts";
import { ADAPTER_FILE, adapterConfig, type LoraConfig } from "../lora.ts";
import { type ParameterLayout, parameterViews } from "../parameters.ts";

/** An adapter's values, and where its base model is found. */
export interface Adapter {
  lora: LoraConfig;
  layout: ParameterLayout;
  parameters: Float32Array;
  base: { name: string; revision?: string };
}

/** Writes the adapter in float32, as it was trained. @throws {WorkerError|DataError} the disk */
export function writePeft({ lora, layout, parameters, base }: Adapter, folder: string): void {
  const views = parameterViews(layout, parameters);
  const tensors = layout.parameters.map(({ name, shape }) => ({
    name,
    shape,
    dtype: "F32" as const,
    data: views[name]!,
  }));
  writeSafetensors(join(folder, ADAPTER_FILE), tensors, { format: "pt" });
  const names = layout.parameters.map(({ name }) => name);
  writeWhole(join(folder, "adapter_config.json"), adapterConfig(lora, base, names));
}
