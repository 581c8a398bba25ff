/** @file An opened model as the other side of a conversation. */

import { endIdsOf } from "../../data/tokens/chat-template.ts";
import { generate } from "../../eval/generate.ts";
import { answerLead, chatPrompt, type LocalModel, PromptTooLong } from "../../eval/local-model.ts";
import { pieces } from "../../eval/serve/pieces.ts";
import type { Message } from "../../specs/message.ts";

export type { Message };

/** How a model answers. */
export interface ChatOptions {
  /** 0: always the likeliest token. */
  temperature: number;
  /** Only the likeliest tokens that together have this probability. */
  topP: number;
  /** Most tokens of an answer; at most half of the context. */
  maxNewTokens: number;
  seed: number;
}

export interface ChatPartner {
  /** @returns why it ended, and the answer, of which the pieces were handed on */
  answer(messages: readonly Message[], onText: (piece: string) => void): Promise<ChatAnswer>;
  /**
   * Whether a conversation leaves room for an answer.
   * @throws {DataError} messages that the model's template does not take
   */
  fits(messages: readonly Message[]): boolean;
}

export interface ChatAnswer {
  text: string;
  stopped: "end" | "stop" | "length" | "dropped";
}

/**
 * A model as the other side of a conversation. Greedy or sampled; the same seed and messages give the same answers.
 * @param begin  called before each answer; its signal ends that answer
 */
export function chatPartner(model: LocalModel, options: ChatOptions, begin: () => AbortSignal): ChatPartner {
  const { network, parameters, tokenizer, template } = model;
  const { temperature, topP, seed } = options;
  // an answer may have half of the context at most, so that a question has the other half
  const maxNewTokens = Math.min(options.maxNewTokens, Math.floor(network.maxPositions / 2));
  let turn = 0;
  return {
    fits: (messages) => {
      try {
        return chatPrompt(model, messages).length + maxNewTokens <= network.maxPositions;
      } catch (error) {
        if (error instanceof PromptTooLong) return false;
        throw error;
      }
    },
    answer: async (messages, onText): Promise<ChatAnswer> => {
      const signal = begin();
      const taken: string[] = [];
      const { push, end } = pieces(answerLead(model), ({ text }) => {
        taken.push(text);
        onText(text);
      });
      const prompt = { id: `turn ${++turn}`, prompt: chatPrompt(model, messages) };
      const [answer] = await generate(network, parameters, [prompt], {
        endIds: endIdsOf(template, tokenizer),
        maxNewTokens,
        decode: tokenizer.decode,
        sampling: { temperature, topP, seed },
        onText: (_, piece) => push(piece, []),
        isWanted: () => !signal.aborted,
      });
      end();
      return { text: taken.join(""), stopped: answer!.stopped };
    },
  };
}
