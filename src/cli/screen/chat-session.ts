/** @file A conversation line by line: the commands it knows, its history, and what is dropped of it when the context is full. */

import type { ChatAnswer, ChatPartner, Message } from "../../app/models/chat-partner.ts";

export interface ChatScreen {
  /** A piece of an answer. */
  write(piece: string): void;
  /** Whatever is no answer. */
  say(text: string): void;
  /** An answer is complete. */
  answered(message: string, answer: ChatAnswer, numDropped: number): void;
  /** Ready for a line. @param isBegun  of a message that has lines already */
  ready(isBegun: boolean): void;
}

const COMMANDS = "/clear forgets the conversation, /exit leaves";

const BLOCK = '"""';

/** How a message has several lines. */
const LINES = 'A line that ends in a backslash goes on in the next one; lines between """ and """ are one message.';

/** Goes on until the lines end or one of them is /exit. */
export async function chatSession(
  lines: AsyncIterable<string>,
  partner: ChatPartner,
  screen: ChatScreen,
  system: string | undefined,
): Promise<void> {
  const beginning: Message[] = system === undefined ? [] : [{ role: "system", content: system }];
  let turns: Message[] = [];
  screen.ready(false);
  for await (const text of messagesOf(lines, screen)) {
    if (text === "/exit") return;
    if (text === "/clear") {
      turns = [];
      screen.say("The conversation is forgotten.");
    } else if (text === "/help") screen.say(`${COMMANDS}. ${LINES}`);
    else if (/^\/\w+$/.test(text))
      screen.say(`${text} is no command: ${COMMANDS}, /help says how a message has several lines.`);
    else if (text !== "")
      turns = await takeTurn(beginning, [...turns, { role: "user", content: text }], partner, screen);
    screen.ready(false);
  }
}

/** Lines, and what is written over several of them, as one text each. What is not complete when the lines end is a text too. */
async function* messagesOf(lines: AsyncIterable<string>, screen: ChatScreen): AsyncGenerator<string> {
  let begun: string[] = [];
  let isBlock = false;
  for await (const line of lines) {
    const isFirst = begun.length === 0;
    if (isFirst) isBlock = line.trimStart().startsWith(BLOCK);
    const text = isFirst && isBlock ? line.trimStart().slice(BLOCK.length) : line;
    const isEnd = isBlock ? text.trimEnd().endsWith(BLOCK) : !text.endsWith("\\");
    const mark = isBlock ? BLOCK : "\\";
    begun.push(isEnd === isBlock ? text.trimEnd().slice(0, -mark.length) : text);
    if (!isEnd) {
      screen.ready(true);
      continue;
    }
    yield begun.join("\n").trim();
    begun = [];
  }
  if (begun.length > 0) yield begun.join("\n").trim();
}

/** The conversation with its answer; without the new message where that does not fit even alone. */
async function takeTurn(
  beginning: readonly Message[],
  turns: readonly Message[],
  partner: ChatPartner,
  screen: ChatScreen,
): Promise<Message[]> {
  let from = 0;
  // a turn is a message and its answer
  while (!partner.fits([...beginning, ...turns.slice(from)])) {
    if (from === turns.length - 1) {
      screen.say("This message leaves no room for an answer: shorten it, or open the model with more --context.");
      return turns.slice(0, -1);
    }
    from += 2;
  }
  const kept = turns.slice(from);
  if (from > 0) screen.say(`The context is full: the oldest ${from} messages are forgotten.`);
  const answer = await partner.answer([...beginning, ...kept], screen.write);
  screen.answered(turns.at(-1)!.content, answer, from);
  return [...kept, { role: "assistant", content: answer.text }];
}
