/**
 * @file A Modelfile for Ollama beside a GGUF. The chat template becomes one of Ollama's by what it writes: the texts around each turn, found by
 * rendering conversations, and taken only where they put every conversation together again.
 * @source ollama docs/modelfile.md, docs/template.md
 */

import { CheckpointError } from "../../base/errors.ts";
import type { Message } from "../../specs/message.ts";

/**
 * Renders a conversation that a user's turn ends, up to where the answer begins, without what llama.cpp puts in front by itself.
 * @throws turns that the template does not take
 */
export type Render = (turns: readonly Message[]) => string;

type Around = { before: string; after: string };

/** The texts that a chat template puts around turns. */
export interface TemplatePieces {
  /** In front of everything where no system turn comes first. */
  begin: string;
  /** In front of everything where one does; null: the template takes no system turn. */
  beginWithSystem: string | null;
  turns: Record<"user" | "assistant", Around> & { system: Around | null };
  /** In front of the answer. */
  answer: string;
}

const MARKS = {
  system: "SYSTEM-MARK",
  first: "FIRST-MARK",
  reply: "REPLY-MARK",
  second: "SECOND-MARK",
  last: "LAST-MARK",
};

/**
 * What a template writes around turns.
 * @throws {CheckpointError} a template that no such texts describe
 */
export function templatePieces(render: Render): TemplatePieces {
  const user = (content: string): Message => ({ role: "user", content });
  const reply: Message = { role: "assistant", content: MARKS.reply };
  // what stands between turns of three rounds tells a turn's end from the next one's beginning
  const rounds = [user(MARKS.first), reply, user(MARKS.second), reply, user(MARKS.last)];
  const [start, betweenA, betweenB, , , answer] = cutAt(render(rounds), [
    ...[MARKS.first, MARKS.reply, MARKS.second, MARKS.reply, MARKS.last],
  ]) as [string, string, string, string, string, string];
  const close = commonStart(betweenA, answer);
  const userAfter = close;
  const replyBefore = betweenA.slice(close.length);
  const generation = answer.slice(close.length);
  const userBefore = commonEnd(start, betweenB);
  const system = systemPieces(render, userBefore);
  const pieces: TemplatePieces = {
    begin: start.slice(0, start.length - userBefore.length),
    beginWithSystem: system?.begin ?? null,
    turns: {
      user: { before: userBefore, after: userAfter },
      assistant: { before: replyBefore, after: betweenB.slice(0, betweenB.length - userBefore.length) },
      system: system?.around ?? null,
    },
    answer: generation,
  };
  const conversations: Message[][] = [
    [user("How are prices?")],
    rounds,
    [user("One"), { role: "assistant", content: "Two" }, user("Three")],
    ...(system === undefined ? [] : [[{ role: "system", content: "Be brief." } as const, user("Why?")]]),
  ];
  if (conversations.every((turns) => composed(pieces, turns) === render(turns))) return pieces;
  throw cannot("a chat template that writes fixed texts around turns");
}

/** A conversation put together from the pieces. */
export function composed(pieces: TemplatePieces, turns: readonly Message[]): string {
  const begin = turns[0]?.role === "system" ? (pieces.beginWithSystem ?? "") : pieces.begin;
  const texts = turns.map(({ role, content }) => {
    const around = pieces.turns[role];
    return around === null ? "" : around.before + content + around.after;
  });
  return begin + texts.join("") + pieces.answer;
}

function systemPieces(render: Render, userBefore: string): { begin: string; around: Around } | undefined {
  const turns: Message[] = [
    { role: "system", content: MARKS.system },
    { role: "user", content: MARKS.first },
  ];
  let text: string;
  try {
    text = render(turns);
  } catch {
    return undefined;
  }
  if (!text.includes(MARKS.system)) return undefined;
  const [before, between] = cutAt(text, [MARKS.system, MARKS.first]) as [string, string];
  if (!between.endsWith(userBefore)) return undefined;
  return { begin: "", around: { before, after: between.slice(0, between.length - userBefore.length) } };
}

/** A text cut at marks that stand in it in this order. */
function cutAt(text: string, marks: readonly string[]): string[] {
  const parts: string[] = [];
  let rest = text;
  for (const mark of marks) {
    const at = rest.indexOf(mark);
    if (at < 0) throw cannot("a chat template that writes every turn");
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + mark.length);
  }
  return [...parts, rest];
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++;
  return a.slice(0, length);
}

function commonEnd(a: string, b: string): string {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length === 0 ? "" : a.slice(-length);
}

export interface ModelfileFacts {
  /** The GGUF, in the same folder. */
  file: string;
  stops: readonly string[];
  /** Tokens of prompt and answer. */
  contextLen: number;
}

/**
 * The Modelfile.
 * @throws {CheckpointError} texts that the file's quotes or Ollama's templates cannot hold
 */
export function modelfile(pieces: TemplatePieces, { file, stops, contextLen }: ModelfileFacts): string {
  const template = goTemplate(pieces);
  if (template.includes('"""')) throw cannot("a chat template without three quotation marks in a row");
  return [
    `FROM ./${file}`,
    `TEMPLATE """${template}"""`,
    ...stops.map((stop) => `PARAMETER stop ${JSON.stringify(stop)}`),
    `PARAMETER num_ctx ${contextLen}`,
    "",
  ].join("\n");
}

function goTemplate({ begin, beginWithSystem, turns, answer }: TemplatePieces): string {
  const plain = (text: string) => {
    if (text.includes("{{") || text.includes("}}")) throw cannot("a chat template without braces in what it writes");
    return text;
  };
  const turn = ({ before, after }: Around) => `${plain(before)}{{ .Content }}${plain(after)}`;
  const isSystemFirst = 'eq (index .Messages 0).Role "system"';
  const start =
    beginWithSystem === null || begin === beginWithSystem
      ? plain(begin)
      : `{{ if ${isSystemFirst} }}${plain(beginWithSystem)}{{ else }}${plain(begin)}{{ end }}`;
  const cases = [
    ...(turns.system === null ? [] : [["system", turns.system] as const]),
    ...(["user", "assistant"] as const).map((role) => [role, turns[role]] as const),
  ].map(([role, around], i) => `{{ ${i === 0 ? "if" : "else if"} eq .Role "${role}" }}${turn(around)}`);
  return `${start}{{ range .Messages }}${cases.join("")}{{ end }}{{ end }}${plain(answer)}`;
}

function cannot(expected: string): CheckpointError {
  return new CheckpointError({
    place: "Ollama's TEMPLATE",
    expected,
    got: "another",
    remedy:
      "Export with options.to gguf, and write a Modelfile whose TEMPLATE gives what the model's chat_template gives.",
  });
}
