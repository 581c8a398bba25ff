/** @file A question as the turns of a conversation that a model is asked. */

import type { Message } from "../../specs/message.ts";
import type { Example, Shot } from "../types.ts";

/** One question as a conversation. */
export function asked(prompt: string): Message[] {
  return [{ role: "user", content: prompt }];
}

/**
 * The turns that an example is asked by: its own, with shots between its system text and its first question. A shot keeps its own system text in
 * front of its question where that differs from the example's.
 */
export function turnsOf(
  { prompt, turns = asked(prompt) }: Pick<Example, "prompt" | "turns">,
  shots: readonly Shot[] = [],
): readonly Message[] {
  if (shots.length === 0) return turns;
  const first = turns.findIndex(({ role }) => role !== "system");
  const system = turns.slice(0, first);
  const said = new Set(system.map(({ content }) => content));
  const shown = shots.flatMap((shot): Message[] => [
    ...systemMerged(turnsOf(shot).filter(({ role, content }) => role !== "system" || !said.has(content))),
    { role: "assistant", content: shot.answer },
  ]);
  return [...system, ...shown, ...turns.slice(first)];
}

/** System text in front of the user's turn that follows it, else behind the last one before it; the same list where there is none. */
export function systemMerged(turns: readonly Message[]): readonly Message[] {
  if (turns.every(({ role }) => role !== "system")) return turns;
  const merged: Message[] = [];
  let waiting: string[] = [];
  for (const { role, content } of turns) {
    if (role === "system") waiting.push(...(content.trim() === "" ? [] : [content]));
    else if (role === "user") {
      merged.push({ role, content: [...waiting, content].join("\n\n") });
      waiting = [];
    } else merged.push({ role, content });
  }
  if (waiting.length === 0) return merged;
  const last = merged.findLastIndex(({ role }) => role === "user");
  if (last < 0) return [...merged, ...asked(waiting.join("\n\n"))];
  return merged.with(last, { role: "user", content: [merged[last]!.content, ...waiting].join("\n\n") });
}

/** Turns of one role that follow each other as one turn; the same list where there are none. */
export function neighborsMerged(turns: readonly Message[]): readonly Message[] {
  if (turns.every(({ role }, i) => role !== turns[i - 1]?.role)) return turns;
  const merged: Message[] = [];
  for (const { role, content } of turns) {
    const before = merged.at(-1);
    if (before?.role === role) before.content += `\n\n${content}`;
    else merged.push({ role, content });
  }
  return merged;
}
