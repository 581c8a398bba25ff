/**
 * @file Shapes of instruction files that are known without configuration, read as turns of a conversation:
 *
 * | shape             | fields                                                                                   |
 * | alpaca            | instruction, input (may be empty or absent), output; system and history if there        |
 * | sharegpt          | conversations: [{from, value}]; system if there                                          |
 * | messages          | messages: [{role, content}], as OpenAI has them                                          |
 * | prompt/completion | prompt, completion: texts, or lists of messages                                          |
 *
 * A list may also be a JSON text of one, as in CSV. Texts keep the blanks around them, but for the answer. Of a conversation the last answer that may be trained on is (marks.ts); the turns before it are
 * what it answers.
 */

import type { Message } from "../../specs/message.ts";
import { fieldText, type NoAnswer } from "../answers.ts";
import type { Example } from "../types.ts";
import { contentProblem, turnMark } from "./marks.ts";

/** A turn as a row has it. */
interface Turn extends Message {
  /** Whether the row says that it is trained on; absent: it says nothing. */
  isTrained?: boolean;
}

export interface Shape {
  name: "alpaca" | "sharegpt" | "messages" | "prompt/completion";
  /** Where the answer is from. */
  answerField: string;
  /** Fields that every row must have. */
  fields: readonly string[];
  /** Fields that are read where they are there. */
  optional: readonly string[];
  /** @param unused  told keys of turns that nothing is done with */
  turns(row: Record<string, unknown>, unused?: Set<string>): Turn[] | NoAnswer;
}

const ROLES: Readonly<Record<string, Message["role"]>> = {
  system: "system",
  developer: "system",
  user: "user",
  human: "user",
  assistant: "assistant",
  gpt: "assistant",
  model: "assistant",
  chatgpt: "assistant",
  bing: "assistant",
  bard: "assistant",
};

/** Keys of a turn: who says it, and what. */
type TurnKeys = readonly [role: string, text: string];
const OPENAI_KEYS: TurnKeys = ["role", "content"];
const SHAREGPT_KEYS: TurnKeys = ["from", "value"];

const SHAPES: readonly Shape[] = [
  {
    name: "messages",
    answerField: "messages",
    fields: ["messages"],
    optional: [],
    turns: ({ messages }, unused) => turnsIn(messages, "messages", OPENAI_KEYS, unused),
  },
  {
    name: "sharegpt",
    answerField: "conversations",
    fields: ["conversations"],
    optional: ["system"],
    turns: ({ conversations, system }, unused) =>
      joined(optional(system, "system", "system"), turnsIn(conversations, "conversations", SHAREGPT_KEYS, unused)),
  },
  {
    name: "alpaca",
    answerField: "output",
    fields: ["instruction", "output"],
    optional: ["input", "system", "history"],
    turns: ({ instruction, input, output, system, history }) => {
      const question = joined(one(instruction, "instruction", "user"), optional(input, "input", "user"));
      if (!Array.isArray(question)) return question;
      const asked: Message = { role: "user", content: question.map(({ content }) => content).join("\n\n") };
      return joined(
        optional(system, "system", "system"),
        historyIn(history),
        [asked],
        one(output, "output", "assistant"),
      );
    },
  },
  {
    name: "prompt/completion",
    answerField: "completion",
    fields: ["prompt", "completion"],
    optional: [],
    turns: ({ prompt, completion }, unused) =>
      joined(
        isList(prompt) ? turnsIn(prompt, "prompt", OPENAI_KEYS, unused) : one(prompt, "prompt", "user"),
        isList(completion)
          ? turnsIn(completion, "completion", OPENAI_KEYS, unused)
          : one(completion, "completion", "assistant"),
      ),
  },
];

/** Names of the shapes, for messages. */
export const SHAPE_NAMES = SHAPES.map(({ name }) => name);

/** The shape of rows that have these fields, if it is one of the known. */
export function shapeOf(fields: Iterable<string>): Shape | undefined {
  const there = new Set(fields);
  return SHAPES.find((shape) => shape.fields.every((field) => there.has(field)));
}

/** A conversation as an example. */
export interface Dialogue extends Pick<Example, "prompt" | "turns" | "unlearned"> {
  answer: string;
  /** What was said before the answer, without system text. */
  text: string;
  numTurns: number;
  /** Turns after the answer, which are left out. */
  numAfter: number;
}

/**
 * The last answer of a conversation that may be trained on, and the turns before it. Their text as one, for who reads no turns: one question stands
 * as it is, under its system text; with earlier turns each turn is named, `User:` and `Assistant:`, in a block of its own.
 */
export function dialogueOf(turns: readonly Turn[]): Dialogue | NoAnswer {
  if (turns.every(({ role }) => role !== "assistant")) return { problem: "has no answer of an assistant" };
  const last = turns.findLastIndex(({ role, isTrained }) => role === "assistant" && isTrained !== false);
  if (last < 0) return { problem: "has no answer that may be trained on", isLeftOut: true };
  const before = turns.slice(0, last).map(({ role, content }): Message => ({ role, content }));
  const said = before.filter(({ role }) => role !== "system");
  if (!said.some(({ role }) => role === "user")) return { problem: "has no turn of a user before the answer" };
  const system = before
    .filter(({ role, content }) => role === "system" && content.trim() !== "")
    .map(({ content }) => content);
  const isOne = said.length === 1;
  const unlearned = turns
    .slice(0, last)
    .flatMap(({ role, isTrained }, i) => (role === "assistant" && isTrained === false ? [i] : []));
  const written = said.map(({ role, content }) =>
    isOne ? content : `${role === "user" ? "User" : "Assistant"}: ${content}`,
  );
  return {
    prompt: [...system, ...written].join("\n\n"),
    ...(before.length === 1 ? {} : { turns: before }),
    ...(unlearned.length > 0 && { unlearned }),
    answer: (turns[last] as Message).content.trim(),
    text: said.map(({ content }) => content).join("\n"),
    numTurns: said.length + 1,
    numAfter: turns.length - last - 1,
  };
}

/** Stands where a row has no answer yet. */
const UNANSWERED = "?";

/** The prompt of a row in one of the shapes, which need not have its answer: turns that a user's ends are asked as they are. */
export function questionIn(row: Readonly<Record<string, unknown>>): Pick<Example, "prompt" | "turns"> | NoAnswer {
  const refused = contentProblem(row);
  if (refused !== null) return refused;
  const asked = { ...row };
  for (const field of ["output", "completion"]) if (isBlank(row[field])) asked[field] = UNANSWERED;
  const shape = shapeOf(Object.keys(asked));
  if (shape === undefined) return { problem: `no fields of a known shape (${SHAPE_NAMES.join(", ")})` };
  const turns = shape.turns(asked);
  if (!Array.isArray(turns)) return turns;
  // An answer that may not be trained on is asked for all the same.
  const isAnswered = turns.some(({ role, isTrained }) => role === "assistant" && isTrained !== false);
  const isOpen = turns.at(-1)?.role === "user";
  const dialogue = dialogueOf(
    isOpen || !isAnswered
      ? [...turns.slice(0, isOpen ? undefined : -1), { role: "assistant", content: UNANSWERED }]
      : turns,
  );
  if ("problem" in dialogue) return dialogue;
  const { prompt, turns: before } = dialogue;
  return { prompt, ...(before && { turns: before }) };
}

function turnsIn(list: unknown, field: string, keys: TurnKeys, unused: Set<string> = new Set()): Turn[] | NoAnswer {
  const [roleKey, textKey] = keys;
  const found = typeof list === "string" ? jsonIn(list) : list;
  if (found === undefined && typeof list === "string" && list.trim() !== "")
    return { problem: `${field} is a text that is not a JSON list` };
  if (!Array.isArray(found)) return { problem: `${field} is not a list of {${roleKey}, ${textKey}} objects` };
  const turns: Turn[] = [];
  for (const [i, turn] of found.entries()) {
    const { [roleKey]: role, [textKey]: content } = (turn ?? {}) as Record<string, unknown>;
    const known = typeof role === "string" && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
    const place = `turn ${i + 1} of ${field}`;
    if (known === undefined) return { problem: `${place} is by ${JSON.stringify(role) ?? "nobody"}` };
    const isTrained = turnMark(turn, { place, role: known, known: keys, unused });
    if (typeof isTrained === "object") return isTrained;
    const text = contentText(content);
    // An empty system turn is one all the same: a template then leaves out its default system text.
    if (text === undefined || (text.trim() === "" && known !== "system"))
      return { problem: `${place} has no text in ${textKey}` };
    turns.push({ role: known, content: text, ...(isTrained === undefined ? {} : { isTrained }) });
  }
  return turns;
}

/** Text, or OpenAI's list of parts where all are text. */
function contentText(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part: { type?: unknown; text?: unknown } | null) =>
    part?.type === "text" && typeof part.text === "string" ? part.text : undefined,
  );
  return parts.every((part) => part !== undefined) ? parts.join("") : undefined;
}

/** LLaMA-Factory's `history`: pairs of a question and its answer. */
function historyIn(history: unknown): Turn[] | NoAnswer {
  if (history === undefined || history === null || history === "") return [];
  const list = typeof history === "string" ? jsonIn(history) : history;
  if (!Array.isArray(list)) return { problem: "history is not a list of [question, answer] pairs" };
  return joined(
    ...list.map((pair, i) =>
      Array.isArray(pair) && pair.length === 2
        ? joined(one(pair[0], `history ${i + 1}`, "user"), one(pair[1], `history ${i + 1}`, "assistant"))
        : { problem: `history ${i + 1} is not a pair of question and answer` },
    ),
  );
}

function one(value: unknown, field: string, role: Message["role"]): Turn[] | NoAnswer {
  if (value === undefined || value === null) return { problem: `no ${field}` };
  const text = fieldText(value);
  return typeof text === "string" ? [{ role, content: text }] : { problem: `${field} ${text.problem}` };
}

function optional(value: unknown, field: string, role: Message["role"]): Turn[] | NoAnswer {
  return isBlank(value) ? [] : one(value, field, role);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || String(value).trim() === "";
}

function joined(...parts: (Turn[] | NoAnswer)[]): Turn[] | NoAnswer {
  return parts.find((part): part is NoAnswer => !Array.isArray(part)) ?? (parts as Turn[][]).flat();
}

function isList(value: unknown): boolean {
  return Array.isArray(value) || (typeof value === "string" && Array.isArray(jsonIn(value)));
}

function jsonIn(text: string): unknown {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
