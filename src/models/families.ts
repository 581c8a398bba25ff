/** @file The model families by `model_type`. A new one is a file beside llama.ts and a line here. */

import type { DecoderConfig } from "./config.ts";
import { readLlamaConfig } from "./llama.ts";
import type { ConfigReader } from "./read-config.ts";

const FAMILIES: Readonly<Record<string, (json: ConfigReader) => DecoderConfig>> = {
  llama: readLlamaConfig,
};

/** @throws {CheckpointError} a model_type that is not among the families */
export function readDecoderConfig(json: ConfigReader): DecoderConfig {
  const read = FAMILIES[json.text("model_type")];
  if (read === undefined) return json.unsupported("model_type", `one of ${Object.keys(FAMILIES).join(", ")}`);
  return read(json);
}
