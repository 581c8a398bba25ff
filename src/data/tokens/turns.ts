/** @file A question as the turns of a conversation that a model is asked. */

import type { Message } from "../../specs/message.ts";
import type { Example, Shot } from "../types.ts";

/** A turn of a conversation, and of an answer whether it may be trained on. */
export interface SaidTurn extends Message {
  /** Absent: it may. */
  isUnlearned?: true;
}

/** The turns before an example's answer, with what its row says of them. */
export function saidIn({ prompt, turns = asked(prompt), unlearned = [] }: Example): SaidTurn[] {
  return turns.map(({ role, content }, i) => ({ role, content, ...(unlearned.includes(i) && { isUnlearned: true }) }));
}

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
export function systemMerged(turns: readonly SaidTurn[]): readonly SaidTurn[] {
  if (turns.every(({ role }) => role !== "system")) return turns;
  const merged: SaidTurn[] = [];
  let waiting: string[] = [];
  for (const turn of turns) {
    const { role, content } = turn;
    if (role === "system") waiting.push(...(content.trim() === "" ? [] : [content]));
    else if (role === "user") {
      merged.push({ role, content: [...waiting, content].join("\n\n") });
      waiting = [];
    } else merged.push(turn);
  }
  if (waiting.length === 0) return merged;
  const last = merged.findLastIndex(({ role }) => role === "user");
  if (last < 0) return [...merged, ...asked(waiting.join("\n\n"))];
  return merged.with(last, { role: "user", content: [merged[last]!.content, ...waiting].join("\n\n") });
}

/** Turns of one role that follow each other as one turn, trained on if each may be; the same list where there are none. */
export function neighborsMerged(turns: readonly SaidTurn[]): readonly SaidTurn[] {
  if (turns.every(({ role }, i) => role !== turns[i - 1]?.role)) return turns;
  const merged: SaidTurn[] = [];
  for (const turn of turns) {
    const before = merged.at(-1);
    if (before?.role === turn.role) {
      before.content += `\n\n${turn.content}`;
      if (turn.isUnlearned) before.isUnlearned = true;
    } else merged.push({ ...turn });
  }
  return merged;
}
