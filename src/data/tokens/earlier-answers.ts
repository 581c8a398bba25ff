/** @file Earlier answers of a conversation that are trained on (`loss_on: all_answers`): where a template writes them, and their tokens. */

import type { Message } from "../../specs/message.ts";
import type { Tokenizer } from "./tokenizers.ts";
import type { SaidTurn } from "./turns.ts";

/** Earlier answers of a conversation that may be trained on. */
export interface EarlierAnswers {
  /** Of the rendered conversation [from, to) characters, rising: answers that stand there as they are asked for, with what ends them. */
  spans: [from: number, to: number][];
  /** Answers that the template writes otherwise there (it may drop their thoughts), each behind the turns that it is asked by. */
  apart: { turns: readonly Message[]; answer: string }[];
}

/**
 * Finds them: what stands behind the turns before an answer, rendered up to where it begins, must be that answer.
 * @param text     the rendered conversation
 * @param said     its turns as the template was given them
 * @param ask      renders turns up to where an answer begins
 * @param answerText  an answer as it stands there
 * @param end      ends an answer
 */
export function earlierAnswers(
  { text, said }: { text: string; said: readonly SaidTurn[] },
  ask: (turns: readonly Message[]) => string,
  answerText: (answer: string) => string,
  end: string,
): EarlierAnswers {
  const found: EarlierAnswers = { spans: [], apart: [] };
  for (const [i, { role, content, isUnlearned }] of said.entries()) {
    const turns = said.slice(0, i).map((turn): Message => ({ role: turn.role, content: turn.content }));
    if (role !== "assistant" || isUnlearned || turns.every((turn) => turn.role !== "user")) continue;
    const asked = ask(turns);
    const written = [content, content.trim()].map((one) => answerText(one) + end);
    const answer = text.startsWith(asked) ? written.find((one) => text.startsWith(one, asked.length)) : undefined;
    if (answer === undefined) found.apart.push({ turns, answer: content.trim() });
    else found.spans.push([asked.length, asked.length + answer.length]);
  }
  return found;
}

/**
 * Spans of characters as places among a prompt's tokens. A token on both sides of a span's beginning belongs to it, one on both sides of its end does not.
 * @param numLead  tokens in front of the text's
 */
export function tokenSpans(
  text: string,
  spans: EarlierAnswers["spans"],
  tokenizer: Tokenizer,
  numLead: number,
): Int32Array {
  const ids = tokenizer.encode(text);
  const place = (at: number) => {
    const before = tokenizer.encode(text.slice(0, at));
    const differs = before.findIndex((id, k) => id !== ids[k]);
    return numLead + (differs < 0 ? before.length : differs);
  };
  const places = spans.map(([from, to]) => [Math.max(1, place(from)), place(to)] as const);
  return Int32Array.from(places.filter(([from, to]) => from < to).flat());
}
