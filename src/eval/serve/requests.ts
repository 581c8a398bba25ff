/** @file Bodies of requests, checked: what of OpenAI's API is taken, and what is refused by name. Nothing that would change an answer is ignored. */

import { z } from "zod";
import type { Message } from "../../specs/message.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { ApiError } from "./api-error.ts";

/** The most log-probabilities a token that OpenAI's API gives. */
const MAX_TOP_LOGPROBS = 20;

const numberIn = (min: number, max: number) => {
  const expected = `expected a number from ${min} to ${max}`;
  return z.number(expected).min(min, expected).max(max, expected);
};
const wholeIn = (min: number, max: number) => {
  const expected = `expected a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`}`;
  return z.int(expected).min(min, expected).max(max, expected);
};
/** A setting that this server has in one way only. */
const only = <T extends string | number | boolean>(value: T) => z.literal(value, `this server takes ${value} only`);
const flag = z.boolean("expected true or false");
const text = z.string("expected a text");

const stop = text.min(1, "expected a text that is not empty");

const common = {
  model: text,
  stream: flag.default(false),
  stream_options: z
    .strictObject({ include_usage: flag.default(false), include_obfuscation: only(false).optional() })
    .optional(),
  temperature: numberIn(0, 2).default(1),
  top_p: numberIn(0, 1).gt(0, "expected a number above 0, at most 1").default(1),
  seed: z.int("expected a whole number").optional(),
  stop: z
    .union([stop, z.array(stop).max(4)], "expected a text, or a list of at most four")
    .transform((stop) => (typeof stop === "string" ? [stop] : stop))
    .default([]),
  n: only(1).optional(),
  frequency_penalty: only(0).optional(),
  presence_penalty: only(0).optional(),
  logit_bias: z.strictObject({}, "this server takes no biases").optional(),
  // who asks, and what OpenAI keeps of it: nothing here
  user: z.string().optional(),
  store: only(false).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
};

const textPart = z.strictObject({ type: z.literal("text", "this server takes text only"), text });
const message = z
  .strictObject({
    role: z.enum(["system", "developer", "user", "assistant"], "expected system, user or assistant"),
    content: z.union([text, z.array(textPart)], "expected a text, or a list of parts of type text"),
    annotations: z.array(z.never()).optional(), // an answer of OpenAI's, sent back
  })
  .transform(
    ({ role, content }): Message => ({
      role: role === "developer" ? "system" : role,
      content: typeof content === "string" ? content : content.map((part) => part.text).join(""),
    }),
  );

const chatSchema = z.strictObject({
  ...common,
  messages: z.array(message, "expected a list of messages").min(1, "expected a message or more"),
  max_tokens: wholeIn(1, Number.MAX_SAFE_INTEGER).optional(),
  max_completion_tokens: wholeIn(1, Number.MAX_SAFE_INTEGER).optional(),
  logprobs: flag.default(false),
  top_logprobs: wholeIn(0, MAX_TOP_LOGPROBS).optional(),
  response_format: z.strictObject({ type: only("text") }).optional(),
  tools: z.array(z.never("this server calls no tools")).optional(),
  modalities: z.array(only("text")).optional(),
});

const id = z.int("expected a token id").min(0, "expected a token id");
const prompts = z.union(
  [text, z.array(text).min(1), z.array(id).min(1), z.array(z.array(id).min(1)).min(1)],
  "expected a text, a list of texts, token ids, or a list of lists of token ids",
);

const completionSchema = z.strictObject({
  ...common,
  prompt: prompts.transform((prompt): (string | number[])[] => {
    if (typeof prompt === "string") return [prompt];
    return typeof prompt[0] === "number" ? [prompt as number[]] : (prompt as (string | number[])[]);
  }),
  max_tokens: wholeIn(0, Number.MAX_SAFE_INTEGER).default(16),
  logprobs: wholeIn(0, MAX_TOP_LOGPROBS).optional(),
  echo: flag.default(false),
  best_of: only(1).optional(),
  suffix: z.literal("", "this server writes no text before a suffix").optional(),
});

export type ChatRequest = z.infer<typeof chatSchema>;
export type CompletionRequest = z.infer<typeof completionSchema>;

/** @throws {ApiError} 400 */
export function readChatRequest(body: unknown): ChatRequest {
  const request = checked(chatSchema, body);
  if (request.top_logprobs !== undefined && !request.logprobs) {
    throw new ApiError(400, "top_logprobs: expected logprobs: true beside it.", { param: "top_logprobs" });
  }
  if (request.messages.at(-1)!.role !== "user") {
    throw new ApiError(400, "messages: expected a user's message at the end.", { param: "messages" });
  }
  return request;
}

/** @throws {ApiError} 400 */
export function readCompletionRequest(body: unknown): CompletionRequest {
  const request = checked(completionSchema, body);
  if (request.max_tokens === 0 && !request.echo) {
    throw new ApiError(400, "max_tokens: expected 1 or more; 0 is for echo.", { param: "max_tokens" });
  }
  if (request.echo && request.stream) {
    throw new ApiError(400, "echo: this server echoes in whole answers only, not in streams.", { param: "echo" });
  }
  return request;
}

function checked<S extends z.ZodObject>(schema: S, body: unknown): z.infer<S> {
  const result = schema.safeParse(withoutNulls(body));
  if (result.success) return result.data;
  const issues = result.error.issues;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const param = [...issue.path, key].join(".");
    const known = issue.path.length === 0 ? Object.keys(schema.shape) : [];
    throw new ApiError(400, `${clipped(param)}: this server does not know it. ${didYouMean(clipped(key), known)}`, {
      param: clipped(param),
      code: "unknown_parameter",
    });
  }
  const param = clipped(issue.path.join("."));
  const place = param === "" ? "the body" : param;
  const message = issue.path.length === 0 ? "expected a JSON object" : issue.message;
  throw new ApiError(400, `${place}: ${message}.`, param === "" ? {} : { param });
}

/** What is null is as good as absent, as in OpenAI's API: at the top and in messages, where its own answers have some. */
function withoutNulls(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const { messages } = body;
  const top = withoutNullFields(body);
  return Array.isArray(messages)
    ? { ...top, messages: messages.map((one) => (isRecord(one) ? withoutNullFields(one) : one)) }
    : top;
}

function withoutNullFields(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function clipped(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
