/**
 * @file The one way out to a hosted model: OpenAI's client, with a fetch of our own behind it that sends only the headers needed, follows no
 * redirect, reads a limited and whole body, and takes the key out of whatever comes back. It tries once; retries live in ask.ts.
 */

import type OpenAI from "openai";
import { SpecError } from "../../base/errors.ts";
import type { HostedSettings } from "./settings.ts";
import type { RequestBody } from "./wire.ts";

/** What a server says of a request that it refuses; each server has its own way of filling this in. */
export interface Complaint {
  message: string;
  code: string;
  type: string;
  param: string;
}

/** How one try ended. */
export type Outcome =
  | { kind: "answered"; body: unknown }
  | { kind: "refused"; status: number; headers: Headers; complaint: Complaint }
  /** Answered with another address. */
  | { kind: "redirected"; status: number; to: string }
  /** No whole answer: the connection, the time or the JSON ended early. It may have been billed. */
  | { kind: "dropped"; reason: string };

export interface Endpoint {
  /** Where it leads, for messages: a host. */
  host: string;
  post(body: Record<string, unknown> | RequestBody): Promise<Outcome>;
  /** Anything else that OpenAI's client can ask. */
  ask(request: (client: OpenAI) => Promise<unknown>): Promise<Outcome>;
  /** Names of the models behind it; empty where it does not tell. */
  listModels(): Promise<string[]>;
}

/** Far above the longest answer with log-probabilities. */
const MAX_BODY_BYTES = 32_000_000;
/** Shorter keys are placeholders of servers that want any word, and may stand in an honest answer. */
const MIN_SECRET_LENGTH = 12;

type Settings = Pick<HostedSettings, "baseUrl" | "api" | "apiKey" | "organisation" | "timeoutMs">;

/** Opens the way to an endpoint; nothing is sent yet. @throws {SpecError} an address or a key that cannot be used */
export function openEndpoint({ baseUrl, api, apiKey, organisation, timeoutMs }: Settings): Endpoint {
  const url = checkedUrl(baseUrl);
  const headers = headersOf(url.host, apiKey, organisation);
  const { "Content-Type": _json, ...formHeaders } = headers;
  const redact = (text: string) =>
    apiKey !== undefined && apiKey.length >= MIN_SECRET_LENGTH ? text.replaceAll(apiKey, "[key]") : text;

  const ownFetch: typeof fetch = async (input, init) => {
    // OpenAI's own headers are not sent: they tell operating system and runtime, and may come from the environment.
    const response = await fetch(String(input), {
      method: init?.method ?? "GET",
      // A form names its own type, with the boundary between its parts.
      headers: init?.body instanceof FormData ? formHeaders : headers,
      redirect: "manual",
      ...(init?.body == null ? {} : { body: init.body }),
      ...(init?.signal == null ? {} : { signal: init.signal }),
    });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new Unanswered({ kind: "redirected", status: response.status, to: hostIn(response, url) });
    }
    const text = redact(await textOf(response));
    const body = jsonIn(text);
    if (!response.ok) throw refused(response.status, response.headers, complaintIn(body, text));
    if (body === undefined)
      throw dropped(`an answer that is no whole JSON: ${text === "" ? "nothing" : excerpt(text)}`);
    if (hasError(body)) {
      const complaint = complaintIn(body, text);
      throw refused(/^[45]\d\d$/.test(complaint.code) ? Number(complaint.code) : 502, response.headers, complaint);
    }
    return new Response(text, { headers: { "Content-Type": "application/json" } });
  };

  // The client looks whether forms can be sent by a request of its own where it does not find this.
  Object.assign(ownFetch, { Response });

  let opened: OpenAI | undefined;
  const outcomeOf = async (ask: (client: OpenAI) => Promise<unknown>): Promise<Outcome> => {
    // Loaded when the first request is sent: the package is large.
    const { APIConnectionError, APIConnectionTimeoutError, OpenAI: Client } = await import("openai");
    opened ??= new Client({ ...CLIENT_OPTIONS, baseURL: baseUrl, timeout: timeoutMs, fetch: ownFetch });
    try {
      return { kind: "answered", body: await ask(opened) };
    } catch (error) {
      if (error instanceof APIConnectionTimeoutError) {
        return { kind: "dropped", reason: `no whole answer within ${timeoutMs / 1000} s` };
      }
      if (!(error instanceof APIConnectionError)) throw error;
      return error.cause instanceof Unanswered
        ? error.cause.outcome
        : { kind: "dropped", reason: reasonOf(error.cause) };
    }
  };
  return {
    host: url.host,
    post: (body) =>
      outcomeOf(({ chat, completions }) =>
        api === "chat"
          ? chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming)
          : completions.create(body as unknown as OpenAI.CompletionCreateParamsNonStreaming),
      ),
    ask: outcomeOf,
    async listModels() {
      const outcome = await outcomeOf(async ({ models }) => (await models.list()).data);
      if (outcome.kind !== "answered" || !Array.isArray(outcome.body)) return [];
      return outcome.body.map((entry) => entry?.id).filter((id): id is string => typeof id === "string");
    },
  };
}

/** What is not given here, the package takes from the environment. The key stands in our own headers. */
const CLIENT_OPTIONS = {
  apiKey: "in our own headers",
  adminAPIKey: null,
  organization: null,
  project: null,
  webhookSecret: null,
  maxRetries: 0,
  logLevel: "off",
} as const;

/** Carries an outcome through OpenAI's client. The message says nothing, because the client looks for words in it. */
class Unanswered extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super("unanswered");
    this.outcome = outcome;
  }
}

function dropped(reason: string): Unanswered {
  return new Unanswered({ kind: "dropped", reason });
}

function refused(status: number, headers: Headers, complaint: Complaint): Unanswered {
  return new Unanswered({ kind: "refused", status, headers, complaint });
}

function checkedUrl(baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const isPlain = url !== undefined && url.username === "" && url.password === "" && url.search === "";
  if (isPlain && /^https?:$/.test(url.protocol)) return url;
  throw new SpecError({
    place: "base URL",
    expected: "an http or https address without credentials and question mark, as https://host/v1",
    // Not the address itself: a key may stand in it.
    got: url === undefined ? "something else" : /^https?:$/.test(url.protocol) ? "one with them" : url.protocol,
    remedy: "Correct options.baseUrl or OPENAI_BASE_URL; keys belong into OPENAI_API_KEY.",
  });
}

function headersOf(host: string, apiKey: string | undefined, organisation: string | undefined): Record<string, string> {
  for (const [name, value] of Object.entries({ OPENAI_API_KEY: apiKey, OPENAI_ORG_ID: organisation })) {
    if (value === undefined || /^[\x21-\x7e]+$/.test(value)) continue;
    throw new SpecError({
      place: name,
      expected: `what ${host} takes in a header: printable ASCII without blanks`,
      got: "other characters, or nothing",
      remedy: "Set it again without quotes, blanks and line breaks, or unset it.",
    });
  }
  return {
    Accept: "application/json",
    "Content-Type": "application/json",
    "User-Agent": "mixtune",
    ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
    ...(organisation === undefined ? {} : { "OpenAI-Organization": organisation }),
  };
}

function hostIn(response: Response, from: URL): string {
  const location = response.headers.get("Location") ?? "";
  return URL.canParse(location, from.href) ? new URL(location, from).origin : "an address that is none";
}

async function textOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > MAX_BODY_BYTES) throw dropped(`an answer of more than ${MAX_BODY_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Some servers complain with status 200. A fine-tuning job that failed says so in its own `error`. */
function hasError(body: unknown): boolean {
  const { error, choices, object } = (body ?? {}) as { error?: unknown; choices?: unknown; object?: unknown };
  return error !== undefined && error !== null && choices === undefined && object !== "fine_tuning.job";
}

/** `{error: {…}}` as OpenAI has it, `{error: "…"}`, or flat as older vLLM; else the text itself. */
function complaintIn(body: unknown, text: string): Complaint {
  const { error } = (body ?? {}) as { error?: unknown };
  const found = typeof error === "string" ? { message: error } : (error ?? body);
  const { message, code, type, param, detail } = (typeof found === "object" ? (found ?? {}) : {}) as Record<
    string,
    unknown
  >;
  const said = message ?? detail;
  const asText = (value: unknown) => (typeof value === "string" || typeof value === "number" ? String(value) : "");
  return {
    message: excerpt(said === undefined ? text : typeof said === "string" ? said : JSON.stringify(said)),
    code: asText(code),
    type: asText(type),
    param: asText(param),
  };
}

/** One short line of printable characters. */
function excerpt(text: string): string {
  const line = text
    .slice(0, 2000)
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim();
  return line.length <= 300 ? line : `${line.slice(0, 300)}…`;
}

/** The innermost reason: `fetch failed` alone says nothing. */
function reasonOf(error: unknown): string {
  const { message, cause } = (error ?? {}) as { message?: string; cause?: { code?: string; message?: string } };
  // ECONNREFUSED is a word that people look up; UND_ERR_SOCKET is not.
  if (/^E[A-Z]+$/.test(cause?.code ?? "")) return cause?.code as string;
  return cause?.message || message || "a broken connection";
}
