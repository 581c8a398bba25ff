/**
 * @file Stands in for the tokenizer and template of a model that is behind an endpoint: nobody here knows them, so tokens are counted as so many
 * characters each, and prompts and answers are sent as they are.
 */

import { digestOf } from "../../base/digest.ts";
import type { PromptTemplate } from "../../data/tokens/chat-template.ts";
import { earlierAnswers } from "../../data/tokens/earlier-answers.ts";
import type { Tokenizer } from "../../data/tokens/tokenizers.ts";
import type { Message } from "../../specs/message.ts";
import { CHARS_PER_TOKEN } from "./estimate.ts";

/** Tokens that services put around a turn. */
const TOKENS_AROUND_TURN = 4;

/** Both; their ids mean nothing but a length, and that two texts are the same. */
export function roughText(): { tokenizer: Tokenizer; template: PromptTemplate } {
  const tokenizer: Tokenizer = {
    encode: (text) =>
      Int32Array.from({ length: Math.ceil(text.length / CHARS_PER_TOKEN) }, (_, i) =>
        pieceId(text.slice(i * CHARS_PER_TOKEN, (i + 1) * CHARS_PER_TOKEN)),
      ),
    decode: () => {
      throw new Error("rough tokens cannot be read");
    },
    idOf: () => undefined,
    vocabSize: 2 ** 31 - 1,
    eosId: 0,
    eosIds: [0],
    padId: 0,
    bosId: null,
    leadIds: new Int32Array(2 * TOKENS_AROUND_TURN - 1),
    spellings: {},
    added: [],
    specialIds: new Set(),
    digest: digestOf({ tokenizer: "characters", per_token: CHARS_PER_TOKEN, around_turn: TOKENS_AROUND_TURN }),
  };
  const render = (turns: readonly Message[]) => turns.map(({ content }) => content).join("\n");
  const template: PromptTemplate = {
    name: "chat",
    render,
    mergedIn: () => null,
    answersIn: (said) => earlierAnswers({ text: render(said), said }, (before) => `${render(before)}\n`, String, ""),
    answerText: (answer) => answer,
    answerIds: tokenizer.encode,
    leadIds: tokenizer.leadIds,
    endOfTurnId: tokenizer.eosId,
    digest: digestOf({ template: "chat messages", version: 1 }),
  };
  return { tokenizer, template };
}

/** Not 0, which ends a turn. */
function pieceId(piece: string): number {
  let hash = 17;
  for (let i = 0; i < piece.length; i++) hash = (Math.imul(hash, 65_599) + piece.charCodeAt(i)) | 0;
  return (hash >>> 2) + 1;
}
