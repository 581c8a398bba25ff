/** @file A model on our own engine, ready to be asked. */

import type { PromptTemplate } from "../data/tokens/chat-template.ts";
import type { Tokenizer } from "../data/tokens/tokenizers.ts";
import type { CachedNetwork } from "../models/cached-network.ts";
import type { Network } from "../models/network.ts";
import type { AskedModel } from "./evaluate.ts";
import { generate } from "./generate.ts";
import { scoreGold, scoreLabels } from "./score.ts";

/** Networks with the weights they run on. */
export interface NetworkParts {
  network: Network;
  /** The same model reading on token by token; made when text is first asked for. */
  writer(): Promise<CachedNetwork>;
  parameters: Float32Array;
  tokenizer: Tokenizer;
  template: PromptTemplate;
  /** Of both networks. */
  maxPositions: number;
  /** Text that ends an answer, beside the end of a turn. */
  stopStrings: readonly string[];
}

export function networkModel(parts: NetworkParts): AskedModel {
  const { network, writer, parameters, tokenizer, template, maxPositions, stopStrings } = parts;
  const { decode } = tokenizer;
  return {
    ...{ tokenizer, template, maxPositions },
    scoreLabels: (prompts, labels, report) => scoreLabels(network, parameters, prompts, labels, report),
    scoreGold: (examples, report) => scoreGold(network, parameters, examples, report),
    write: async (prompts, options, onProgress) =>
      generate(await writer(), parameters, prompts, { ...options, stopStrings, decode, onProgress }),
  };
}
