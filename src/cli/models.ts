/** @file Model names: which folder stands behind one, and what its bytes are. */

import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { SpecError } from "../base/errors.ts";
import { openTemplate } from "../data/chat-template.ts";
import { openTokenizer } from "../data/tokenizers.ts";
import { decoderTensors, numElements } from "../models/config.ts";
import { openModelFolder } from "../models/weights.ts";
import { didYouMean } from "../specs/nearest.ts";
import type { ModelIdentity } from "../specs/types.ts";
import type { ModelSize } from "./estimate.ts";
import { packageRoot } from "./package.ts";

/** Models that ship: name to folder inside the package. */
const SHIPPED: Record<string, string> = { "mixtune/tiny": "assets/tiny" };

/**
 * The folder of a model: one that ships, or a path.
 * @param place where the name was written, for messages
 * @throws {SpecError} a hub id (not in this version), an unknown mixtune/ name, a folder that is not there
 */
export function modelDir(name: string, place: string): string {
  if (name.startsWith("mixtune/")) {
    const folder = SHIPPED[name];
    if (folder !== undefined) return join(packageRoot(), folder);
    throw new SpecError({
      place,
      expected: "a model that ships",
      got: name,
      remedy: didYouMean(name, Object.keys(SHIPPED)),
    });
  }
  if (!/^\.{0,2}\//.test(name)) {
    throw new SpecError({
      place,
      expected: "mixtune/tiny, or a folder that starts with ./, ../ or /",
      got: `${name}, a Hugging Face id, which this version cannot fetch`,
      remedy: "Download the model yourself and give its folder.",
    });
  }
  const folder = resolve(name);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new SpecError({
    place,
    expected: "a model folder",
    got: "no such folder",
    remedy: `Check the path ${folder}.`,
  });
}

/**
 * Digests of a model folder's weights, tokenizer and template; opening the folder checks that config and weights agree.
 * @throws {CheckpointError} a damaged or incomplete folder, a model that cannot be run
 */
export function modelIdentity(name: string, folder: string): ModelIdentity {
  const { digest } = openModelFolder(folder);
  const tokenizer = openTokenizer(folder);
  return {
    name,
    weights_digest: digest,
    tokenizer_digest: tokenizer.digest,
    template_digest: openTemplate(folder, tokenizer).digest,
  };
}

/** What of a model folder decides what it costs to run. */
export function modelSize(folder: string): ModelSize {
  const { config } = openModelFolder(folder);
  const parameters = decoderTensors(config).reduce((sum, { shape }) => sum + numElements(shape), 0);
  const embedding = config.vocab_size * config.hidden_size;
  return {
    parameters,
    active: config.tie_word_embeddings ? parameters : parameters - embedding,
    layers: config.num_hidden_layers,
    hidden: config.hidden_size,
    intermediate: config.intermediate_size,
    vocabulary: config.vocab_size,
  };
}
