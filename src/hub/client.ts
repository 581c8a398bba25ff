/**
 * @file HTTP to the hub: redirects followed by hand so that the token stays with its host, waits that the server asks for, retries of what may
 * pass, and answers that are refusals turned into messages.
 */

import { DataError, type MixtuneError, SpecError, WorkerError } from "../base/errors.ts";
import type { HubSettings, RepoKind } from "./types.ts";

export interface ClientOptions {
  settings: HubSettings;
  /** Waits between tries; may reject when the signal fires. */
  sleep(ms: number): Promise<void>;
  /** Stops everything under way. */
  signal?: AbortSignal;
  /** What a person should know while waiting. */
  note?(text: string): void;
  /** A connection without a byte for this long is taken for dead. */
  idleMs?: number;
}

/** What a request is about, for messages. */
export interface Subject {
  kind: RepoKind;
  /** `org/name` or `org/name@revision`. */
  name: string;
  /** A file of the repository. */
  path?: string;
}

/** An answer with status 200 or 206 whose body is read in pieces. */
export interface Answer {
  status: number;
  headers: Headers;
  /** Rejects with {@link Dropped} when the connection ends early or goes silent. */
  chunks(): AsyncGenerator<Uint8Array>;
}

export interface Client {
  /** @throws {SpecError} refused or not there @throws {WorkerError} out of tries @throws {DataError} an answer that makes no sense */
  get(url: string, subject: Subject, headers?: Record<string, string>): Promise<Answer>;
  /** `fetch` for @huggingface/hub: our own {@link get} behind it, bodies limited. */
  fetchFor(subject: Subject): typeof fetch;
  sleepBeforeTry(tries: number): Promise<void>;
  options: ClientOptions;
}

/** A connection that broke: worth another try. */
export class Dropped extends Error {}

/** Tries of one request; the waits between them double. */
export const MAX_TRIES = 5;
const FIRST_WAIT_MS = 500;
/** The longest wait that a server may ask for: the window of the hub's own limits. */
const MAX_ASKED_WAIT_S = 300;
const MAX_REDIRECTS = 10;
const DEFAULT_IDLE_MS = 60_000;
/** Of a list of files or a description: far above the largest known. */
const MAX_JSON_BYTES = 64_000_000;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** @throws {SpecError} an endpoint that is no http(s) address */
export function openClient(options: ClientOptions): Client {
  const endpoint = checkedEndpoint(options.settings.endpoint);
  const sleepBeforeTry = (tries: number) => options.sleep(FIRST_WAIT_MS * 2 ** (tries - 1));

  const get: Client["get"] = async (url, subject, headers = {}) => {
    for (let tries = 1; ; tries++) {
      const outcome = await once(url, headers, endpoint, options);
      if (!(outcome instanceof Dropped)) {
        const { status } = outcome;
        if (status === 200 || status === 206) return outcome;
        if (!PASSING.has(status)) throw refusal(outcome, subject, options.settings);
        const asked = askedWait(outcome.headers);
        if (tries < MAX_TRIES && asked <= MAX_ASKED_WAIT_S) {
          if (asked > 5) options.note?.(`The hub asks to wait ${Math.ceil(asked)} s.`);
          await (asked > 0 ? options.sleep(asked * 1000) : sleepBeforeTry(tries));
          continue;
        }
        throw busy(status, asked, subject);
      }
      if (tries >= MAX_TRIES) throw unreachable(outcome, subject, endpoint);
      await sleepBeforeTry(tries);
    }
  };

  const fetchFor = (subject: Subject): typeof fetch => {
    return async (input, init) => {
      const headers = Object.fromEntries(new Headers(init?.headers).entries());
      for (let tries = 1; ; tries++) {
        const answer = await get(String(input), subject, headers);
        try {
          const body = await collect(answer.chunks(), MAX_JSON_BYTES, subject);
          return new Response(new Uint8Array(body), { status: answer.status, headers: answer.headers });
        } catch (error) {
          if (!(error instanceof Dropped)) throw error;
          if (tries >= MAX_TRIES) throw unreachable(error, subject, endpoint);
          await sleepBeforeTry(tries);
        }
      }
    };
  };
  return { get, fetchFor, sleepBeforeTry, options };
}

/** All pieces in one buffer. @throws {DataError} more than `limit` bytes */
async function collect(chunks: AsyncIterable<Uint8Array>, limit: number, subject: Subject): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of chunks) {
    length += piece.length;
    if (length > limit) {
      throw new DataError({
        place: placeOf(subject),
        expected: `an answer of at most ${limit} bytes`,
        got: "more",
        remedy: "Check HF_ENDPOINT: this is not what a hub answers.",
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** One try: redirects followed, no matter which status is at their end. */
async function once(
  address: string,
  headers: Record<string, string>,
  endpoint: URL,
  { settings, signal, idleMs = DEFAULT_IDLE_MS }: ClientOptions,
): Promise<Answer | Dropped> {
  let url = new URL(address);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const idle = new IdleTimer(idleMs, signal);
    const own = url.origin === endpoint.origin && settings.token !== undefined;
    let response: Response;
    try {
      response = await fetch(url, {
        headers: { ...headers, ...(own ? { Authorization: `Bearer ${settings.token}` } : {}) },
        redirect: "manual",
        signal: idle.signal,
      });
    } catch (cause) {
      idle.stop();
      signal?.throwIfAborted();
      return new Dropped(reasonOf(cause), { cause });
    }
    const location = response.status >= 300 && response.status < 400 ? response.headers.get("Location") : null;
    if (location === null) {
      if (response.ok)
        return { status: response.status, headers: response.headers, chunks: () => read(response, idle, signal) };
      idle.stop();
      await response.body?.cancel().catch(() => {});
      return { status: response.status, headers: response.headers, chunks: async function* () {} };
    }
    idle.stop();
    await response.body?.cancel().catch(() => {});
    const next = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
    if (next === undefined || !/^https?:$/.test(next.protocol)) {
      throw new DataError({
        place: url.host,
        expected: "a redirect to an http or https address",
        got: next === undefined ? "no address" : next.protocol,
        remedy: "Check HF_ENDPOINT.",
      });
    }
    url = next;
  }
  throw new DataError({
    place: endpoint.host,
    expected: `at most ${MAX_REDIRECTS} redirects`,
    got: "more",
    remedy: "Check HF_ENDPOINT.",
  });
}

async function* read(response: Response, idle: IdleTimer, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    if (response.body === null) return;
    for await (const piece of response.body) {
      idle.touch();
      yield piece;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Dropped(reasonOf(cause), { cause });
  } finally {
    idle.stop();
  }
}

/** Aborts what has been silent for too long. */
class IdleTimer {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(ms: number, outer: AbortSignal | undefined) {
    this.timer = setTimeout(() => this.controller.abort(new Error(`no byte for ${ms / 1000} s`)), ms);
    this.signal = outer === undefined ? this.controller.signal : AbortSignal.any([outer, this.controller.signal]);
  }

  touch(): void {
    this.timer.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

function checkedEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "") return url;
  throw new SpecError({
    place: "HF_ENDPOINT",
    expected: "an http or https address without credentials",
    got: url === undefined ? "something else" : url.protocol,
    remedy: "Correct the variable, or unset it for the public hub.",
  });
}

/** Seconds that the server asks to wait; 0 where it does not say. A date counts from the server's own clock. */
function askedWait(headers: Headers): number {
  const after = headers.get("Retry-After");
  if (after !== null && /^\d+$/.test(after.trim())) return Number(after);
  if (after !== null) {
    const seconds = (Date.parse(after) - Date.parse(headers.get("Date") ?? "")) / 1000;
    if (Number.isFinite(seconds)) return Math.max(0, seconds);
  }
  const limit = /;\s*r=0\s*;\s*t=(\d+)/.exec(headers.get("RateLimit") ?? "");
  return limit === null ? 0 : Number(limit[1]);
}

/** What a refusal means; the hub answers 401 for repositories that are not there, so as not to tell which private ones are. */
function refusal({ status, headers }: Answer, subject: Subject, { endpoint, token }: HubSettings): MixtuneError {
  const { kind, name, path } = subject;
  const code = headers.get("X-Error-Code");
  const said = (headers.get("X-Error-Message") ?? "").replace(/[^\x20-\x7e]/g, " ").slice(0, 200);
  const page = `${endpoint}/${kind === "model" ? "" : "datasets/"}${name.split("@")[0]}`;
  const place = placeOf(subject);
  if (code === "GatedRepo" || (status === 403 && code === null)) {
    return new SpecError({
      place,
      expected: `access to the ${kind}`,
      got: `status ${status}: it is gated${said === "" ? "" : ` (${said})`}`,
      remedy:
        token === undefined
          ? `Accept its terms on ${page}, make a token on ${endpoint}/settings/tokens, and set HF_TOKEN to it.`
          : `Accept its terms on ${page} with the account that HF_TOKEN belongs to, and give the token the right to read gated repositories.`,
    });
  }
  if (status === 401 && token !== undefined && code !== "RepoNotFound") {
    return new SpecError({
      place,
      expected: "a token that the hub knows",
      got: "status 401: HF_TOKEN, or the token file in HF_HOME, was refused",
      remedy: `Make a new token on ${endpoint}/settings/tokens and set HF_TOKEN to it, or unset it for what is public.`,
    });
  }
  if (code === "RevisionNotFound") {
    return new SpecError({
      place,
      expected: `a revision of the ${kind}`,
      got: `status ${status}: no such branch, tag or commit`,
      remedy: `Look for it on ${page}, or leave the revision out for main.`,
    });
  }
  if (path !== undefined && (code === "EntryNotFound" || status === 404)) {
    return new SpecError({
      place,
      expected: "a file of the repository",
      got: `status ${status}: no such file`,
      remedy: `Look at the files on ${page}.`,
    });
  }
  if (status === 401 || status === 404) {
    return new SpecError({
      place,
      expected: `a ${kind} on ${endpoint}`,
      got: `status ${status}: none of that name, or a private one`,
      remedy: `${kind === "model" ? "Models are looked up as org/name (a folder starts with ./ or /)" : "Datasets are looked up as org/name"}: check the spelling; for a private one set HF_TOKEN.`,
    });
  }
  return new SpecError({
    place,
    expected: "an answer from the hub",
    got: `status ${status}${said === "" ? "" : ` (${said})`}`,
    remedy: "Check HF_ENDPOINT and HF_TOKEN.",
  });
}

function busy(status: number, asked: number, subject: Subject): WorkerError {
  return new WorkerError({
    place: placeOf(subject),
    expected: "an answer from the hub",
    got: status === 429 ? "status 429: too many requests" : `status ${status}, again and again`,
    remedy:
      asked > 0
        ? `Try again in ${Math.ceil(asked / 60)} minutes; what has arrived is kept. With HF_TOKEN set the limits are higher.`
        : "Try again later; what has arrived is kept.",
  });
}

/** Out of tries. */
export function unreachable(dropped: Dropped, subject: Subject, endpoint: { host: string }): WorkerError {
  return new WorkerError({
    place: placeOf(subject),
    expected: `a connection to ${endpoint.host}`,
    got: dropped.message,
    remedy:
      "Check the network and HF_ENDPOINT, then call again: what has arrived is kept. With HF_HUB_OFFLINE=1 only the cache is used.",
    cause: dropped,
  });
}

export function placeOf({ name, path }: Subject): string {
  return path === undefined ? name : `${name}: ${path}`;
}

/** The innermost reason: `fetch failed` alone says nothing. */
function reasonOf(cause: unknown): string {
  const error = cause as { message?: string; cause?: { code?: string; message?: string } };
  return error.cause?.code ?? error.cause?.message ?? error.message ?? "a broken connection";
}
