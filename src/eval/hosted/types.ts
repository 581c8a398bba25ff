/** @file What is asked of a model behind an OpenAI-compatible endpoint, and what comes back. */

import type { Message } from "../../specs/message.ts";

/** `chat`: turns in, a turn out. `completions`: a text in, its continuation out, as base models have it. */
export type HostedApi = "chat" | "completions";

/** One request. Answers are asked for at temperature 0. */
export interface HostedRequest {
  /** What it is about, for messages: an example's id. Not sent. */
  id: string;
  /** `chat`: turns, or the text of one user's turn; `completions`: a text. */
  prompt: string | readonly Message[];
  /** The most tokens of an answer. */
  maxTokens: number;
  /** The answer ends before the first of these; those that an endpoint does not take are applied here. */
  stop?: readonly string[];
  /** Passed on; few endpoints promise the same answer for it. */
  seed?: number;
  /** Log-probabilities of the answer's tokens, with so many alternatives of each. */
  topLogprobs?: number;
  /** A prompt that the endpoint finds too long gets an empty answer that says so ({@link TOO_LONG}), which is not kept. Default: an error. */
  skipsTooLong?: boolean;
}

/** The `finish_reason` of an answer to a prompt that did not fit the model. */
export const TOO_LONG = "context_length";

/** A token of an answer. */
export interface TokenLogprob {
  token: string;
  /** Natural logarithm. */
  logprob: number;
  /** The likeliest tokens in its place, as many as were asked for. */
  top: { token: string; logprob: number }[];
}

/** One answer, as it is kept on disk. */
export interface HostedAnswer {
  text: string;
  /** `stop`, `length`, `content_filter`, {@link TOO_LONG}, or what else the endpoint says; null where it says nothing. */
  finish_reason: string | null;
  /** What was billed; null where the endpoint does not say. */
  usage: { prompt_tokens: number; completion_tokens: number } | null;
  /** Of the text as it came, before stop strings were applied here; null where none were asked for. */
  logprobs: TokenLogprob[] | null;
  /** The model as the endpoint names it, often with a date. */
  model: string;
  /** Parameters that the model does not take and that were therefore not sent: without `temperature` the answer was drawn. */
  left_out: string[];
}

/** Money for a million tokens, in any currency. */
export interface Prices {
  inputPerMillion: number;
  outputPerMillion: number;
  /** Of fine-tuning: a token counts once an epoch. */
  trainingPerMillion?: number;
}

/** What may be used up, at most. */
export interface Budget {
  /** Requests sent, retries included. */
  requests?: number;
  /** In the currency of {@link Prices}, without which it cannot be kept. */
  money?: number;
}

/** What was used since the model was opened. */
export interface Spending {
  /** Requests sent, retries included. */
  requests: number;
  /** Answers that came from the endpoint. */
  answers: number;
  /** Answers that needed no request: on disk, or of an equal request. */
  cached: number;
  prompt_tokens: number;
  completion_tokens: number;
  /** NaN without prices. Full price for every token, and for requests that broke off the most they can have cost. */
  money: number;
  /** Requests whose tokens the endpoint did not tell, or that broke off: theirs are estimates. */
  estimated: number;
}
