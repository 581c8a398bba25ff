import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type Misdeed,
  MODEL,
  type ModelServer,
  type ModelServerOptions,
  shout,
  startModelServer,
} from "../../../test/support/model-server.ts";
import { DataError, MixtuneError, SpecError, WorkerError } from "../../base/errors.ts";
import { estimateCost } from "./estimate.ts";
import { type HostedModel, openHostedModel } from "./hosted-model.ts";
import type { HostedSettings } from "./settings.ts";
import { type HostedRequest, TOO_LONG } from "./types.ts";

const ROOT = join(import.meta.dirname, "../../..");
const KEY = "sk-test-0123456789-do-not-tell";

let server: ModelServer;
let cacheFolder: string;
let now: number;
let waits: number[];
let notes: string[];
let fired: AbortController;
/** Everything that any test got to read: no key may stand in it. */
const read: string[] = [];

beforeEach(async () => {
  server = await startModelServer();
  cacheFolder = mkdtempSync(join(tmpdir(), "mixtune-hosted-"));
  now = Date.UTC(2026, 0, 1);
  waits = [];
  notes = [];
  fired = new AbortController();
});
afterEach(async () => {
  await server.close();
  for (const path of filesIn(cacheFolder)) read.push(path, readFileSync(path, "utf8"));
  read.push(...notes);
  rmSync(cacheFolder, { recursive: true });
});
afterAll(() => {
  const traces = /sk-test-0123|do-not-tell/;
  expect(KEY).toMatch(traces);
  expect(read).not.toEqual([]);
  expect(read.join("\n")).not.toMatch(traces);
});

function open(settings: Partial<HostedSettings> = {}): HostedModel {
  return openHostedModel({
    ...{ baseUrl: server.baseUrl, model: MODEL, api: "chat", apiKey: KEY, cacheFolder, budget: {} },
    ...{ concurrency: 1, timeoutMs: 5000, maxRetries: 3, clock: () => now, random: () => 0 },
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      waits.push(ms);
      now += ms;
    },
    signal: fired.signal,
    note: (text) => notes.push(text),
    ...settings,
  });
}

async function restart(options: ModelServerOptions): Promise<void> {
  await server.close();
  server = await startModelServer(options);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const ask = (word: string, more: Partial<HostedRequest> = {}): HostedRequest => {
  return { id: `row ${word}`, prompt: `Shout ${word}`, maxTokens: 20, ...more };
};
const some = (n: number) => Array.from({ length: n }, (_, i) => ask(`w${i}`));
const textsOf = async (model: HostedModel, requests: HostedRequest[]) =>
  (await model.answer(requests)).map(({ text }) => text);

/** The error of some work, with its words kept for the search for keys. */
async function errorOf(work: Promise<unknown>): Promise<MixtuneError> {
  const error = await work.then(
    () => expect.unreachable("it should have failed"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MixtuneError);
  const { message, stack, cause } = error as MixtuneError;
  read.push(message, stack ?? "", JSON.stringify(error), String(cause));
  expect(cause).toBeUndefined();
  return error as MixtuneError;
}

describe("a server that answers well", () => {
  test("is sent OpenAI's names, and nothing that it need not know", async () => {
    const turns = [
      { role: "system", content: "Shout." },
      { role: "user", content: "say go" },
    ] as const;
    const request = ask("x", { prompt: turns, stop: ["\n"], seed: 7, topLogprobs: 2 });
    const [answer] = await open({ organisation: "org-1" }).answer([request]);
    expect(server.seen).toHaveLength(1);
    const { path, body, headers } = server.seen[0]!;
    expect(path).toBe("/v1/chat/completions");
    expect(body).toEqual({
      model: MODEL,
      messages: [
        { role: "system", content: "Shout." },
        { role: "user", content: "say go" },
      ],
      max_tokens: 20,
      temperature: 0,
      stop: ["\n"],
      seed: 7,
      logprobs: true,
      top_logprobs: 2,
    });
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(headers["openai-organization"]).toBe("org-1");
    expect(Object.keys(headers).filter((name) => name.startsWith("x-"))).toEqual([]);
    expect(headers["user-agent"]).toBe("mixtune");
    expect(answer).toEqual({
      text: "GO!",
      finish_reason: "stop",
      usage: { prompt_tokens: 12, completion_tokens: 3 },
      logprobs: ["G", "O", "!"].map((token, i) => {
        return { token, logprob: 0 - i, top: [0, 1].map((k) => ({ token: `${token}${k}`, logprob: 0 - i - k })) };
      }),
      model: "shouter-2024",
      left_out: [],
    });
  });

  test("continues texts too", async () => {
    const [answer] = await open({ api: "completions" }).answer([ask("go", { topLogprobs: 1 })]);
    expect(server.seen[0]).toMatchObject({ path: "/v1/completions", body: { prompt: "Shout go", logprobs: 1 } });
    expect(answer!.text).toBe("GO!");
    expect(answer!.logprobs!.map(({ token, logprob }) => [token, logprob])).toEqual([
      ["G", 0],
      ["O", -1],
      ["!", -2],
    ]);
  });

  test("keeps order and tells of answers as they come, so many at a time", async () => {
    await restart({ delayMs: 15, gather: 5 });
    const requests = some(23);
    const done: number[] = [];
    const model = open({ concurrency: 5 });
    const answers = await model.answer(requests, async (answer, index) => {
      await null;
      expect(answer.text).toBe(`W${index}!`);
      done.push(index);
    });
    expect(answers.map(({ text }) => text)).toEqual(requests.map(({ prompt }) => shout(prompt as string)));
    expect(done.toSorted((a, b) => a - b)).toEqual(requests.map((_, i) => i));
    expect(server.mostAtOnce()).toBe(5);
    expect(model.spent()).toMatchObject({ requests: 23, answers: 23, cached: 0 });
  });

  test("is sent equal requests once", async () => {
    const model = open({ concurrency: 4 });
    expect(await textsOf(model, [ask("a"), ask("a"), ask("b"), ask("a")])).toEqual(["A!", "A!", "B!", "A!"]);
    expect(server.seen).toHaveLength(2);
    expect(model.spent()).toMatchObject({ answers: 2, cached: 2 });
  });

  test("without a key gets none", async () => {
    const { apiKey: _, ...rest } = { apiKey: KEY };
    const model = openHostedModel({
      ...{ baseUrl: server.baseUrl, model: MODEL, api: "chat", cacheFolder, budget: {}, concurrency: 1 },
      ...{ timeoutMs: 5000, maxRetries: 0, clock: () => now, random: () => 0, sleep: async () => {}, ...rest },
    });
    await model.answer(some(1));
    expect(server.seen[0]!.headers.authorization).toBeUndefined();
  });

  test("has its answers cut at stop strings that it did not apply", async () => {
    const [answer] = await open().answer([ask("stopping", { stop: ["z", "PP", "NG"] })]);
    expect(answer).toMatchObject({ text: "STO", finish_reason: "stop" });
  });
});

describe("the environment", () => {
  test("adds no header and no key of its own, whatever OpenAI's package reads from it", async () => {
    const variables = { OPENAI_CUSTOM_HEADERS: "X-Spy: 1\nAuthorization: Bearer spy", OPENAI_ADMIN_KEY: "spy" };
    const more = { OPENAI_ORG_ID: "spy", OPENAI_PROJECT_ID: "spy", OPENAI_BASE_URL: "http://127.0.0.1:1/spy" };
    Object.assign(process.env, variables, more);
    try {
      await open().answer(some(1));
    } finally {
      for (const name of Object.keys({ ...variables, ...more })) delete process.env[name];
    }
    expect(JSON.stringify(server.seen[0]!.headers)).not.toContain("spy");
  });
});

describe("what passes is tried again", () => {
  const MINUTE_LATER = "Thu, 01 Jan 2026 00:01:00 GMT";

  test.each<[string, Misdeed, number[]]>([
    ["429 with seconds", { status: 429, headers: { "Retry-After": "7" } }, [7000]],
    ["429 with milliseconds", { status: 429, headers: { "retry-after-ms": "250" } }, [250]],
    [
      "429 with a date of the server's clock",
      { status: 429, headers: { "Retry-After": MINUTE_LATER, Date: "Thu, 01 Jan 2026 00:00:18 GMT" } },
      [42_000],
    ],
    ["429 that says nothing", { status: 429 }, [500]],
    ["500, twice", { status: 500, times: 2, body: '{"error":{"message":"oops"}}' }, [500, 1000]],
    ["503 with seconds", { status: 503, headers: { "Retry-After": "2" }, body: "busy" }, [2000]],
    ["408", { status: 408 }, [500]],
    ["409", { status: 409 }, [500]],
    ["a connection dropped at once", { hangUp: true }, [500]],
    ["a connection dropped in the middle", { cutAfter: 50 }, [500]],
    ["JSON that ends in the middle", { cutAfter: 50, end: true }, [500]],
    ["a page in place of JSON", { status: 200, body: "<html>busy</html>" }, [500]],
    [
      "JSON without an answer",
      { status: 200, headers: { "Content-Type": "application/json" }, body: '{"choices":[]}' },
      [500],
    ],
    [
      "an answer that a router calls an error",
      { body: '{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}', cutAfter: 99, end: true },
      [500],
    ],
    ["an error with status 200", { status: 200, body: '{"error":{"message":"overloaded","code":502}}' }, [500]],
  ])("%s", async (_, misdeed, expected) => {
    server.misdeeds.push(misdeed);
    const model = open();
    expect(await textsOf(model, [ask("go")])).toEqual(["GO!"]);
    expect(waits).toEqual(expected);
    expect(server.seen).toHaveLength(expected.length + 1);
    expect(model.spent()).toMatchObject({ requests: expected.length + 1, answers: 1 });
  });

  test("a server without a clock of its own: its date counts from ours", async () => {
    // node:http writes a Date of its own unless it is told not to.
    const { askedWaitMs } = await import("./waits.ts");
    expect(askedWaitMs(new Headers({ "Retry-After": MINUTE_LATER }), Date.UTC(2026, 0, 1))).toBe(60_000);
    expect(askedWaitMs(new Headers({ "Retry-After": MINUTE_LATER }), Date.UTC(2027, 0, 1))).toBe(0);
    expect(askedWaitMs(new Headers({ "Retry-After": "soon" }), 0)).toBe(0);
  });

  test("an answer that takes too long", async () => {
    server.misdeeds.push({ hold: true });
    expect(await textsOf(open({ timeoutMs: 200 }), [ask("go")])).toEqual(["GO!"]);
    expect(waits).toEqual([500]);
  });

  test("an answer that begins in time and never ends", async () => {
    await server.close();
    const { createServer } = await import("node:http");
    const slow = createServer((_, res) => {
      res.writeHead(200, { "Content-Type": "application/json" });
      res.write('{"choices": [');
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const { port } = slow.address() as { port: number };
    const model = open({ baseUrl: `http://127.0.0.1:${port}/v1`, timeoutMs: 200, maxRetries: 0 });
    const error = await errorOf(model.answer(some(1)));
    expect(error.message).toMatch(/got no whole answer within 0\.2 s, once\./);
    slow.closeAllConnections();
    slow.close();
  });

  test("with waits that double, are shortened by chance, and end", async () => {
    server.misdeeds.push({ status: 500, times: 99 });
    const error = await errorOf(open({ maxRetries: 8, random: () => 0.5 }).answer(some(1)));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toMatch(/expected an answer, got status 500, 9 times\.\n {2}Start again later/);
    expect(waits).toEqual([375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500]);
    expect(server.seen).toHaveLength(9);
    expect(notes[0]).toMatch(/trying again in 6 s/);
  });

  test("as long as others are answered in the meantime, without end", async () => {
    server.misdeeds.push({ match: "w0", status: 429, times: 12 });
    const requests = some(40);
    const texts = await textsOf(open({ concurrency: 2, maxRetries: 2 }), requests);
    expect(texts).toEqual(requests.map(({ prompt }) => shout(prompt as string)));
  });

  test("and what one request is asked to wait, all wait", async () => {
    server.misdeeds.push({ match: "w0", status: 429, headers: { "Retry-After": "30" } });
    const asleep: { ms: number; wake: () => void }[] = [];
    const sleep = (ms: number) => new Promise<void>((wake) => asleep.push({ ms, wake }));
    const work = open({ concurrency: 2, sleep }).answer(some(5));
    await vi.waitFor(() => expect(asleep.map(({ ms }) => ms)).toEqual([30_000, 30_000]));
    const numSeen = server.seen.length;
    now += 30_000;
    for (const { wake } of asleep) wake();
    await work;
    expect(numSeen).toBeLessThan(5);
    expect(asleep).toHaveLength(2);
  });

  test("by many at a time, without a warning from Node", async () => {
    const warnings: string[] = [];
    const listen = ({ message }: Error) => void warnings.push(message);
    process.on("warning", listen);
    server.misdeeds.push({ status: 429, headers: { "retry-after-ms": "50" }, times: 20 });
    const sleep: HostedSettings["sleep"] = (ms, signal) => delay(ms, undefined, { signal });
    await open({ concurrency: 20, clock: Date.now, sleep }).answer(some(20));
    await delay(0);
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  test("not without end where one request fails and others do not", async () => {
    server.misdeeds.push({ match: 'w0"', cutAfter: 50, times: 99 });
    await errorOf(open({ concurrency: 2, maxRetries: 2 }).answer(some(300)));
    expect(server.seen.filter(({ body }) => JSON.stringify(body).includes('w0"'))).toHaveLength(3);
  });

  test("not where the server asks to wait for an hour", async () => {
    server.misdeeds.push({ status: 429, headers: { "Retry-After": "3600" } });
    const error = await errorOf(open().answer(some(1)));
    expect(error.message).toMatch(
      /status 429, once\.\n {2}Start again in 60 minutes, or with a lower options\.concurrency/,
    );
    expect(waits).toEqual([]);
  });
});

describe("what does not pass is said, once", () => {
  const complain = (status: number, error: object | string): Misdeed => {
    return { status, body: JSON.stringify(typeof error === "string" ? { error } : error) };
  };

  test("a wrong key, which is not shown", async () => {
    await restart({ apiKey: "another" });
    const error = await errorOf(open().answer(some(1)));
    expect(error).toBeInstanceOf(SpecError);
    expect(error.message).toMatch(/got status 401: the key was refused\.\n {2}Set OPENAI_API_KEY to a key of 127\.0/);
    expect(server.seen).toHaveLength(1);
  });

  test("a model that is not there, with the nearest one that is", async () => {
    const error = await errorOf(open({ model: "shoutr" }).answer(some(1)));
    expect(error).toBeInstanceOf(SpecError);
    expect(error.message).toMatch(/expected a model that the endpoint has, got status 404: The model `shoutr`/);
    expect(error.remedy).toBe("Did you mean shouter?");
    expect(server.seen).toHaveLength(1);
  });

  test("a wrong address", async () => {
    server.misdeeds.push({ status: 404, body: "404 page not found" });
    const error = await errorOf(open().answer(some(1)));
    expect(error.message).toMatch(/OpenAI-compatible endpoint with \/chat\/completions, got status 404: 404 page not/);
    expect(error.remedy).toMatch(/options\.baseUrl \(it usually ends in \/v1\)/);
  });

  test("an endpoint that is down", async () => {
    const { baseUrl } = server;
    await server.close();
    const error = await errorOf(open({ baseUrl, maxRetries: 2 }).answer(some(3)));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toMatch(/expected an answer, got ECONNREFUSED, 3 times\.\n {2}Check that the server runs/);
    server = await startModelServer();
  });

  test.each<[string, Misdeed]>([
    [
      "OpenAI",
      complain(400, {
        error: {
          message:
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 8227 tokens.",
          type: "invalid_request_error",
          param: "messages",
          code: "context_length_exceeded",
        },
      }),
    ],
    [
      "vLLM before 0.10",
      complain(400, {
        object: "error",
        message: "This model's maximum context length is 2048 tokens. However, you requested 3000 tokens.",
        type: "BadRequestError",
        param: null,
        code: 400,
      }),
    ],
    [
      "vLLM since 0.16",
      complain(400, {
        error: {
          message: "You passed 1015 input tokens. However, the model's context length is only 1024 tokens.",
          type: "BadRequestError",
          param: "input_tokens",
          code: 400,
        },
      }),
    ],
    ["vLLM, a prompt that fills it", complain(400, { message: "max_tokens must be at least 1, got -186.", code: 400 })],
    [
      "llama.cpp, with a status that otherwise passes",
      complain(500, {
        error: {
          code: 500,
          message: "the request exceeds the available context size. try increasing it",
          type: "exceed_context_size_error",
          n_prompt_tokens: 1407,
          n_ctx: 256,
        },
      }),
    ],
    ["llama.cpp, with status 200", { ...complain(200, { error: { code: 400, type: "exceed_context_size_error" } }) }],
    ["llama-cpp-python", complain(500, { error: { message: "Requested tokens (516) exceed context window of 512" } })],
    ["Ollama", complain(400, "the input length exceeds the context length")],
  ])("a prompt that is too long for the model, as said by %s", async (_, misdeed) => {
    server.misdeeds.push({ ...misdeed, match: "w2" });
    const model = open();
    const error = await errorOf(model.answer(some(5)));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/: row w2: expected a prompt and an answer that fit the model's context/);
    expect(server.seen).toHaveLength(3);
    expect(filesIn(cacheFolder)).toHaveLength(2);
  });

  test("log-probabilities that are ignored; the answer is kept for who does without", async () => {
    await restart({ withoutLogprobs: true });
    const error = await errorOf(open().answer([ask("go", { topLogprobs: 3 })]));
    expect(error).toBeInstanceOf(SpecError);
    expect(error.message).toMatch(/expected log-probabilities of the answer's tokens, got an answer without them/);
    expect(await textsOf(open(), [ask("go")])).toEqual(["GO!"]);
    expect(server.seen).toHaveLength(1);
  });

  test("log-probabilities that are refused", async () => {
    server.misdeeds.push(complain(400, { error: { message: "'logprobs' is not supported here", param: "logprobs" } }));
    const error = await errorOf(open().answer([ask("go", { topLogprobs: 3 })]));
    expect(error.message).toMatch(/expected log-probabilities of the answer's tokens, got status 400/);
  });

  test.each<[string, Misdeed, RegExp]>([
    ["an empty account", complain(429, { error: { code: "insufficient_quota", message: "quota" } }), /Top up/],
    ["no permission", complain(403, { error: { message: "country not supported" } }), /permission to use the model/],
    ["a bad request", complain(400, { error: { message: "bad" } }), /row w0: expected a request that the endpoint/],
    ["what is not implemented", complain(501, "not here"), /row w0: .* got status 501: not here/],
  ])("%s", async (_, misdeed, words) => {
    server.misdeeds.push(misdeed);
    expect((await errorOf(open().answer(some(1)))).message).toMatch(words);
    expect(server.seen).toHaveLength(1);
    expect(waits).toEqual([]);
  });

  test.each([301, 302, 307, 308])("a redirect (%s): neither key nor rows go where it leads", async (status) => {
    const other = await startModelServer();
    server.misdeeds.push({ status, headers: { Location: `${other.baseUrl}/chat/completions?key=${KEY}` } });
    const error = await errorOf(open().answer(some(1)));
    expect(error.message).toMatch(/a redirect to http:\/\/127\.0\.0\.1:\d+\.\n {2}Nothing was sent there/);
    expect(other.seen).toEqual([]);
    await other.close();
  });

  test("a prompt that the endpoint will not answer is an empty answer, kept", async () => {
    const error = { message: "filtered", code: "content_filter", type: null };
    server.misdeeds.push({ ...complain(400, { error }), match: "w1" });
    const answers = await open().answer(some(3));
    expect(answers.map(({ text, finish_reason }) => [text, finish_reason])).toEqual([
      ["W0!", "stop"],
      ["", "content_filter"],
      ["W2!", "stop"],
    ]);
    expect(filesIn(cacheFolder)).toHaveLength(3);
  });

  test.each<[string, Partial<HostedSettings>, RegExp]>([
    ["an address that is none", { baseUrl: "localhost" }, /base URL: expected an http or https address/],
    ["another protocol", { baseUrl: "ftp://example.org/v1" }, /got ftp:/],
    ["a key in the address", { baseUrl: `https://${KEY}@example.org/v1` }, /got one with them/],
    ["a key in the question", { baseUrl: `https://example.org/v1?key=${KEY}` }, /got one with them/],
    [
      "a key with a line break",
      { apiKey: `${KEY}\n` },
      /OPENAI_API_KEY: expected what example|OPENAI_API_KEY: expected/,
    ],
    ["money without prices", { budget: { money: 1 } }, /options\.budget\.money: expected the prices/],
  ])("%s, before anything is sent", async (_, settings, words) => {
    const error = await errorOf(Promise.resolve().then(() => open(settings)));
    expect(error).toBeInstanceOf(SpecError);
    expect(error.message).toMatch(words);
  });
});

test("a server that seems to cut prompts in silence is told of, once", async () => {
  const usage = { prompt_tokens: 300, completion_tokens: 1 };
  const body = JSON.stringify({ choices: [{ message: { content: "x" } }], usage });
  const prompt = "some words ".repeat(1000);
  server.misdeeds.push(...[0, 1, 2].map(() => ({ body, cutAfter: body.length, end: true })));
  const model = open();
  await model.answer([ask("short")]);
  expect(notes).toEqual([]);
  await model.answer([ask("a", { prompt }), ask("b", { prompt: `${prompt}b` })]);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/read 300 tokens of row a, whose prompt has about 2750: the server may cut prompts/);
});

test("whatever JSON a server answers with, it is an answer or an error for people", { timeout: 120_000 }, async () => {
  const part = fc.oneof(fc.jsonValue(), fc.constantFrom("x", "", null, 0));
  const choice = fc.record(
    { message: fc.oneof(part, fc.record({ content: part })), text: part, finish_reason: part, logprobs: part },
    { requiredKeys: [] },
  );
  const complaint = fc.record({ message: part, code: part, type: part, param: part }, { requiredKeys: [] });
  const json = fc.oneof(
    fc.jsonValue(),
    fc.record({ choices: fc.array(choice), usage: part, model: part }, { requiredKeys: ["choices"] }),
    fc.record({ error: fc.oneof(part, complaint) }),
  );
  const status = fc.constantFrom(200, 400, 404, 422, 500);
  await fc.assert(
    fc.asyncProperty(
      json,
      status,
      fc.constantFrom("chat" as const, "completions" as const),
      async (value, code, api) => {
        const headers = { "Content-Type": "application/json" };
        server.misdeeds.splice(0, 1, { status: code, headers, body: JSON.stringify(value) });
        const request = ask(`w${server.seen.length}`, { topLogprobs: 1 });
        const [answer] = await open({ api, maxRetries: 0 })
          .answer([request])
          .catch((error) => {
            expect(error).toBeInstanceOf(MixtuneError);
            return [];
          });
        if (answer !== undefined) expect(await open({ api }).answer([request])).toEqual([answer]);
      },
    ),
    { numRuns: 300 },
  );
});

describe("parameters that a model does not take", () => {
  test("are renamed or left out, which is said and kept with the answer", async () => {
    await restart({ refuses: ["max_tokens", "temperature", "stop", "seed"] });
    const request = ask("go", { stop: ["!"], seed: 1 });
    const model = open({ maxRetries: 0 });
    const [answer, other] = await model.answer([request, ask("on", { stop: ["!"], seed: 1 })]);
    expect(answer).toMatchObject({ text: "GO", left_out: ["seed", "temperature"] });
    expect(other).toMatchObject({ text: "ON" });
    expect(server.seen).toHaveLength(6);
    expect(Object.keys(server.seen.at(-1)!.body).sort()).toEqual(["max_completion_tokens", "messages", "model"]);
    expect(notes).toHaveLength(4);
    expect(await open().answer([request])).toEqual([answer]);
    expect(server.seen).toHaveLength(6);
  });

  test("end the work where nothing stands in for them", async () => {
    await restart({ refuses: ["model"] });
    expect((await errorOf(open().answer(some(1)))).message).toMatch(/expected a request that the endpoint takes/);
  });
});

describe("what was paid for is kept", () => {
  test("and is not asked for again by another process's model, in any order", async () => {
    const requests = some(6);
    const first = await open().answer(requests);
    const again = open();
    expect(again.unanswered(requests)).toEqual([]);
    expect(await again.answer(requests.toReversed())).toEqual(first.toReversed());
    expect(server.seen).toHaveLength(6);
    expect(again.spent()).toMatchObject({ requests: 0, cached: 6 });
  });

  test("when a later request fails, and those under way with it are waited for", async () => {
    await restart({ delayMs: 30 });
    server.misdeeds.push({ match: "w3", status: 400, body: "no" });
    const done: number[] = [];
    await errorOf(open({ concurrency: 3 }).answer(some(50), (_, index) => void done.push(index)));
    expect(server.seen.length).toBeLessThan(10);
    expect(done).toHaveLength(server.seen.length - 1);
    expect(filesIn(cacheFolder)).toHaveLength(done.length);
  });

  test("when the signal fires, and nothing more is sent", async () => {
    await restart({ delayMs: 30 });
    const work = open({ concurrency: 3 }).answer(some(50), () => fired.abort(new Error("interrupted")));
    await expect(work).rejects.toThrow("interrupted");
    expect(server.seen.length).toBeLessThan(10);
    expect(filesIn(cacheFolder)).toHaveLength(server.seen.length);
  });

  test("and a wait ends when the signal fires", async () => {
    server.misdeeds.push({ status: 429, headers: { "Retry-After": "60" }, times: 9 });
    const sleep: HostedSettings["sleep"] = (_, signal) => {
      fired.abort(new Error("interrupted"));
      return Promise.reject(signal.reason);
    };
    await expect(open({ sleep, concurrency: 3 }).answer(some(5))).rejects.toThrow("interrupted");
  });

  test("for each request of its own: another model, address, prompt, length, seed or kind of answer is another", async () => {
    const base = ask("go");
    await open().answer([base]);
    const asked = [{ maxTokens: 21 }, { prompt: "Shout on" }, { stop: ["x"] }, { seed: 1 }, { topLogprobs: 1 }];
    expect(open().unanswered([base, ...asked.map((more) => ({ ...base, ...more }))])).toHaveLength(5);
    for (const other of [{ model: "m" }, { api: "completions" as const }, { baseUrl: "http://127.0.0.1:1/v1" }])
      expect(open(other).unanswered([base])).toHaveLength(1);
    expect(open({ apiKey: "sk-other-key-0000", baseUrl: `${server.baseUrl}/` }).unanswered([base])).toEqual([]);
  });

  test("unless its file is damaged, which is said", async () => {
    await open().answer([ask("go")]);
    const [path] = filesIn(cacheFolder);
    writeFileSync(path!, readFileSync(path!, "utf8").slice(0, 60));
    const error = await errorOf(open().answer([ask("go")]));
    expect(error.message).toMatch(/\.json: expected an answer as it was kept.*\n {2}Remove the file/);
    expect(server.seen).toHaveLength(1);
  });

  test("without the prompt", async () => {
    await open().answer([ask("go", { prompt: "A private matter of Ms Smith: go" })]);
    expect(
      filesIn(cacheFolder)
        .map((path) => readFileSync(path, "utf8"))
        .join(),
    ).not.toContain("Smith");
  });

  test("a key that a server sends back is taken out of answers too", async () => {
    const content = `your headers: Bearer ${KEY}`;
    server.misdeeds.push({ body: JSON.stringify({ choices: [{ message: { content } }] }), cutAfter: 999, end: true });
    const [answer] = await open().answer(some(1));
    expect(answer!.text).toBe("your headers: Bearer [key]");
    rmSync(cacheFolder, { recursive: true });
    await open().answer([]);
  });
});

describe("the budget", () => {
  const prices = { inputPerMillion: 1e6, outputPerMillion: 2e6 };

  test("in requests stops before the one that would exceed it, and goes on from there", async () => {
    const requests = some(8);
    server.misdeeds.push({ match: "w1", status: 500 });
    const error = await errorOf(open({ budget: { requests: 5 }, concurrency: 3 }).answer(requests));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toMatch(/at most 5 requests, the budget, got 5 requests and \d answers so far/);
    expect(error.remedy).toMatch(/^Raise options\.budget\.requests/);
    expect(server.seen).toHaveLength(5);
    const model = open();
    expect(await textsOf(model, requests)).toEqual(requests.map(({ prompt }) => shout(prompt as string)));
    expect(server.seen).toHaveLength(5 + 4);
  });

  test("in money is never exceeded, and not stopped by what others under way may cost at most", async () => {
    // Each costs 8 + 2 * 3 = 14 and may cost 8 + 16 + 2 * 20 = 64.
    await restart({ delayMs: 10 });
    const requests = Array.from({ length: 9 }, (_, i) => ask(`w${i}`));
    const model = open({ budget: { money: 64 + 14 * 6 }, prices, concurrency: 4 });
    const error = await errorOf(model.answer(requests));
    expect(server.seen).toHaveLength(7);
    expect(model.spent()).toMatchObject({
      requests: 7,
      answers: 7,
      money: 98,
      prompt_tokens: 56,
      completion_tokens: 21,
    });
    expect(error.message).toMatch(
      /at most 148\.00 in money, the budget, got 7 requests and 7 answers so far, 98\.00 spent, and up to 64\.00 for the next one/,
    );
  });

  test("counts what broke off at the most it can have cost, and what was refused not at all", async () => {
    server.misdeeds.push({ hangUp: true }, { status: 429 });
    const model = open({ prices, budget: { money: 1000 } });
    await model.answer([ask("w0")]);
    expect(model.spent()).toMatchObject({ requests: 3, answers: 1, money: 64 + 14, estimated: 1 });
  });

  test("estimates the tokens that an endpoint does not tell", async () => {
    await restart({ withoutUsage: true });
    const model = open({ prices });
    await model.answer([ask("w0")]);
    expect(model.spent()).toMatchObject({ money: 2 + 2 * 1, estimated: 1 });
  });

  test("without prices money is not a number", async () => {
    const model = open();
    await model.answer(some(1));
    expect(model.spent().money).toBeNaN();
  });

  test("is estimated before anything is sent", () => {
    const requests = [
      ask("a", { prompt: "x".repeat(4001) }),
      ask("b", { prompt: [{ role: "user", content: "four" }] }),
    ];
    expect(estimateCost(requests, { inputPerMillion: 1000, outputPerMillion: 2000 })).toEqual({
      requests: 2,
      promptTokens: 1002,
      maxCompletionTokens: 40,
      money: 1.002 + 0.08,
    });
    expect(estimateCost(requests).money).toBeNaN();
    expect(open().unanswered([ask("a"), ask("b"), ask("a")])).toHaveLength(2);
    expect(server.seen).toEqual([]);
  });
});

describe("a prompt that is too long", () => {
  const error = { message: "This model's maximum context length is 8192 tokens.", code: "context_length_exceeded" };

  test("has an empty answer where it may be skipped, and is asked again in the next call", async () => {
    server.misdeeds.push({ match: "w1", times: 2, status: 400, body: JSON.stringify({ error }) });
    const requests = some(3).map((request) => ({ ...request, skipsTooLong: true }));
    const reasons = async () => (await open().answer(requests)).map(({ text, finish_reason }) => [text, finish_reason]);
    const skipped = await reasons();
    expect(skipped.map(([, reason]) => reason)).toEqual(["stop", TOO_LONG, "stop"]);
    expect(skipped[1]![0]).toBe("");
    expect((await reasons())[1]).toEqual(["", TOO_LONG]);
    expect((await reasons())[1]![1]).toBe("stop");
    expect(server.seen).toHaveLength(5);
  });
});

describe.skipIf(process.platform === "win32")("an evaluation that is killed and started again", () => {
  test("pays for nothing twice but what was under way", { timeout: 120_000 }, async () => {
    await restart({ delayMs: 10, apiKey: KEY });
    const support = join(ROOT, "test/support");
    const script = ["--import", join(support, "run-typescript.js"), join(support, "hosted-child.ts")];
    const start = () =>
      spawn(process.execPath, [...script, server.baseUrl, cacheFolder, KEY, "60"], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { PATH: process.env.PATH },
      });

    const killed = start();
    while (server.seen.length < 25) await delay(5);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    await delay(100);
    const numSeen = server.seen.length;
    const numKept = filesIn(cacheFolder).filter((path) => path.endsWith(".json")).length;
    expect(numSeen).toBeLessThan(60);
    expect(numSeen - numKept).toBeLessThanOrEqual(4);

    const again = start();
    let text = "";
    again.stdout.on("data", (piece) => {
      text += piece;
    });
    const [status] = await once(again, "close");
    expect(status).toBe(0);
    expect(JSON.parse(text)).toEqual(Array.from({ length: 60 }, (_, i) => `W${i}!`));
    expect(server.seen.length - numSeen).toBe(60 - numKept);
  });
});
