/** @file The language that generation can be constrained to: one number. An automaton over token ids. */

import { CheckpointError } from "../base/errors.ts";
import type { Tokenizer } from "../data/tokens/tokenizers.ts";
import { tokenText } from "./local-model.ts";

/** What may follow what was generated so far. */
export interface Language {
  /** Ids that may come next, the end-of-turn token where the text may end; ascending, never empty but at the end. */
  readonly allowed: readonly number[];
  /** The language behind one of them. */
  after(id: number): Language;
}

/** After the end-of-turn token. */
export const NOTHING: Language = {
  allowed: [],
  after: (id) => {
    throw new Error(`token ${id} behind the end`);
  },
};

/** Digits of a number, before and behind the point together: what a double holds exactly. */
export const MAX_DIGITS = 15;

/**
 * A number with 9 for every digit: read by the strict reading of metrics/number-answer.ts, in the forms that gold answers have. Not `.5`, whose point a
 * model means as the end of a sentence.
 */
const NUMBER = /^ ?[+-]?(?:\$?(?:9+|9{1,3}(?:,999)+)(?:\.9+)?|(?:9+|9{1,3}(?:,999)+)(?:\.9+)?%)$/;
/** What the beginning of a number lacks at most. */
const ENDINGS = ["", "9", "99", "999"];

function isNumber(shape: string): boolean {
  return NUMBER.test(shape) && shape.replace(/[^9]/g, "").length <= MAX_DIGITS;
}

/**
 * A number as text: perhaps a blank, perhaps a sign, perhaps $; digits, or groups of three between commas; perhaps a point and digits; perhaps %,
 * but not behind $. At most {@link MAX_DIGITS} digits.
 *
 * @param words  what may be said in place of a number: `yes`, `no`
 * @throws {CheckpointError} a tokenizer without tokens for single digits
 */
export function numberLanguage(tokenizer: Tokenizer, endOfTurnId: number, words: readonly string[] = []): Language {
  const spaced = words.flatMap((word) => [word, ` ${word}`]);
  const pieces = piecesOf(tokenizer, spaced);
  const isWhole = (shape: string) => isNumber(shape) || spaced.includes(shape);
  const isBeginning = (shape: string) =>
    ENDINGS.some((ending) => isNumber(shape + ending)) || spaced.some((word) => word.startsWith(shape));
  const known = new Map<string, Language>();
  const at = (shape: string): Language => {
    const made = known.get(shape);
    if (made !== undefined) return made;
    const next = new Map<number, string>();
    for (const [piece, ids] of pieces)
      if (isBeginning(shape + piece)) for (const id of ids) next.set(id, shape + piece);
    const language: Language = {
      allowed: ascending(isWhole(shape) ? [...next.keys(), endOfTurnId] : next.keys()),
      after: (id) => {
        const reached = next.get(id);
        if (reached !== undefined) return at(reached);
        return id === endOfTurnId ? NOTHING : NOTHING.after(id);
      },
    };
    known.set(shape, language);
    return language;
  };
  return at("");
}

/** The tokens that numbers and words can be made of, by their texts with 9 for every digit; special tokens are none. */
function piecesOf(tokenizer: Tokenizer, words: readonly string[]): Map<string, number[]> {
  const pieces = new Map<string, number[]>();
  const digits = new Set<string>();
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (tokenizer.specialIds.has(id)) continue;
    const text = tokenText(tokenizer, id);
    if (!/^[ 0-9+\-$,.%]+$/.test(text) && (text === "" || !words.some((word) => word.includes(text)))) continue;
    if (/^[0-9]$/.test(text)) digits.add(text);
    const shape = text.replace(/[0-9]/g, "9");
    pieces.set(shape, [...(pieces.get(shape) ?? []), id]);
  }
  if (digits.size < 10) {
    throw new CheckpointError({
      place: "the tokenizer's vocabulary",
      expected: "a token for each digit, to hold answers to numbers",
      got: `${digits.size} of 10`,
      remedy: "Score this model without constraining its answers.",
    });
  }
  return pieces;
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}
