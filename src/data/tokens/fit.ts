/** @file Prompts that are too long, shortened where the task declares it: one part, to a beginning or an end of itself; all else stays as it is. */

import type { Example, FitRange, TokenizedExample } from "../types.ts";

/** How an example is tokenised. */
export interface FitTokens {
  /** The example with another prompt. */
  tokenize(prompt: string): TokenizedExample;
  /** Tokens of a word with the white space before it, as if it stood alone: near enough to guess by. */
  wordTokens(word: string): number;
}

/** An example that fits, and its tokens. */
export interface Fitted {
  example: Example;
  whole: TokenizedExample;
}

/**
 * Shortens the declared part of a prompt until the example is at most `maxTokens` long: as many words as fit by the sum of their tokens, back to a
 * whole line where that costs at most half of them, and fewer where the prompt turns out longer than its words.
 *
 * @returns null: too long even without that part
 */
export function fitExample(
  example: Example & { fit: FitRange },
  maxTokens: number,
  { tokenize, wordTokens }: FitTokens,
): Fitted | null {
  const { fit, prompt, ...rest } = example;
  const part = prompt.slice(fit.from, fit.to);
  const withKept = (kept: number): Fitted => {
    const text = fit.keep === "start" ? part.slice(0, kept) : part.slice(part.length - kept);
    const shorter = prompt.slice(0, fit.from) + text + prompt.slice(fit.to);
    return { example: { ...rest, prompt: shorter }, whole: tokenize(shorter) };
  };
  const cuts = wordCuts(part, fit.keep, wordTokens);
  const without = withKept(0);
  let room = maxTokens - lengthOf(without.whole);
  if (room < 0) return null;
  for (;;) {
    const words = keptWithin(cuts, room);
    const lines = wholeLines(part, words, fit.keep);
    const kept = lines >= words / 2 ? lines : words;
    if (kept === 0) return without;
    const found = withKept(kept);
    const over = lengthOf(found.whole) - maxTokens;
    if (over <= 0) return found;
    room = tokensWithin(cuts, kept) - over;
  }
}

/** Tokens of prompt and answer. */
export function lengthOf({ prompt, answer }: TokenizedExample): number {
  return prompt.length + answer.length;
}

/**
 * Where in a prompt the part stands that may be shortened; nothing where the part is empty.
 * @throws {Error} the prompt does not hold it as it is: a fault of the task file
 */
export function fitRange(prompt: string, part: string, keep: FitRange["keep"]): FitRange | undefined {
  if (part === "") return undefined;
  const from = prompt.indexOf(part);
  if (from < 0) throw new Error(`the part to fit is not in the prompt: ${part.slice(0, 60)}`);
  return { from, to: from + part.length, keep };
}

/** Beginnings (or ends) of a text that end (or begin) with a word: characters, and the tokens of their words. */
interface Cut {
  chars: number;
  tokens: number;
}

function wordCuts(text: string, keep: FitRange["keep"], wordTokens: FitTokens["wordTokens"]): Cut[] {
  const words = [...text.matchAll(/\s*\S+/gu)];
  if (keep === "end") words.reverse();
  let tokens = 0;
  return words.map(({ index, 0: word }) => {
    tokens += wordTokens(word);
    const chars =
      keep === "start" ? index + word.length : text.length - index - (word.length - word.trimStart().length);
    return { chars, tokens };
  });
}

/** Characters of the longest cut of at most so many tokens. */
function keptWithin(cuts: readonly Cut[], tokens: number): number {
  return cuts.findLast((cut) => cut.tokens <= tokens)?.chars ?? 0;
}

/** Tokens of the words within so many characters. */
function tokensWithin(cuts: readonly Cut[], chars: number): number {
  return cuts.findLast((cut) => cut.chars <= chars)?.tokens ?? 0;
}

/** The longest beginning (or end) within `kept` characters that is made of whole lines. */
function wholeLines(text: string, kept: number, keep: FitRange["keep"]): number {
  if (keep === "start") return text[kept] === "\n" ? kept : Math.max(0, text.lastIndexOf("\n", kept));
  const from = text.length - kept;
  if (from === 0 || text[from - 1] === "\n") return kept;
  const next = text.indexOf("\n", from);
  return next < 0 ? 0 : text.length - next - 1;
}
