/** @file A conversation line by line: the commands it knows, its history, and what is dropped of it when the context is full. */

import type { ChatAnswer, ChatPartner, Message } from "../../app/models/chat-partner.ts";

export interface ChatScreen {
  /** A piece of an answer. */
  write(piece: string): void;
  /** Whatever is no answer. */
  say(text: string): void;
  /** An answer is complete. */
  answered(message: string, answer: ChatAnswer, numDropped: number): void;
  /** Ready for a line. */
  ready(): void;
}

const COMMANDS = "/clear forgets the conversation, /exit leaves";

/** Goes on until the lines end or one of them is /exit. */
export async function chatSession(
  lines: AsyncIterable<string>,
  partner: ChatPartner,
  screen: ChatScreen,
  system: string | undefined,
): Promise<void> {
  const beginning: Message[] = system === undefined ? [] : [{ role: "system", content: system }];
  let turns: Message[] = [];
  screen.ready();
  for await (const line of lines) {
    const text = line.trim();
    if (text === "/exit") return;
    if (text === "/clear") {
      turns = [];
      screen.say("The conversation is forgotten.");
    } else if (/^\/\w+$/.test(text)) screen.say(`${text} is no command: ${COMMANDS}.`);
    else if (text !== "")
      turns = await takeTurn(beginning, [...turns, { role: "user", content: text }], partner, screen);
    screen.ready();
  }
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
