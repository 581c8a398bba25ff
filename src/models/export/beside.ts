/** @file What lies beside exported weights: the tokenizer's files as they are, the template, and how generation ends. */

import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { writeError, writeWhole } from "../../formats/files.ts";

const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "tokenizer.model",
  "chat_template.jinja",
];

/** How a model's texts are made and end. */
export interface TextSide {
  /** Holds the tokenizer's files. */
  folder: string;
  /** Whether the tokenizer puts its bos in front of a text. */
  hasLead: boolean;
  /** A template to write because the model has none of its own. */
  template: string | undefined;
  /** Content of generation_config.json. */
  generation: Readonly<Record<string, unknown>>;
  /** Tokens that end an answer, the end of a turn first. */
  endIds: readonly number[];
  bosId: number | null;
  padId: number;
}

/** Writes tokenizer and template. @throws {WorkerError|DataError} the disk */
export function writeTextSide({ folder, template }: TextSide, to: string): void {
  for (const name of TOKENIZER_FILES) {
    if (existsSync(join(folder, name))) copy(join(folder, name), join(to, name));
  }
  if (template !== undefined) writeWhole(join(to, "chat_template.jinja"), template);
}

/**
 * Writes generation_config.json: the model's own, ended by every token that ends an answer. Sampling settings stay as they are.
 */
export function writeGenerationConfig({ generation, endIds, bosId, padId }: TextSide, to: string): void {
  const known = [generation.eos_token_id].flat().filter((id) => typeof id === "number");
  const eos = [...new Set([...known, ...endIds])];
  const config = {
    ...(bosId === null ? {} : { bos_token_id: bosId }),
    pad_token_id: padId,
    ...generation,
    eos_token_id: eos.length === 1 ? eos[0] : eos,
  };
  writeWhole(join(to, "generation_config.json"), `${JSON.stringify(config, null, 2)}\n`);
}

function copy(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (error) {
    throw writeError(to, error);
  }
}
