/**
 * @file A small OpenAI-compatible server on the loopback interface that answers well, and badly wherever a test asks for it. It knows nothing;
 * its answer to a prompt is the prompt's last word in capitals, or what a test has it say.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What it may do to a request instead of answering. Used up one by one, by the requests that fit. */
export interface Misdeed {
  /** Part of the body that it fits; absent: any request. */
  match?: string;
  times?: number;
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Sends so many characters of the answer, then drops the connection; with `end`, ends it as if it were whole. */
  cutAfter?: number;
  end?: boolean;
  /** Never answers. */
  hold?: boolean;
  /** Drops the connection at once. */
  hangUp?: boolean;
}

export interface SeenRequest {
  path: string;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
}

export interface ModelServer {
  /** `http://127.0.0.1:port/v1` */
  baseUrl: string;
  /** Every POST so far, refused ones too. */
  seen: SeenRequest[];
  misdeeds: Misdeed[];
  /** The most requests that were open at a time. */
  mostAtOnce(): number;
  close(): Promise<void>;
}

export interface ModelServerOptions {
  /** Needed; absent: none is. */
  apiKey?: string;
  /** Parameters refused as OpenAI's reasoning models do. */
  refuses?: readonly string[];
  /** Answers chats in place of shouting, as any model that is asked for. */
  reply?(prompt: string, model: string): string;
  /** Entries of its list of models; null: it has none. Default: the model and a whisperer, none with `reply`. */
  models?: readonly object[] | null;
  withoutLogprobs?: boolean;
  withoutUsage?: boolean;
  delayMs?: number;
  /** The first requests wait for one another until so many are there. */
  gather?: number;
}

export const MODEL = "shouter";

/** Starts it. */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const seen: SeenRequest[] = [];
  const misdeeds: Misdeed[] = [];
  let open = 0;
  let most = 0;

  let gather = options.gather ?? 0;
  const gathered: (() => void)[] = [];

  const server = createServer(async (req, res) => {
    open++;
    most = Math.max(most, open);
    if (open < gather) await new Promise<void>((resolve) => gathered.push(resolve));
    gather = 0;
    for (const go of gathered.splice(0)) go();
    const pieces: Buffer[] = [];
    for await (const piece of req) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const path = req.url ?? "";
    if (path.startsWith("/v1/models")) {
      open--;
      const { reply, models = reply === undefined ? [{ id: MODEL }, { id: "whisperer" }] : null } = options;
      if (path === "/v1/models" && models !== null) return send(res, 200, { object: "list", data: models });
      return send(res, 404, { error: { message: "Not found", code: "not_found" } });
    }
    const body = text === "" ? {} : JSON.parse(text);
    seen.push({ path, headers: req.headers, body });
    const misdeed = misdeeds.find(({ match = "", times = 1 }) => times > 0 && text.includes(match));
    if (misdeed !== undefined) misdeed.times = (misdeed.times ?? 1) - 1;
    if (options.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.delayMs));
    open--;
    if (misdeed?.hold) return;
    if (misdeed?.hangUp) return void res.destroy();
    if (misdeed?.status !== undefined) return void res.writeHead(misdeed.status, misdeed.headers).end(misdeed.body);
    if (options.apiKey !== undefined && req.headers.authorization !== `Bearer ${options.apiKey}`) {
      const message = `Incorrect API key provided: ${req.headers.authorization}.`;
      return send(res, 401, {
        error: { message, code: "invalid_api_key", type: "invalid_request_error", param: null },
      });
    }
    if (options.reply === undefined && body.model !== MODEL) {
      const message = `The model \`${body.model}\` does not exist or you do not have access to it.`;
      return send(res, 404, {
        error: { message, type: "invalid_request_error", param: null, code: "model_not_found" },
      });
    }
    const refused = options.refuses?.find((name) => name in body);
    if (refused !== undefined) {
      const message = `Unsupported parameter: '${refused}' is not supported with this model.`;
      const error = { message, type: "invalid_request_error", param: refused, code: "unsupported_parameter" };
      return send(res, 400, { error });
    }
    const answer = path === "/v1/chat/completions" ? chatAnswer(body, options.reply) : completionAnswer(body);
    if (options.withoutLogprobs) for (const choice of answer.choices) choice.logprobs = null;
    const whole = misdeed?.body ?? JSON.stringify(options.withoutUsage ? { ...answer, usage: undefined } : answer);
    if (misdeed?.cutAfter === undefined) return send(res, 200, whole);
    res.writeHead(200, {
      "Content-Type": "application/json",
      ...(misdeed.end ? {} : { "Content-Length": whole.length }),
    });
    if (misdeed.end) return void res.end(whole.slice(0, misdeed.cutAfter));
    res.write(whole.slice(0, misdeed.cutAfter), () => setTimeout(() => res.destroy(), 20));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    misdeeds,
    mostAtOnce: () => most,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Body {
  model: string;
  messages: { content: string }[];
  prompt: string;
  logprobs?: boolean | number;
  top_logprobs?: number;
}

interface Answer {
  model: string;
  choices: { finish_reason: string; logprobs: unknown; [key: string]: unknown }[];
  usage: object;
}

/** What it answers. */
export function shout(prompt: string): string {
  return `${prompt.split(" ").at(-1)?.toUpperCase()}!`;
}

function chatAnswer(
  { model, messages, logprobs, top_logprobs = 0 }: Body,
  reply: (prompt: string, model: string) => string = shout,
): Answer {
  const content = reply(messages.at(-1)!.content, model);
  const tokens = [...content].map((token, i) => {
    const top = Array.from({ length: top_logprobs }, (_, k) => ({
      token: `${token}${k}`,
      logprob: -i - k,
      bytes: null,
    }));
    return { token, logprob: -i, bytes: null, top_logprobs: top };
  });
  const choice = { index: 0, message: { role: "assistant", content, refusal: null }, finish_reason: "stop" };
  const choices = [{ ...choice, logprobs: logprobs ? { content: tokens, refusal: null } : null }];
  return { model: `${MODEL}-2024`, choices, usage: usageOf(messages.map((turn) => turn.content).join(""), content) };
}

function completionAnswer({ prompt, logprobs }: Body): Answer {
  const text = shout(prompt);
  const tokens = [...text];
  const lists = {
    tokens,
    token_logprobs: tokens.map((_, i) => -i),
    top_logprobs: tokens.map((token, i) => ({ [token]: -i })),
    text_offset: tokens.map((_, i) => i),
  };
  const choices = [{ index: 0, text, finish_reason: "length", logprobs: logprobs === undefined ? null : lists }];
  return { model: MODEL, choices, usage: usageOf(prompt, text) };
}

/** A token a character. */
function usageOf(prompt: string, answer: string): object {
  const counts = { prompt_tokens: prompt.length, completion_tokens: answer.length };
  return { ...counts, total_tokens: prompt.length + answer.length };
}

function send(res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(typeof value === "string" ? value : JSON.stringify(value));
}
