/** @file What requests will cost, before any is sent. */

import { costOf, type Tokens } from "./purse.ts";
import type { HostedRequest, Prices } from "./types.ts";

/** English text in the tokenizers of today, roughly; figures and other languages have fewer characters a token. */
export const CHARS_PER_TOKEN = 4;
/** Tokens that a chat template puts around a turn, at most. */
const TOKENS_AROUND_TURN = 16;

/** What requests come to. Sent and billed may be fewer: equal requests are sent once, and what is in the cache not at all. */
export interface CostEstimate {
  requests: number;
  /** Roughly: characters / {@link CHARS_PER_TOKEN}. */
  promptTokens: number;
  /** If every answer is as long as it may be. */
  maxCompletionTokens: number;
  /** Of both, at the prices given; retries are not in it. NaN without prices. */
  money: number;
}

/** Roughly what requests cost if every answer is as long as it may be. */
export function estimateCost(requests: readonly HostedRequest[], prices?: Prices): CostEstimate {
  const promptTokens = requests.reduce((sum, request) => sum + roughTokens(textsOf(request)), 0);
  const maxCompletionTokens = requests.reduce((sum, { maxTokens }) => sum + maxTokens, 0);
  const money = costOf({ prompt: promptTokens, completion: maxCompletionTokens }, prices);
  return { requests: requests.length, promptTokens, maxCompletionTokens, money };
}

/** The most tokens that a request can come to: no tokenizer makes more than one of a byte. */
export function mostTokens(request: HostedRequest): Tokens {
  const texts = textsOf(request);
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { prompt: bytes + texts.length * TOKENS_AROUND_TURN, completion: request.maxTokens };
}

/** Roughly the tokens of a request and the text that came. */
export function likelyTokens(request: HostedRequest, answer: string): Tokens {
  return { prompt: roughTokens(textsOf(request)), completion: roughTokens([answer]) };
}

function roughTokens(texts: readonly string[]): number {
  return Math.ceil(texts.reduce((sum, text) => sum + text.length, 0) / CHARS_PER_TOKEN);
}

function textsOf({ prompt }: HostedRequest): string[] {
  return typeof prompt === "string" ? [prompt] : prompt.map(({ content }) => content);
}
