/**
 * @file From the turns of a question and an answer to token ids: the model's own chat template, or our plain instruction template for base models.
 * Training, scoring and generation all come through here, so that they see the same tokens.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../base/digest.ts";
import { CheckpointError, DataError } from "../../base/errors.ts";
import { readText } from "../../formats/files.ts";
import type { Message } from "../../specs/message.ts";
import type { AnswerSpec } from "../../specs/types.ts";
import type { Example, Shot, TokenizedExample } from "../types.ts";
import { type EarlierAnswers, earlierAnswers } from "./earlier-answers.ts";
import { type TemplateProgram, templateDamaged, templateProgram } from "./template-program.ts";
import { readJson, type Tokenizer } from "./tokenizers.ts";
import { asked, neighborsMerged, type SaidTurn, systemMerged, turnsOf } from "./turns.ts";

/** How a prompt and an answer become text and how an answer ends. */
export interface PromptTemplate {
  /** `chat`: the model's own; `plain`: ours. */
  name: "chat" | "plain";
  /**
   * A conversation as the model sees it, up to where the answer begins. Turns that the model's template refuses are merged ({@link Merge}).
   * @throws {DataError} a conversation that the template does not take even so
   */
  render(turns: readonly Message[]): string;
  /** What {@link render} merges in a conversation; null: nothing. @throws {DataError} as render */
  mergedIn(turns: readonly Message[]): Merge | null;
  /** Earlier answers of a conversation, where they may be trained on. @throws {DataError} as render */
  answersIn(turns: readonly SaidTurn[]): EarlierAnswers;
  /** The answer as it follows the rendered prompt, without its end-of-turn token. */
  answerText(answer: string): string;
  /** Ids of that text as they follow a rendered prompt; joined to the prompt's they are what the whole text tokenises to. */
  answerIds(answer: string): Int32Array;
  /** Ids in front of every rendered prompt: what the model's tokenizer adds; none for a chat template, which writes its own bos. */
  leadIds: Int32Array;
  /** The token that ends an answer. */
  endOfTurnId: number;
  /** What a user should know about how answers are written: a sentence. */
  note?: string;
  digest: string;
}

/** Where a template takes no system turn, its text stands in the user's turn that follows; where it wants turns to alternate, turns of one role are one. */
export type Merge = "system text" | "turns of one role" | "system text and turns of one role";

/**
 * The template of a model folder: chat_template.jinja, else tokenizer_config.chat_template (of several the one named "default"), else the plain one.
 * @throws {CheckpointError} a template that is too long, does not parse, does not render, or has no recognisable end of turn
 */
export function openTemplate(folder: string, tokenizer: Tokenizer): PromptTemplate {
  const source = templateSource(folder);
  return source === null ? plainTemplate(tokenizer) : chatTemplate(source, folder, tokenizer);
}

/** Tokens that end a written answer: the template's end of a turn, and whatever else ends a text of the model. */
export function endIdsOf(template: PromptTemplate, tokenizer: Tokenizer): number[] {
  return [...new Set([template.endOfTurnId, ...tokenizer.eosIds])];
}

const PLAIN_END = "\nAnswer:";

/**
 * The words of our template for base models: the prompt, a line `Answer:`, a space and the answer; turns one after another, an empty line between
 * them, each user's turn as the model was trained on one.
 */
export const PLAIN_TEXT: Pick<PromptTemplate, "render" | "answerText"> = {
  render: plainTurns,
  answerText: (answer) => ` ${answer}`,
};

function plainTurns(turns: readonly Message[]): string {
  return turns.map(({ role, content }) => PLAIN_TURNS[role](content)).join("");
}

const PLAIN_TURNS: Record<Message["role"], (content: string) => string> = {
  system: (content) => `${content}\n\n`,
  user: (content) => content + PLAIN_END,
  assistant: (content) => `${PLAIN_TEXT.answerText(content)}\n\n`,
};

/**
 * The same words as a chat template, for who reads templates only: a single question is rendered as {@link plainTemplate} renders it, its lead
 * included, and an answer ends the text.
 *
 * @param hasLead  whether the tokenizer puts its bos in front of a text
 * @param last     the last answer: `whole` as it was trained on, with its blank; `bare` without it, for programs that ask a model by what the template
 *   writes in front of an answer. Its blank, at the end of a prompt, would be another token than the one that begins a trained answer.
 */
export function plainJinja(hasLead: boolean, last: "whole" | "bare" = "whole"): string {
  const answer =
    last === "whole"
      ? "{{ ' ' + message['content'] }}{% if loop.last %}{{ eos_token }}{% else %}{{ '\\n\\n' }}{% endif %}"
      : "{% if loop.last %}{{ message['content'] + eos_token }}{% else %}{{ ' ' + (message['content'] | trim) + '\\n\\n' }}{% endif %}";
  return [
    hasLead ? "{{ bos_token }}" : "",
    "{% for message in messages %}",
    "{% if message['role'] == 'user' %}{{ message['content'] + '\\nAnswer:' }}",
    `{% elif message['role'] == 'assistant' %}${answer}`,
    "{% else %}{{ message['content'] + '\\n\\n' }}{% endif %}",
    "{% endfor %}",
  ].join("");
}

/** Our template for base models: {@link PLAIN_TEXT}, then the end-of-text token. */
export function plainTemplate(tokenizer: Tokenizer): PromptTemplate {
  const continued = continuation(tokenizer, PLAIN_END);
  return {
    name: "plain",
    ...PLAIN_TEXT,
    mergedIn: () => null,
    // No token ends an earlier answer there.
    answersIn: (turns) =>
      earlierAnswers({ text: plainTurns(turns), said: turns }, plainTurns, PLAIN_TEXT.answerText, ""),
    answerIds: (answer) => continued(` ${answer}`),
    leadIds: tokenizer.leadIds,
    endOfTurnId: tokenizer.eosId,
    digest: digestOf({ template: "plain", version: 2 }),
  };
}

function chatTemplate(source: string, folder: string, tokenizer: Tokenizer): PromptTemplate {
  const run = templateProgram(source, folder, tokenizer);
  const write = (turns: readonly SaidTurn[]) => written(turns, run);
  // A whole conversation shows what stands between the generation prompt and an answer, and what ends the answer.
  const [question, reply] = ["mixtune question", "mixtune reply"];
  const opened = run(asked(question), true);
  const whole = run([...asked(question), { role: "assistant", content: reply }], false);
  const at = whole.lastIndexOf(reply);
  if (at < 0 || !opened.includes(question)) {
    throw templateDamaged(folder, "a chat template that writes the messages it is given", "one that leaves them out");
  }
  const { between, note, version = 2 } = leadOf(opened, whole.slice(0, at));
  const end = whole.slice(at + reply.length);
  const tag = /<\/([a-z_]+)>/i.exec(between)?.[1];
  const answerText = (answer: string): string => {
    if (tag === undefined || !answer.includes(`</${tag}>`)) return between + answer;
    // An answer with a thought of its own has no empty one in front, and goes on where the generation prompt has opened one.
    if (version === 3) return answer.replace(new RegExp(`^\\s*<${tag}>\\n?`), "");
    const said = run([...asked(question), { role: "assistant", content: answer }], false);
    return said.startsWith(opened) && said.endsWith(end)
      ? said.slice(opened.length, said.length - end.length)
      : between + answer;
  };
  const continued = continuation(tokenizer, opened.slice(opened.lastIndexOf(question) + question.length));
  const endOfTurnId = tokenizer.encode(end).find((id) => tokenizer.specialIds.has(id)) ?? tokenizer.eosId;
  const endOfTurn = endText(end, endOfTurnId, tokenizer);
  return {
    name: "chat",
    render: (turns) => write(turns).text,
    mergedIn: (turns) => write(turns).merged,
    answersIn: (turns) => earlierAnswers(write(turns), (before) => write(before).text, answerText, endOfTurn),
    answerText,
    answerIds: (answer) => continued(answerText(answer)),
    leadIds: new Int32Array(0),
    endOfTurnId,
    ...(note === undefined ? {} : { note }),
    digest: digestOf({ template: source, version }),
  };
}

/**
 * What an answer begins with behind the generation prompt, as the template writes answers of a conversation. A thought that the generation prompt
 * opens and a conversation has not (`<think>`) is closed, so that an answer does not stand inside it.
 * @param opened  ends with the generation prompt
 * @param begun  the conversation up to its answer
 */
function leadOf(opened: string, begun: string): { between: string; note?: string; version?: number } {
  if (begun.startsWith(opened)) return { between: begun.slice(opened.length) };
  let shared = 0;
  while (opened[shared] === begun[shared] && shared < begun.length) shared++;
  const tag = shared === begun.length ? /^\s*<([a-z_]+)>\s*$/i.exec(opened.slice(shared))?.[1] : undefined;
  if (tag !== undefined) {
    const note = `The chat template opens <${tag}> where an answer begins: answers close it first, with </${tag}>.`;
    return { between: `\n</${tag}>\n\n`, note, version: 3 };
  }
  const note =
    "The chat template's generation prompt is not the beginning of the conversation that it writes: answers stand right behind the generation " +
    "prompt. Other programs may train on other tokens there.";
  return { between: "", note };
}

/** The beginning of what stands behind an answer, up to the token that ends it; nothing where that token is not there. */
function endText(closed: string, endOfTurnId: number, tokenizer: Tokenizer): string {
  for (let length = 1; length <= closed.length; length++) {
    const text = closed.slice(0, length);
    if (tokenizer.encode(text).includes(endOfTurnId)) return text;
  }
  return "";
}

/** Ways to write a conversation: as it is, else with the least that has to be merged. */
const WAYS: readonly { merged: Merge | null; turns(turns: readonly SaidTurn[]): readonly SaidTurn[] }[] = [
  { merged: null, turns: (turns) => turns },
  { merged: "turns of one role", turns: neighborsMerged },
  { merged: "system text", turns: systemMerged },
  { merged: "system text and turns of one role", turns: (turns) => neighborsMerged(systemMerged(turns)) },
];

function written(
  turns: readonly SaidTurn[],
  run: TemplateProgram,
): { text: string; merged: Merge | null; said: readonly SaidTurn[] } {
  let refusal: unknown;
  for (const { merged, turns: change } of WAYS) {
    const changed = change(turns);
    if (merged !== null && changed === turns) continue;
    try {
      const text = run(changed, true);
      if (changed.every(({ role, content }) => role !== "system" || text.includes(content.trim())))
        return { text, merged, said: changed };
      refusal ??= "the system text is left out";
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      refusal ??= error.got;
    }
  }
  throw new DataError({
    place: "a conversation",
    expected: "turns that the model's chat template takes",
    got: String(refusal),
    remedy: "Change its turns, use another model, or set on_bad_row: skip.",
  });
}

/**
 * Ids of texts as they follow `before`. Tokenised alone a text may begin with a blank that its tokenizer puts in front of every one (Llama 2,
 * Phi-3). Where a token would span both, it is tokenised alone all the same: prompts and answers are joined as ids.
 */
function continuation(tokenizer: Tokenizer, before: string): (text: string) => Int32Array {
  const head = tokenizer.encode(before);
  return (text) => {
    const whole = tokenizer.encode(before + text);
    return head.every((id, i) => whole[i] === id) ? whole.subarray(head.length) : tokenizer.encode(text);
  };
}

/**
 * Text of a model folder's own chat template; null where it has none.
 * @throws {CheckpointError} several of which none is the default
 */
export function templateSource(folder: string): string | null {
  const own = join(folder, "chat_template.jinja");
  if (existsSync(own)) return readText(own);
  const field = readJson(folder, "tokenizer_config.json")?.chat_template ?? null;
  if (field === null || typeof field === "string") return field;
  const named = new Map<unknown, unknown>(
    Array.isArray(field) ? field.map((one) => [one?.name, one?.template]) : Object.entries(field),
  );
  const source = named.get("default");
  if (typeof source === "string") return source;
  throw templateDamaged(
    folder,
    'a chat template, of several one named "default"',
    [...named.keys()].join(", ") || "none",
  );
}

/**
 * An example as token ids: rendered prompt and answer are tokenised apart and joined, the answer ends with the end-of-turn token.
 * A document has no prompt (but the ids its tokenizer puts in front) and ends with the end-of-text token.
 *
 * @throws {DataError} an answer of which nothing is left as tokens
 */
export function tokenizeExample(
  example: Example,
  { answer, shots }: { answer: AnswerSpec; shots?: readonly Shot[] },
  tokenizer: Tokenizer,
  template: PromptTemplate,
): TokenizedExample {
  if (answer.kind === "document") {
    const text = tokenizer.encode(example.answer);
    if (text.length === 0) throw noTokens(example.id, "a document");
    return { id: example.id, prompt: tokenizer.leadIds, answer: joined(text, [tokenizer.eosId]) };
  }
  const words = template.answerIds(example.answer);
  if (example.answer.trim() === "" || words.length === 0) throw noTokens(example.id, "an answer");
  return {
    id: example.id,
    prompt: joined(template.leadIds, tokenizer.encode(template.render(turnsOf(example, shots)))),
    answer: joined(words, [template.endOfTurnId]),
  };
}

/**
 * The labels of a task as they follow a prompt, each with its end-of-turn token, in the order given.
 * @throws {DataError} a label without tokens, or two labels that are the same tokens
 */
export function tokenizeLabels(labels: readonly string[], template: PromptTemplate): Int32Array[] {
  const all = labels.map((label) => {
    const words = template.answerIds(label);
    if (label.trim() === "" || words.length === 0) throw noTokens(`label "${label}"`, "a label");
    return joined(words, [template.endOfTurnId]);
  });
  const seen = new Map<string, string>();
  for (const [i, ids] of all.entries()) {
    const twin = seen.get(ids.join());
    if (twin !== undefined) {
      throw new DataError({
        place: `label "${labels[i]}"`,
        expected: "labels that the tokenizer can tell apart",
        got: `the same tokens as "${twin}"`,
        remedy: "Rename one of the two labels.",
      });
    }
    seen.set(ids.join(), labels[i] as string);
  }
  return all;
}

function noTokens(place: string, what: string): DataError {
  return new DataError({
    place,
    expected: `${what} with at least one token`,
    got: "nothing but white space",
    remedy: "Fill it in, remove the row, or set on_bad_row: skip.",
  });
}

function joined(head: ArrayLike<number>, tail: ArrayLike<number>): Int32Array {
  const out = new Int32Array(head.length + tail.length);
  out.set(head);
  out.set(tail, head.length);
  return out;
}
