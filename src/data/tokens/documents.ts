/** @file Long documents cut into windows of at most cutoff_len tokens. */

import type { TokenizedExample } from "../types.ts";

/**
 * Windows of a document. Neighbours share one token: the last of a window is only a target there and the first of the next only a context,
 * so that every token but the document's first is predicted exactly once.
 *
 * @param cutoffLen  tokens in a window, what the tokenizer puts in front included; at least 2 more than that
 */
export function cutDocument(document: TokenizedExample, cutoffLen: number): TokenizedExample[] {
  const { id, prompt, answer } = document;
  const room = cutoffLen - prompt.length;
  if (answer.length <= room) return [document];
  const windows: TokenizedExample[] = [];
  for (let from = 0; from < answer.length - 1; from += room - 1) {
    windows.push({ id: `${id}/${windows.length}`, prompt, answer: answer.subarray(from, from + room) });
  }
  return windows;
}
