/** @file A chat template as a program from outside: parsed once, run within limits. It sees what transformers' apply_chat_template shows it, but for the clock. */

import { createContext, Script } from "node:vm";
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { CheckpointError } from "../../base/errors.ts";
import type { Message } from "../../specs/message.ts";
import type { Tokenizer } from "./tokenizers.ts";

/** Longest template accepted, in characters: ten times the longest that a known model ships. */
const MAX_TEMPLATE_CHARS = 200_000;
/** Longest text a template may make of one prompt beyond the prompt itself. */
const MAX_ADDED_CHARS = 200_000;
/** Milliseconds that parsing or one rendering may take; a template is a program from outside and may loop. */
const TIME_LIMIT_MS = 1000;

/** @throws {CheckpointError} messages that the template refuses, or that it does not render within the limits */
export type TemplateProgram = (turns: readonly Message[], addGenerationPrompt: boolean) => string;

/**
 * The template as a function; it sees the messages and the names of the special tokens, not the clock, so that a prompt is the same every day.
 * @throws {CheckpointError} a template that is too long, does not parse in time, or has a step that is not reproduced
 */
export function templateProgram(
  source: string,
  folder: string,
  { spellings }: Pick<Tokenizer, "spellings">,
): TemplateProgram {
  if (source.length > MAX_TEMPLATE_CHARS) {
    throw templateDamaged(folder, `a chat template of at most ${MAX_TEMPLATE_CHARS} characters`, `${source.length}`);
  }
  const limited = timeLimited();
  let program: Program;
  try {
    // Jinja reads every kind of line end as one.
    const text = source.replace(/\r\n?/g, "\n");
    program = limited(() => parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true })));
  } catch (cause) {
    throw templateDamaged(folder, "a chat template that can be parsed", messageOf(cause), cause);
  }
  if (losesText(program.body, false)) {
    const got = "a loop that is left by break or continue behind a text that it has written";
    throw templateDamaged(folder, "a chat template whose steps can be reproduced", got);
  }
  const constants = {
    ...{ true: true, false: false, none: null, True: true, False: false, None: null },
    ...{ tools: null, documents: null }, // as there where none are given
    range: boundedRange,
    raise_exception: (message: string) => {
      throw new Error(message);
    },
    ...spellings,
  };
  return (messages, addGenerationPrompt) => {
    const env = new Environment();
    const variables = { ...constants, messages, add_generation_prompt: addGenerationPrompt };
    for (const [key, value] of Object.entries(variables)) env.set(key, value);
    const given = messages.reduce((sum, { content }) => sum + content.length, 0);
    const most = given * 2 + MAX_ADDED_CHARS;
    let text: string;
    try {
      text = limited(() => (bounded(new Interpreter(env), most).run(program) as { value: string }).value);
    } catch (cause) {
      const got = messageOf(cause);
      const wantsClock = got.startsWith("Cannot call") && /\bstrftime_now\s*\(/.test(source);
      throw templateDamaged(
        folder,
        "a chat template that renders the messages it is given",
        wantsClock ? "a call of strftime_now, which is not there: prompts would be others every day" : got,
        cause,
      );
    }
    if (text.length <= most) return text;
    throw templateDamaged(folder, `at most ${MAX_ADDED_CHARS} characters around a message`, `${text.length} in all`);
  };
}

export function templateDamaged(folder: string, expected: string, got: string, cause?: unknown): CheckpointError {
  return new CheckpointError({
    place: `${folder}: chat template`,
    expected,
    got,
    remedy: "Use a model whose chat template takes a user's turn followed by an answer, or remove the template.",
    cause,
  });
}

type Program = ReturnType<typeof parse>;
type Statement = Program["body"][number];

const SILENT: ReadonlySet<string> = new Set(["Set", "Macro", "Comment", "Break", "Continue"]);

/** Statements inside one. */
function insideOf(node: Statement): Statement[] {
  const { body = [], alternate = [], defaultBlock = [] } = node as Statement & Record<string, Statement[] | undefined>;
  return [...body, ...alternate, ...defaultBlock];
}

function writes(node: Statement): boolean {
  if (node.type === "If" || node.type === "For") return insideOf(node).some(writes);
  return !SILENT.has(node.type);
}

/**
 * Whether a loop would lose text: where break or continue leaves it in the middle, the library drops what that round has written.
 * @param isWritten  whether text of the round stands before these statements
 */
function losesText(statements: readonly Statement[], isWritten: boolean): boolean {
  return statements.some((node, i) => {
    const isBehindText = isWritten || statements.slice(0, i).some(writes);
    if (node.type === "Break" || node.type === "Continue") return isBehindText;
    return losesText(insideOf(node), node.type === "If" && isBehindText);
  });
}

/** An interpreter that makes no text or list above a length: what a template doubles again and again would fill the memory. */
function bounded(interpreter: Interpreter, most: number): Interpreter {
  const evaluate = interpreter.evaluate.bind(interpreter);
  interpreter.evaluate = (...step: Parameters<typeof evaluate>) => {
    const made = evaluate(...step);
    const { value } = made as { value: unknown };
    const length = typeof value === "string" || Array.isArray(value) ? value.length : 0;
    if (length > most) throw new Error(`a text or list of ${length}, more than ${most}`);
    return made;
  };
  return interpreter;
}

/** Runs functions with a time limit, by way of node:vm, which can stop a loop that never returns. */
function timeLimited() {
  const context: { job: (() => unknown) | null } = { job: null };
  createContext(context);
  const script = new Script("job()");
  return <T>(job: () => T): T => {
    context.job = job;
    return script.runInContext(context, { timeout: TIME_LIMIT_MS }) as T;
  };
}

function boundedRange(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= 10_000)) throw new Error(`range of ${length} numbers is too long`);
  return Array.from({ length }, (_, i) => from + i * step);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
