/** @file The model families by `model_type`. A new one is a file beside llama.ts and a line here. */

import type { DecoderConfig } from "./config.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readGemma2Config } from "./gemma2.ts";
import { readLlamaConfig } from "./llama.ts";
import { readMistralConfig } from "./mistral.ts";
import { readPhi3Config } from "./phi3.ts";
import { readQwen2Config } from "./qwen2.ts";
import { readQwen3Config } from "./qwen3.ts";

const FAMILIES: Readonly<Record<string, (json: ConfigReader) => DecoderConfig>> = {
  llama: readLlamaConfig,
  mistral: readMistralConfig,
  qwen2: readQwen2Config,
  qwen3: readQwen3Config,
  phi3: readPhi3Config,
  gemma2: readGemma2Config,
};

/** @throws {CheckpointError} a model_type that is not among the families */
export function readDecoderConfig(json: ConfigReader): DecoderConfig {
  const type = json.text("model_type");
  const read = Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined;
  if (read === undefined) return json.unsupported("model_type", `one of ${Object.keys(FAMILIES).join(", ")}`);
  return read(json);
}
