/** @file A request as the body that is sent, and the body that comes back as an answer. Names are OpenAI's. */

import assert from "node:assert";
import { z } from "zod";
import type { HostedAnswer, HostedApi, HostedRequest, TokenLogprob } from "./types.ts";

/** A request's body, as it is asked for: what an endpoint does not take is changed in {@link asTaken}. */
export interface RequestBody {
  model: string;
  messages?: { role: string; content: string }[];
  prompt?: string;
  max_tokens: number;
  temperature: 0;
  stop?: string[];
  seed?: number;
  logprobs?: boolean | number;
  top_logprobs?: number;
}

/** The most stop strings that OpenAI takes. */
const MAX_STOPS = 4;

export function bodyOf(api: HostedApi, model: string, request: HostedRequest): RequestBody {
  const { prompt, maxTokens, stop, seed, topLogprobs } = request;
  assert(api === "chat" || typeof prompt === "string", "completions continue a text");
  const turns = typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt;
  return {
    model,
    ...(typeof prompt === "string" && api === "completions"
      ? { prompt }
      : { messages: turns.map(({ role, content }) => ({ role, content })) }),
    max_tokens: maxTokens,
    temperature: 0,
    ...(stop === undefined || stop.length === 0 ? {} : { stop: [...stop] }),
    ...(seed === undefined ? {} : { seed }),
    ...(topLogprobs === undefined
      ? {}
      : api === "completions"
        ? { logprobs: topLogprobs }
        : { logprobs: true, top_logprobs: topLogprobs }),
  };
}

/** The same request without log-probabilities. */
export function withoutLogprobs({ logprobs: _, top_logprobs: __, ...body }: RequestBody): RequestBody {
  return body;
}

/** Parameters that some models do not take, and what is done about it: renamed, or left out. */
const NOT_TAKEN: Readonly<Record<string, "max_completion_tokens" | null>> = {
  max_tokens: "max_completion_tokens",
  temperature: null,
  seed: null,
  stop: null,
};

/** True for a parameter that {@link asTaken} can do without. */
export function canDoWithout(parameter: string): boolean {
  return Object.hasOwn(NOT_TAKEN, parameter);
}

/** The body without the parameters that the model does not take. */
export function asTaken(body: RequestBody, notTaken: ReadonlySet<string>): Record<string, unknown> {
  const entries = Object.entries(body).flatMap(([key, value]): [string, unknown][] => {
    if (!notTaken.has(key)) return [[key, key === "stop" ? value.slice(0, MAX_STOPS) : value]];
    const other = NOT_TAKEN[key] ?? null;
    return other === null ? [] : [[other, value]];
  });
  return Object.fromEntries(entries);
}

/** Those of them that nothing stands in for. */
export function leftOut(body: RequestBody, notTaken: ReadonlySet<string>): string[] {
  // Stop strings are applied here all the same.
  return [...notTaken].filter((key) => key in body && NOT_TAKEN[key] === null && key !== "stop").sort();
}

const usage = z
  .looseObject({ prompt_tokens: z.number().int().nonnegative(), completion_tokens: z.number().int().nonnegative() })
  .transform(({ prompt_tokens, completion_tokens }) => ({ prompt_tokens, completion_tokens }))
  .nullish()
  .catch(null);

const tokenLogprob = z.looseObject({ token: z.string(), logprob: z.number() });
/** As chat completions have it; llama.cpp's completions too. */
const contentLogprobs = z
  .looseObject({ content: z.array(tokenLogprob.extend({ top_logprobs: z.array(tokenLogprob).nullish() })) })
  .transform(({ content }) =>
    content.map(({ token, logprob, top_logprobs }) => ({ token, logprob, top: (top_logprobs ?? []).map(pair) })),
  );
/** As completions have it. */
const listLogprobs = z
  .looseObject({
    tokens: z.array(z.string()),
    token_logprobs: z.array(z.number().nullable()),
    top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
  })
  .transform(({ tokens, token_logprobs, top_logprobs }) =>
    tokens.map((token, i): TokenLogprob => {
      const top = Object.entries(top_logprobs?.[i] ?? {}).map(([name, logprob]) => ({ token: name, logprob }));
      return { token, logprob: token_logprobs[i] ?? Number.NaN, top };
    }),
  );
const logprobs = z.union([contentLogprobs, listLogprobs]).nullish().catch(null);

function pair({ token, logprob }: { token: string; logprob: number }) {
  return { token, logprob };
}

const choice = z.looseObject({ finish_reason: z.string().nullish(), logprobs });
const reply = (text: z.ZodType<string>) => {
  const choices = z.array(choice.and(text.transform((value) => ({ value })))).min(1);
  return z.looseObject({ model: z.string().optional(), choices, usage });
};

const REPLIES: Readonly<Record<HostedApi, ReturnType<typeof reply>>> = {
  // A refusal in words stands in for the answer.
  chat: reply(
    z
      .looseObject({ message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }) })
      .transform(({ message }) => message.content ?? message.refusal ?? ""),
  ),
  completions: reply(z.looseObject({ text: z.string() }).transform(({ text }) => text)),
};

/** The answer in a body, cut before the first stop string; undefined for a body that holds none. */
export function answerIn(
  api: HostedApi,
  body: unknown,
  request: RequestBody,
  notTaken: ReadonlySet<string>,
): HostedAnswer | undefined {
  const { data } = REPLIES[api].safeParse(body);
  const first = data?.choices[0];
  // A router says so when the model behind it broke off.
  if (data === undefined || first === undefined || first.finish_reason === "error") return undefined;
  const asked = request.logprobs !== undefined;
  const whole = first.value;
  const text = cutAtStop(whole, request.stop ?? []);
  return {
    text,
    finish_reason: text.length < whole.length ? "stop" : (first.finish_reason ?? null),
    usage: data.usage ?? null,
    // An empty answer has no tokens to speak of.
    logprobs: asked ? (first.logprobs ?? (whole === "" ? [] : null)) : null,
    model: data.model ?? request.model,
    left_out: leftOut(request, notTaken),
  };
}

function cutAtStop(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}
