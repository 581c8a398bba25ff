/** @file Answers in the shapes of OpenAI's API. */

import type { Tokenizer } from "../../data/tokens/tokenizers.ts";
import { tokenText } from "../local-model.ts";
import type { ScoredToken } from "../sampling.ts";
import type { Piece } from "./pieces.ts";
import type { Answer, AnswerToken } from "./queue.ts";

/** What all parts of an answer have in common. */
export interface Head {
  id: string;
  /** Seconds since the epoch. */
  created: number;
  model: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** Tokens read and written; the one that ends an answer counts. */
export function usageOf(prompts: readonly Int32Array[], answers: readonly Answer[]): Usage {
  const prompt_tokens = prompts.reduce((sum, { length }) => sum + length, 0);
  const completion_tokens = answers.reduce((sum, { ids }) => sum + ids.length, 0);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

export function finishReason({ stopped }: Answer): "stop" | "length" {
  return stopped === "length" ? "length" : "stop";
}

/** `choices[].logprobs` of a chat. */
export function chatLogprobs(tokenizer: Tokenizer, tokens: readonly AnswerToken[]) {
  const shown = ({ id, logprob }: ScoredToken) => {
    const token = tokenText(tokenizer, id);
    return { token, logprob, bytes: token.includes("\uFFFD") ? null : [...new TextEncoder().encode(token)] };
  };
  const content = tokens.map((token) => ({ ...shown(token), top_logprobs: token.likeliest.map(shown) }));
  return { content, refusal: null };
}

/** `choices[].logprobs` of a completion. */
export interface TextLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
  /** Where in the choice's text each token begins, in UTF-16 units. */
  text_offset: number[];
}

export function textLogprobs(tokenizer: Tokenizer, tokens: readonly AnswerToken[], offset: number): TextLogprobs {
  const texts = tokens.map(({ id }) => tokenText(tokenizer, id));
  return {
    tokens: texts,
    token_logprobs: tokens.map(({ logprob }) => logprob),
    // of tokens with the same text (parts of characters) the likelier one; the one that was taken is always there
    top_logprobs: tokens.map(({ likeliest, ...taken }) =>
      Object.fromEntries(
        [...likeliest, taken]
          .toSorted((a, b) => a.logprob - b.logprob)
          .map(({ id, logprob }) => [tokenText(tokenizer, id), logprob]),
      ),
    ),
    text_offset: offsets(texts, offset),
  };
}

/**
 * The same of an echoed prompt: the first token has no probability, and the likeliest others are not known.
 * @param lead  tokens in front that are no part of the text
 */
export function promptLogprobs(
  tokenizer: Tokenizer,
  prompt: Int32Array,
  logprobs: Float64Array,
  lead: number,
): TextLogprobs {
  const texts = [...prompt].map((id) => tokenText(tokenizer, id));
  return {
    tokens: texts,
    token_logprobs: [null, ...logprobs],
    top_logprobs: texts.map(() => null),
    text_offset: [...texts.slice(0, lead).map(() => 0), ...offsets(texts.slice(lead), 0)],
  };
}

function offsets(texts: readonly string[], first: number): number[] {
  let at = first;
  return texts.map((text) => {
    at += text.length;
    return at - text.length;
  });
}

/** One after the other. */
export function joinedLogprobs(a: TextLogprobs, b: TextLogprobs): TextLogprobs {
  return {
    tokens: [...a.tokens, ...b.tokens],
    token_logprobs: [...a.token_logprobs, ...b.token_logprobs],
    top_logprobs: [...a.top_logprobs, ...b.top_logprobs],
    text_offset: [...a.text_offset, ...b.text_offset],
  };
}

/** Pieces put together. */
export function wholeOf(parts: readonly Piece[]): Piece {
  return { text: parts.map(({ text }) => text).join(""), tokens: parts.flatMap(({ tokens }) => tokens) };
}
