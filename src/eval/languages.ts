/** @file Languages that generation can be held to: the labels of a task, or one number. Automata over token ids. */

import { CheckpointError } from "../base/errors.ts";
import type { Tokenizer } from "../data/tokenizers.ts";

/** What may follow what was generated so far. */
export interface Language {
  /** Ids that may come next, the end-of-turn token where the text may end; ascending, never empty but at the end. */
  readonly allowed: readonly number[];
  /** The language behind one of them. */
  after(id: number): Language;
}

/** After the end-of-turn token. */
const NOTHING: Language = {
  allowed: [],
  after: (id) => {
    throw new Error(`token ${id} behind the end`);
  },
};

/**
 * Exactly these answers.
 * @param labels  ids of each with its end-of-turn token, as tokenizeLabels gives them
 */
export function labelLanguage(labels: readonly Int32Array[], depth = 0): Language {
  const branches = new Map<number, Int32Array[]>();
  for (const label of labels) {
    if (depth < label.length) branches.set(label[depth]!, [...(branches.get(label[depth]!) ?? []), label]);
  }
  if (branches.size === 0) return NOTHING;
  const next = new Map([...branches].map(([id, behind]) => [id, labelLanguage(behind, depth + 1)]));
  return { allowed: ascending(next.keys()), after: (id) => next.get(id) ?? NOTHING.after(id) };
}

/** Digits of a number, before and behind the point together: what a double holds exactly. */
export const MAX_DIGITS = 15;

/** How far a number has come, and how many digits it has. */
interface NumberState {
  phase: "start" | "blank" | "sign" | "whole" | "point" | "fraction" | "percent";
  digits: number;
}

/** The state after a character, or null where it may not come. */
function afterCharacter({ phase, digits }: NumberState, char: string): NumberState | null {
  if (/^[0-9]$/.test(char)) {
    if (phase === "percent" || digits === MAX_DIGITS) return null;
    return { phase: phase === "point" || phase === "fraction" ? "fraction" : "whole", digits: digits + 1 };
  }
  if (char === " ") return phase === "start" ? { phase: "blank", digits } : null;
  if (char === "+" || char === "-") return phase === "start" || phase === "blank" ? { phase: "sign", digits } : null;
  if (char === ".") return phase === "whole" && digits < MAX_DIGITS ? { phase: "point", digits } : null;
  if (char === "%") return phase === "whole" || phase === "fraction" ? { phase: "percent", digits } : null;
  return null;
}

function isNumber({ phase }: NumberState): boolean {
  return phase === "whole" || phase === "fraction" || phase === "percent";
}

/**
 * A number as text: perhaps a blank, perhaps a sign, digits, perhaps a point and digits, perhaps %; at most {@link MAX_DIGITS} digits.
 * @throws {CheckpointError} a tokenizer without tokens for single digits
 */
export function numberLanguage(tokenizer: Tokenizer, endOfTurnId: number): Language {
  const texts = numberTokens(tokenizer);
  const singles = new Set([...texts.values()].filter((text) => /^[0-9]$/.test(text)));
  if (singles.size < 10) {
    throw new CheckpointError({
      place: "the tokenizer's vocabulary",
      expected: "a token for each digit, to hold answers to numbers",
      got: `${singles.size} of 10`,
      remedy: "Score this model without constraining its answers.",
    });
  }
  const known = new Map<string, Language>();
  const at = (state: NumberState): Language => {
    const key = `${state.phase} ${state.digits}`;
    const made = known.get(key);
    if (made !== undefined) return made;
    const next = new Map<number, NumberState>();
    for (const [id, text] of texts) {
      const reached = [...text].reduce<NumberState | null>((s, char) => s && afterCharacter(s, char), state);
      if (reached !== null) next.set(id, reached);
    }
    const language: Language = {
      allowed: ascending(isNumber(state) ? [...next.keys(), endOfTurnId] : next.keys()),
      after: (id) => {
        const reached = next.get(id);
        if (reached !== undefined) return at(reached);
        return id === endOfTurnId ? NOTHING : NOTHING.after(id);
      },
    };
    known.set(key, language);
    return language;
  };
  return at({ phase: "start", digits: 0 });
}

/** Texts of the tokens that a number can be made of, by id, as they read behind other text: at its beginning a decoder may drop a blank. */
function numberTokens(tokenizer: Tokenizer): Map<number, string> {
  const before = tokenizer.encode("0");
  const start = tokenizer.decode(before).length;
  const texts = new Map<number, string>();
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (tokenizer.specialIds.has(id)) continue;
    const text = tokenizer.decode([...before, id]).slice(start);
    if (/^[ 0-9+\-.%]+$/.test(text)) texts.set(id, text);
  }
  return texts;
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}
