/** @file A model on this machine that writes answers: network, weights, tokenizer and template under one name; texts and conversations to its ids. */

import { DataError } from "../base/errors.ts";
import type { PromptTemplate } from "../data/tokens/chat-template.ts";
import type { Tokenizer } from "../data/tokens/tokenizers.ts";
import type { CachedNetwork } from "../models/cached-network.ts";
import type { Network } from "../models/network.ts";
import type { Message } from "../specs/message.ts";

/** Models may share tokenizer, template and networks: adapters of one base differ in their parameters alone. */
export interface LocalModel {
  name: string;
  /** Of everything that its answers follow from: weights, tokenizer and template. */
  digest: string;
  tokenizer: Tokenizer;
  template: PromptTemplate;
  network: CachedNetwork;
  parameters: Float32Array;
  /** The network that scores given tokens with the same parameters; made when it is first asked for. */
  scoring(): Promise<Network>;
}

/** A prompt that leaves no room for an answer. */
export class PromptTooLong extends DataError {}

/** Tokens of an answer unless more are asked for: a model that does not find its end would fill its context. */
export const CHAT_TOKENS = 512;

/** Characters a token of a prompt that are read at once: more than texts have, less than takes long. */
const CHARS_PER_TOKEN = 16;

/**
 * Ids of a text as the model reads it, with what its tokenizer puts in front.
 * @throws {PromptTooLong} no room for an answer behind it
 */
export function textPrompt(model: LocalModel, text: string): Int32Array {
  return encoded(model, text, model.tokenizer.leadIds);
}

/**
 * Ids of a conversation, up to where the model's answer begins.
 * @throws {PromptTooLong} no room for an answer behind it
 * @throws {DataError} messages that the model's template does not take
 */
export function chatPrompt(model: LocalModel, messages: readonly Message[]): Int32Array {
  // each message is a token or more; a template is slow on very many
  if (messages.length >= model.network.maxPositions) throw tooLong(model, `${messages.length} messages`);
  return encoded(model, model.template.render(messages), model.template.leadIds);
}

/** What every answer in a chat begins with in the model's template and that is no part of it: a blank after `Answer:`. */
export function answerLead({ template }: LocalModel): string {
  return template.answerText("");
}

function encoded(model: LocalModel, text: string, lead: Int32Array): Int32Array {
  const { tokenizer, network } = model;
  const most = network.maxPositions - 1 - lead.length;
  // a text that is far too long need not be read to its end
  for (let size = CHARS_PER_TOKEN * network.maxPositions; size < text.length; size *= 2) {
    const numTokens = tokenizer.encode(text.slice(0, size)).length;
    if (numTokens > most + CHARS_PER_TOKEN) throw tooLong(model, `more than ${numTokens}`);
  }
  const ids = tokenizer.encode(text);
  if (ids.length > most) throw tooLong(model, `${ids.length + lead.length}`);
  const prompt = new Int32Array(lead.length + ids.length);
  prompt.set(lead);
  prompt.set(ids, lead.length);
  return prompt;
}

function tooLong({ name, network }: LocalModel, got: string): PromptTooLong {
  return new PromptTooLong({
    place: "the prompt",
    expected: `at most ${network.maxPositions - 1} tokens, so that an answer has room (${name} reads ${network.maxPositions})`,
    got,
    remedy: "Shorten it, or open the model with more context.",
  });
}

interface TokenTexts {
  /** Ids that a token is read behind, and the length of their text. */
  before: Int32Array;
  start: number;
  known: Map<number, string>;
}
const TEXTS = new WeakMap<Tokenizer, TokenTexts>();

/** Text of one token as it reads behind other text: at its beginning a decoder may drop a blank. Part of a character is U+FFFD. */
export function tokenText(tokenizer: Tokenizer, id: number): string {
  const { before, start, known } = TEXTS.get(tokenizer) ?? newTexts(tokenizer);
  const text = known.get(id) ?? tokenizer.decode([...before, id]).slice(start);
  known.set(id, text);
  return text;
}

function newTexts(tokenizer: Tokenizer): TokenTexts {
  const before = tokenizer.encode("0");
  const texts = { before, start: tokenizer.decode(before).length, known: new Map() };
  TEXTS.set(tokenizer, texts);
  return texts;
}
