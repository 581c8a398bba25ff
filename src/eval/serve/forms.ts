/** @file How answers are written down: OpenAI's objects of a chat and of a text completion, whole and in chunks. */

import { answerLead, type LocalModel } from "../local-model.ts";
import { chatLogprobs, finishReason, type Head, joinedLogprobs, promptLogprobs, textLogprobs } from "./answers.ts";
import type { Piece } from "./pieces.ts";
import type { Answer } from "./queue.ts";
import type { ChatRequest, CompletionRequest } from "./requests.ts";

/** How answers of one kind are written down. */
export interface Form {
  /** Begins the ids of answers. */
  prefix: string;
  /** What precedes every answer and is no part of it. */
  lead: string;
  whole(head: Head, parts: Piece[], answers: readonly Answer[]): Record<string, unknown>;
  /** Chunks of a stream: one that opens a choice, one a piece, one that closes a choice, one without choices for the usage. */
  chunk(head: Head, choices: unknown[]): Record<string, unknown>;
  opening(index: number): unknown;
  piece(index: number, piece: Piece, offset: number): unknown;
  closing(index: number, answer: Answer): unknown;
}

export function chatForm({ logprobs }: ChatRequest, model: LocalModel): Form {
  const logprobsOf = ({ tokens }: Piece) => (logprobs ? chatLogprobs(model.tokenizer, tokens) : null);
  const choice = (index: number, delta: unknown, more: object = {}) => ({
    index,
    delta,
    logprobs: null,
    finish_reason: null,
    ...more,
  });
  return {
    prefix: "chatcmpl",
    lead: answerLead(model),
    whole: (head, parts, answers) => ({
      ...head,
      object: "chat.completion",
      choices: answers.map((answer, index) => ({
        index,
        message: { role: "assistant", content: parts[index]!.text, refusal: null },
        logprobs: logprobsOf(parts[index]!),
        finish_reason: finishReason(answer),
      })),
    }),
    chunk: (head, choices) => ({ ...head, object: "chat.completion.chunk", choices }),
    opening: (index) => choice(index, { role: "assistant", content: "", refusal: null }),
    piece: (index, piece) => choice(index, { content: piece.text }, { logprobs: logprobsOf(piece) }),
    closing: (index, answer) => choice(index, {}, { finish_reason: finishReason(answer) }),
  };
}

export function completionForm(request: CompletionRequest, model: LocalModel, prompts: readonly Int32Array[]): Form {
  const { tokenizer } = model;
  const logprobsOf = ({ tokens }: Piece, offset: number) =>
    request.logprobs === undefined ? null : textLogprobs(tokenizer, tokens, offset);
  const echoed = (index: number) => {
    const asked = request.prompt[index]!;
    return typeof asked === "string"
      ? { text: asked, lead: tokenizer.leadIds.length }
      : { text: tokenizer.decode(asked), lead: 0 };
  };
  const choice = (index: number, text: string, more: object = {}) => ({
    index,
    text,
    logprobs: null,
    finish_reason: null,
    ...more,
  });
  return {
    prefix: "cmpl",
    lead: "",
    whole: (head, parts, answers) => ({
      ...head,
      object: "text_completion",
      choices: answers.map((answer, index) => {
        const part = parts[index]!;
        const finish_reason = finishReason(answer);
        if (!request.echo) return choice(index, part.text, { logprobs: logprobsOf(part, 0), finish_reason });
        const { text, lead } = echoed(index);
        const own = logprobsOf(part, text.length);
        const logprobs =
          own && joinedLogprobs(promptLogprobs(tokenizer, prompts[index]!, answer.promptLogprobs!, lead), own);
        return choice(index, text + part.text, { logprobs, finish_reason });
      }),
    }),
    chunk: (head, choices) => ({ ...head, object: "text_completion", choices }),
    opening: (index) => choice(index, ""),
    piece: (index, piece, offset) => choice(index, piece.text, { logprobs: logprobsOf(piece, offset) }),
    closing: (index, answer) => choice(index, "", { finish_reason: finishReason(answer) }),
  };
}
