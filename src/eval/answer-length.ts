/** @file How long a generated answer may become, unless eval.max_new_tokens says. */

import type { AnswerSpec } from "../specs/types.ts";

/** Room beyond the longest known answer, so that a model that says more is seen to. */
const EXTRA_TOKENS = 8;
/** Most tokens, and those of a task of which no answer is known. */
const MAX_NEW_TOKENS = 512;
/** The same of a number, with a worked solution before it. */
const NUMBER_TOKENS = 256;

/** @param lengths  tokens of the labels, or of the training answers */
export function newTokensFor(kind: AnswerSpec["kind"], lengths: readonly number[]): number {
  if (lengths.length === 0) return kind === "number" ? NUMBER_TOKENS : MAX_NEW_TOKENS;
  return Math.min(MAX_NEW_TOKENS, lengths.reduce((most, length) => Math.max(most, length), 0) + EXTRA_TOKENS);
}
