/** @file An answer as it is handed on: pieces of text with their tokens, without what the model's template puts in front of every answer. */

import type { AnswerToken } from "./queue.ts";

/** A piece of an answer, never empty, and the tokens since the last one. */
export interface Piece {
  text: string;
  tokens: AnswerToken[];
}

/** Takes what the network writes and hands on what is the answer's. Whole answers and streams come through here, so that they are the same. */
export interface Pieces {
  push(text: string, tokens: AnswerToken[]): void;
  /** The answer is complete. */
  end(): void;
}

/** @param lead  removed at the beginning where it is there as a whole */
export function pieces(lead: string, onPiece: (piece: Piece) => void): Pieces {
  let held: Piece = { text: "", tokens: [] };
  let isBegun = lead === "";
  const handOn = () => {
    if (held.text === "") return;
    onPiece(held);
    held = { text: "", tokens: [] };
  };
  return {
    push: (text, tokens) => {
      held.text += text;
      held.tokens.push(...tokens);
      if (!isBegun) {
        if (held.text.length < lead.length && lead.startsWith(held.text)) return;
        isBegun = true;
        if (held.text.startsWith(lead)) held.text = held.text.slice(lead.length);
      }
      handOn();
    },
    end: handOn,
  };
}
