/** @file The server on a real socket, asked by the openai client and, where that is too well-behaved, by hand. */

import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CONTEXT, type Served, served, type TwoModels, twoModels } from "../../../test/support/serving.ts";
import { tokenizeExample, tokenizeLabels } from "../../data/tokens/chat-template.ts";
import { liveSessions } from "../../engine/runtime/session.ts";
import { generate } from "../generate.ts";
import { chatPrompt, type LocalModel, textPrompt } from "../local-model.ts";
import { scoreLabels } from "../score.ts";

let two: TwoModels;
let server: Served;
beforeAll(async () => {
  two = await twoModels();
  server = await served([two.base, two.tuned]);
}, 60_000);
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.stop(10_000);
  await two.close();
  expect(liveSessions()).toBe(0);
});

const QUESTION = { role: "user", content: "Profits rose in the third quarter. Is this good news?" } as const;
const CHAT = { model: "base", messages: [QUESTION], temperature: 0, max_tokens: 24 };
const TEXT = { model: "base", prompt: "The bank said that", temperature: 0, max_tokens: 24 };

/** What the network writes when it is asked without a server. */
async function written(model: LocalModel, prompt: Int32Array, maxNewTokens: number, stopStrings: string[] = []) {
  const endIds = [model.template.endOfTurnId];
  const options = { endIds, maxNewTokens, stopStrings, decode: model.tokenizer.decode };
  return (await generate(model.network, model.parameters, [{ id: "x", prompt }], options))[0]!;
}

/** Status and error of a refusal. */
async function refusal(promise: PromiseLike<unknown>) {
  try {
    await promise;
  } catch (error) {
    if (error instanceof APIError)
      return { status: error.status, code: error.code, param: error.param, message: error.message };
    throw error;
  }
  throw new Error("expected a refusal, got an answer");
}

/** A request by hand. */
function raw(
  path: string,
  {
    method = "POST",
    headers = {},
    body,
    port = server.port,
  }: { method?: string; headers?: Record<string, string>; body?: string; port?: number } = {},
): { sent: ClientRequest; reply: Promise<{ status: number; text: string; headers: IncomingHttpHeaders }> } {
  const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers, agent: false });
  const reply = new Promise<{ status: number; text: string; headers: IncomingHttpHeaders }>((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode!, text, headers: response.headers }));
      response.on("error", reject);
    });
  });
  sent.end(body);
  return { sent, reply };
}

describe("answers", () => {
  test.each(["base", "org/tuned"])(
    "of %s in a chat are what the network writes, without the blank behind Answer:",
    async (name) => {
      const model = name === "base" ? two.base : two.tuned;
      const direct = await written(model, chatPrompt(model, [QUESTION]), 24);
      const { choices, usage, model: said } = await server.client.chat.completions.create({ ...CHAT, model: name });
      expect(said).toBe(name);
      expect(choices).toHaveLength(1);
      expect(` ${choices[0]!.message.content}`).toBe(direct.text);
      expect(choices[0]!.finish_reason).toBe(direct.stopped === "length" ? "length" : "stop");
      const prompt_tokens = chatPrompt(model, [QUESTION]).length;
      const completion_tokens = direct.ids.length;
      expect(usage).toEqual({ prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens });
    },
  );

  test("continue a text, several texts, and token ids", async () => {
    const prompts = ["The bank said that", "Yesterday"];
    const ids = prompts.map((text) => [...textPrompt(two.base, text)]);
    const direct = await Promise.all(ids.map((list) => written(two.base, Int32Array.from(list), 24)));
    for (const prompt of [prompts, ids]) {
      const { choices } = await server.client.completions.create({ ...TEXT, prompt });
      expect(choices.map(({ text }) => text)).toEqual(direct.map(({ text }) => text));
      expect(choices.map(({ index }) => index)).toEqual([0, 1]);
    }
    const [first] = (await server.client.completions.create({ ...TEXT, prompt: ids[0]! })).choices;
    expect(first!.text).toBe(direct[0]!.text);
  });

  test("end before a stop string", async () => {
    const whole = (await written(two.base, textPrompt(two.base, TEXT.prompt), 24)).text;
    const stop = whole.slice(5, 8);
    const { choices } = await server.client.completions.create({ ...TEXT, stop });
    expect(choices[0]!.text).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(choices[0]!.finish_reason).toBe("stop");
  });

  test("take a whole conversation, with parts of text and an answer of this server sent back", async () => {
    const first = await server.client.chat.completions.create(CHAT);
    const messages = [
      { role: "system" as const, content: "Be brief." },
      { role: "user" as const, content: [{ type: "text" as const, text: QUESTION.content }] },
      first.choices[0]!.message,
      { role: "user" as const, content: "Why?" },
    ];
    const plain = [
      { role: "system", content: "Be brief." },
      QUESTION,
      { role: "assistant", content: first.choices[0]!.message.content! },
      { role: "user", content: "Why?" },
    ] as const;
    const direct = await written(two.base, chatPrompt(two.base, plain), 24);
    const { choices } = await server.client.chat.completions.create({ ...CHAT, messages });
    expect(` ${choices[0]!.message.content}`).toBe(direct.text);
  });

  test("are the same by the same seed and differ by another, alone and among others", async () => {
    const ask = async (seed: number) => {
      const { choices } = await server.client.completions.create({ ...TEXT, temperature: 1.5, top_p: 0.95, seed });
      return choices[0]!.text;
    };
    const alone = await ask(7);
    const among = await Promise.all([1, 7, 3, 7].map(ask));
    expect(among[1]).toBe(alone);
    expect(among[3]).toBe(alone);
    expect(new Set(among).size).toBe(3);
  });

  test("without a seed differ from one another", async () => {
    const ask = () => server.client.completions.create({ ...TEXT, temperature: 1.5 });
    const texts = (await Promise.all([ask(), ask(), ask()])).map(({ choices }) => choices[0]!.text);
    expect(new Set(texts).size).toBe(3);
  });

  test("to requests that come together are written together", async () => {
    const readOn = vi.spyOn(two.base.network, "readOn");
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => server.client.completions.create({ ...TEXT, max_tokens: 4, seed: i })),
    );
    const rows = readOn.mock.calls.map(([, , , tokens]) => tokens.length);
    readOn.mockRestore();
    expect(Math.max(...rows)).toBeGreaterThan(4);
  });
});

describe("streams", () => {
  const whole = { text: "", tokens: [] as unknown[], finish: null as string | null };

  test.each([
    {},
    { logprobs: true, top_logprobs: 2 },
    { stop: ["\n", "is"] },
    { stop: ["e"], logprobs: true },
    { temperature: 1.3, seed: 5, logprobs: true },
  ])("of a chat hold what whole answers hold: %j", async (more) => {
    const request = { ...CHAT, ...more };
    const { choices, usage } = await server.client.chat.completions.create(request);
    const stream = await server.client.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    const seen = structuredClone(whole);
    let usageSeen: unknown;
    let numPieces = 0;
    for await (const chunk of stream) {
      if (chunk.usage) usageSeen = chunk.usage;
      const [choice] = chunk.choices;
      if (choice === undefined) continue;
      seen.text += choice.delta.content ?? "";
      seen.tokens.push(...(choice.logprobs?.content ?? []));
      seen.finish ??= choice.finish_reason;
      numPieces++;
    }
    expect(seen.text).toBe(choices[0]!.message.content);
    expect(seen.tokens).toEqual(choices[0]!.logprobs?.content ?? []);
    expect(seen.finish).toBe(choices[0]!.finish_reason);
    expect(usageSeen).toEqual(usage);
    expect(numPieces).toBeGreaterThan(2);
  });

  test("of several texts hold what whole answers hold, with log-probabilities", async () => {
    const request = { ...TEXT, prompt: ["The bank said that", "Yesterday"], logprobs: 1 };
    const { choices } = await server.client.completions.create(request);
    const seen = choices.map(() => ({ text: "", tokens: [] as string[], offsets: [] as number[] }));
    for await (const chunk of await server.client.completions.create({ ...request, stream: true })) {
      for (const { index, text, logprobs } of chunk.choices) {
        seen[index]!.text += text;
        seen[index]!.tokens.push(...(logprobs?.tokens ?? []));
        seen[index]!.offsets.push(...(logprobs?.text_offset ?? []));
      }
    }
    expect(seen.map(({ text }) => text)).toEqual(choices.map(({ text }) => text));
    expect(seen.map(({ tokens }) => tokens)).toEqual(choices.map(({ logprobs }) => logprobs!.tokens));
    expect(seen.map(({ offsets }) => offsets)).toEqual(choices.map(({ logprobs }) => logprobs!.text_offset));
  });
});

describe("log-probabilities", () => {
  test("of the likeliest tokens begin, when nothing is drawn, with the one that was taken", async () => {
    const { choices } = await server.client.chat.completions.create({ ...CHAT, logprobs: true, top_logprobs: 5 });
    const { content } = choices[0]!.logprobs!;
    expect(content!.map(({ token }) => token).join("")).toBe(` ${choices[0]!.message.content}`);
    for (const { token, logprob, bytes, top_logprobs } of content!) {
      expect(top_logprobs).toHaveLength(5);
      expect(top_logprobs[0]).toEqual({ token, logprob, bytes });
      expect(Buffer.from(bytes!).toString()).toBe(token);
      const mass = top_logprobs.reduce((sum, one) => sum + Math.exp(one.logprob), 0);
      expect(mass).toBeLessThan(1);
      expect(top_logprobs).toEqual(top_logprobs.toSorted((a, b) => b.logprob - a.logprob));
    }
  });

  test("of an echoed prompt score labels as the scorer does", async () => {
    const labels = ["good", "bad", "not known"];
    const { base } = two;
    const answer = { kind: "label", field: "", labels } as const;
    const example = { id: "x", prompt: QUESTION.content, answer: "good", group: "" };
    const tokens = tokenizeExample(example, { answer }, base.tokenizer, base.template);
    const ids = tokenizeLabels(labels, base.template);
    const wanted = (await scoreLabels(await base.scoring(), base.parameters, [tokens], ids))[0]!;
    const { choices, usage } = await server.client.completions.create({
      model: "base",
      prompt: ids.map((label) => [...tokens.prompt, ...label]),
      max_tokens: 0,
      echo: true,
      logprobs: 0,
    });
    for (const [i, { logprobs, text }] of choices.entries()) {
      const all = logprobs!.token_logprobs!;
      expect(all[0]).toBeNull();
      expect(all).toHaveLength(tokens.prompt.length + ids[i]!.length);
      const sum = all.slice(tokens.prompt.length).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(wanted[i]!, 4);
      expect(text).toBe(base.tokenizer.decode([...tokens.prompt, ...ids[i]!]));
      expect(logprobs!.tokens!.join("")).toBe(text);
    }
    expect(usage!.completion_tokens).toBe(0);
  });

  test("of an echoed prompt and its continuation follow one another", async () => {
    const { choices } = await server.client.completions.create({ ...TEXT, max_tokens: 3, echo: true, logprobs: 1 });
    const alone = (await server.client.completions.create({ ...TEXT, max_tokens: 3, logprobs: 1 })).choices[0]!;
    const [{ text, logprobs }] = choices as [(typeof choices)[0]];
    expect(text).toBe(TEXT.prompt + alone.text);
    expect(logprobs!.token_logprobs!.slice(-3)).toEqual(alone.logprobs!.token_logprobs);
    for (const [i, offset] of logprobs!.text_offset!.entries())
      expect(text.slice(offset, offset + logprobs!.tokens![i]!.length)).toBe(logprobs!.tokens![i]);
    expect(logprobs!.top_logprobs!.map((one) => one !== null)).toEqual(
      [...logprobs!.tokens!.keys()].map((i) => i >= logprobs!.tokens!.length - 3),
    );
  });
});

test("models are listed and found by name, slashes and all", async () => {
  const { data } = await server.client.models.list();
  expect(data.map(({ id }) => id)).toEqual(["base", "org/tuned"]);
  const answer = await raw("/v1/models/org/tuned", { method: "GET" }).reply;
  expect(JSON.parse(answer.text)).toMatchObject({ id: "org/tuned", object: "model", digest: "of tuned" });
  expect(await refusal(server.client.models.retrieve("none"))).toMatchObject({ status: 404, code: "model_not_found" });
});

test("health says what waits", async () => {
  const { status, text } = await raw("/health", { method: "GET" }).reply;
  expect([status, JSON.parse(text)]).toEqual([200, { status: "ok", waiting: 0, running: 0 }]);
});

describe("refuses", () => {
  const chat = (more: object) => refusal(server.client.chat.completions.create({ ...CHAT, ...more } as typeof CHAT));
  const complete = (more: object) => refusal(server.client.completions.create({ ...TEXT, ...more } as typeof TEXT));

  test("a model that it does not have, with those that it has", async () => {
    const { status, code, param, message } = await chat({ model: "gpt-4o" });
    expect([status, code, param]).toEqual([404, "model_not_found", "model"]);
    expect(message).toMatch(/expected one of base, org\/tuned, got "gpt-4o"/);
  });

  test.each<[object, string | null, RegExp]>([
    [{ n: 2 }, "n", /takes 1 only/],
    [{ temperature: 3 }, "temperature", /2/],
    [{ temperature: "hot" }, "temperature", /from 0 to 2/],
    [{ top_p: 0 }, "top_p", /above 0/],
    [{ seed: 1.5 }, "seed", /whole number/],
    [{ stop: [""] }, "stop.0", /not empty/],
    [{ stop: ["a", "b", "c", "d", "e"] }, "stop", /at most four/],
    [{ max_tokens: 0 }, "max_tokens", /1/],
    [{ frequency_penalty: 0.5 }, "frequency_penalty", /takes 0 only/],
    [{ logit_bias: { "5": 10 } }, "logit_bias.5", /does not know it/],
    [{ tools: [{ type: "function" }] }, "tools.0", /calls no tools/],
    [{ top_logprobs: 3 }, "top_logprobs", /logprobs: true/],
    [{ top_logprobs: 21, logprobs: true }, "top_logprobs", /20/],
    [{ response_format: { type: "json_object" } }, "response_format.type", /takes text only/],
    [{ temperatur: 1 }, "temperatur", /Did you mean temperature\?/],
    [{ messages: [] }, "messages", /a message or more/],
    [{ messages: "hello" }, "messages", /list of messages/],
    [{ messages: [{ role: "assistant", content: "x" }] }, "messages", /user's message at the end/],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.role", /system, user or assistant/],
    [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages.0.content", /parts of type text/],
    [{ messages: [{ role: "user" }] }, "messages.0.content", /a text/],
  ])("in a chat %j", async (more, wantedParam, message) => {
    const { status, param, message: text } = await chat(more);
    expect([status, param]).toEqual([400, wantedParam]);
    expect(text).toMatch(message);
  });

  test.each<[object, string, RegExp]>([
    [{ prompt: "" }, "prompt", /at least one token/],
    [{ prompt: [] }, "prompt", /./],
    [{ prompt: [4096] }, "prompt", /token ids below 4096/],
    [{ prompt: [-1] }, "prompt.0", /token id/],
    [{ prompt: Array.from({ length: 65 }, () => "x") }, "prompt", /at most 64 prompts/],
    [{ best_of: 3 }, "best_of", /takes 1 only/],
    [{ suffix: "end" }, "suffix", /./],
    [{ logprobs: 21 }, "logprobs", /20/],
    [{ max_tokens: 0 }, "max_tokens", /1 or more/],
    [{ echo: true, stream: true }, "echo", /streams/],
  ])("in a completion %j", async (more, wantedParam, message) => {
    const { status, param, message: text } = await complete(more);
    expect([status, param]).toEqual([400, wantedParam]);
    expect(text).toMatch(message);
  });

  test("prompts that leave no room, however long, at once", async () => {
    const cases = [
      chat({ messages: [{ role: "user", content: "word ".repeat(CONTEXT) }] }),
      chat({ messages: Array.from({ length: CONTEXT + 1 }, () => QUESTION) }),
      complete({ prompt: "x".repeat(900_000) }),
      complete({ prompt: Array.from({ length: CONTEXT }, () => 5) }),
    ];
    for (const one of cases) expect(await one).toMatchObject({ status: 400, code: "context_length_exceeded" });
    const almost = await server.client.completions.create({
      ...TEXT,
      prompt: Array.from({ length: CONTEXT - 1 }, () => 5),
    });
    expect(almost.choices[0]!.finish_reason).toBe("length");
    expect(almost.usage!.completion_tokens).toBe(1);
  });

  test("bodies that are no JSON, and places that are not there", async () => {
    for (const body of ["", "{", "nothing", "[1,2]", "7", "null", '"x"']) {
      const { status, text } = await raw("/v1/chat/completions", { body }).reply;
      expect([body, status]).toEqual([body, 400]);
      expect(JSON.parse(text).error.type).toBe("invalid_request_error");
    }
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/v1/chat/completions"],
      ["POST", "/v1/embeddings"],
      ["DELETE", "/v1/models/base"],
    ] as const)
      expect((await raw(path, { method, body: method === "POST" ? "{}" : "" }).reply).status).toBe(404);
  });

  test("bodies that are too long, said beforehand or not", async () => {
    const body = JSON.stringify({ ...TEXT, prompt: "x".repeat(3_000_000) });
    const { status, text } = await raw("/v1/completions", { body }).reply;
    expect([status, JSON.parse(text).error.code]).toEqual([413, "request_too_large"]);
    const chunked = await raw("/v1/completions", { headers: { "transfer-encoding": "chunked" }, body }).reply;
    expect(chunked.status).toBe(413);
    expect((await server.client.completions.create(TEXT)).choices).toHaveLength(1);
  });

  test("other names of this address, and pages of other sites", async () => {
    const statusWith = async (headers: Record<string, string>) =>
      (await raw("/v1/models", { method: "GET", headers }).reply).status;
    for (const host of [
      "evil.example",
      "evil.example:8000",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.7",
    ])
      expect([host, await statusWith({ host })]).toEqual([host, 403]);
    for (const host of ["localhost", "LOCALHOST:8000", "127.0.0.1:9", "[::1]:8000"])
      expect([host, await statusWith({ host })]).toEqual([host, 200]);
    const host = `127.0.0.1:${server.port}`;
    for (const origin of ["http://evil.example", "null", "http://localhost:3000", `http://${host}.evil.example`])
      expect([origin, await statusWith({ host, origin })]).toEqual([origin, 403]);
    expect(await statusWith({ host, origin: `http://${host}` })).toBe(200);
    const asked = await raw("/v1/models", { method: "OPTIONS", headers: { host, origin: "http://evil.example" } })
      .reply;
    expect([asked.status, asked.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
  });
});

test("with a key, requests without it are refused, but for health", async () => {
  const own = await served([two.base], { apiKey: "a secret" });
  try {
    expect((await own.client.completions.create({ ...TEXT, max_tokens: 1 })).choices).toHaveLength(1);
    const other = new OpenAI({ baseURL: `${own.origin}/v1`, apiKey: "a guess", maxRetries: 0 });
    const refused = await refusal(other.models.list());
    expect(refused).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(refused.message).not.toMatch(/secret|guess/);
    const { port } = own;
    for (const headers of [
      {},
      { authorization: "a secret" },
      { authorization: "Bearer" },
      { authorization: "Bearer a secret " + "x" },
    ])
      expect((await raw("/v1/models", { method: "GET", headers, port }).reply).status).toBe(401);
    expect((await raw("/health", { method: "GET", port }).reply).status).toBe(200);
  } finally {
    await own.stop(1000);
  }
});

describe("a full queue", () => {
  test("refuses with 429 and says when to come back; what it took it answers", async () => {
    const own = await served([two.base], { maxWaiting: 3 });
    const ask = (i: number) => own.client.completions.create({ ...TEXT, max_tokens: 32, seed: i });
    const results = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => ask(i)));
    const refused = results.filter((one) => one.status === "rejected").map(({ reason }) => reason as APIError);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(40);
    for (const { status, code, type, headers } of refused) {
      expect([status, code, type]).toEqual([429, "queue_full", "rate_limit_error"]);
      expect(Number(headers!.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
    expect(own.queue.load).toEqual({ waiting: 0, running: 0 });
    expect(await own.stop(1000)).toBe(true);
  });

  test("has room again for those whose clients went away", async () => {
    const own = await served([two.base], { maxWaiting: 1 });
    const long = { ...TEXT, max_tokens: 300 };
    const running = own.client.completions.create(long);
    await until(() => own.queue.load.running === 1);
    const leaving = new AbortController();
    const waiting = own.client.completions.create(long, { signal: leaving.signal });
    await until(() => own.queue.load.waiting === 1);
    expect((await refusal(own.client.completions.create(long))).status).toBe(429);
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    await until(() => own.queue.load.waiting === 0);
    const next = own.client.completions.create({ ...TEXT, max_tokens: 1 });
    expect((await running).usage!.completion_tokens).toBeGreaterThan(1);
    expect((await next).choices).toHaveLength(1);
    expect(await own.stop(1000)).toBe(true);
  });
});

test.each([true, false])(
  "an answer that nobody waits for any more is not written to its end (stream: %s)",
  async (stream) => {
    const own = await served([two.base]);
    const readOn = vi.spyOn(two.base.network, "readOn");
    const body = JSON.stringify({ ...TEXT, prompt: "Once", max_tokens: 500, temperature: 2, seed: 1, stream });
    const { sent, reply } = raw("/v1/completions", { body, port: own.port });
    reply.catch(() => {});
    await until(() => own.queue.load.running === 1 && readOn.mock.calls.length > 2);
    sent.destroy();
    await until(() => own.queue.load.running === 0);
    expect(readOn.mock.calls.length).toBeLessThan(300);
    readOn.mockRestore();
    expect(await own.stop(1000)).toBe(true);
    expect(own.faults).toEqual([]);
  },
);

test("a body that breaks off is no fault of the server", async () => {
  const sent = httpRequest({
    host: "127.0.0.1",
    port: server.port,
    path: "/v1/completions",
    method: "POST",
    headers: { "content-length": "1000" },
    agent: false,
  });
  sent.on("error", () => {});
  sent.write('{"model": "ba');
  await sleep(50);
  sent.destroy();
  await sleep(50);
  expect((await server.client.completions.create({ ...TEXT, max_tokens: 1 })).choices).toHaveLength(1);
  expect(server.faults).toEqual([]);
});

describe("told to stop", () => {
  test("it answers what it took, also streams, and takes no more", async () => {
    const own = await served([two.base]);
    const long = { ...TEXT, temperature: 1.5, seed: 3, max_tokens: 100 };
    const whole = own.client.completions.create(long);
    const stream = await own.client.completions.create({ ...long, stream: true });
    await until(() => own.queue.load.running + own.queue.load.waiting === 2);
    const stopped = own.stop(30_000);
    await expect(own.client.completions.create(TEXT)).rejects.toThrow();
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? "";
    expect(text).toBe((await whole).choices[0]!.text);
    expect(await stopped).toBe(true);
    await expect(raw("/health", { method: "GET", port: own.port }).reply).rejects.toThrow(/ECONNREFUSED/);
  });

  test("it gives up what takes longer than its limit, and says so", async () => {
    const own = await served([two.base]);
    const long = { ...TEXT, temperature: 2, max_tokens: 500 };
    const requests = [1, 2, 3].map((seed) => refusal(own.client.completions.create({ ...long, top_p: seed / 4 })));
    await until(() => own.queue.load.waiting === 2);
    expect(await own.stop(0)).toBe(false);
    for (const one of await Promise.all(requests)) expect(one).toMatchObject({ status: 503, code: "stopping" });
  });
});

/** Any JSON, and bodies that are nearly right. */
const anyBody = fc.oneof(
  fc.string().map((text) => text),
  fc.json(),
  fc
    .record(
      {
        model: fc.oneof(fc.constant("base"), fc.string()),
        messages: fc.oneof(
          fc.array(
            fc.record(
              { role: fc.oneof(fc.constant("user"), fc.string()), content: fc.jsonValue() },
              { requiredKeys: [] },
            ),
          ),
          fc.jsonValue(),
        ),
        prompt: fc.oneof(fc.jsonValue(), fc.array(fc.integer())),
        max_tokens: fc.oneof(fc.constant(1), fc.jsonValue()),
        temperature: fc.oneof(fc.double(), fc.jsonValue()),
        stop: fc.jsonValue(),
        stream: fc.oneof(fc.boolean(), fc.jsonValue()),
        logprobs: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((body) => JSON.stringify(body)),
);

test("whatever is sent is refused with 4xx or answered, and the server goes on", async () => {
  const answered = { ok: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(anyBody, fc.constantFrom("/v1/chat/completions", "/v1/completions"), async (body, path) => {
      const { status, text } = await raw(path, { body }).reply;
      if (status === 200) answered.ok++;
      else {
        answered.refused++;
        expect([400, 404]).toContain(status);
        expect(typeof JSON.parse(text).error.message).toBe("string");
      }
    }),
    { numRuns: 400, seed: 1 },
  );
  expect(answered.refused).toBeGreaterThan(300);
  expect(server.queue.load).toEqual({ waiting: 0, running: 0 });
  expect((await server.client.completions.create({ ...TEXT, max_tokens: 1 })).choices).toHaveLength(1);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}
