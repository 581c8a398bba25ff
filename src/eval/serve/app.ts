/**
 * @file OpenAI's API over local models, as a function from request to response: chat and text completions, whole or streamed, the list of models.
 * What a request may hold: requests.ts; what an answer looks like: answers.ts; in which order work is done: queue.ts; sockets: listen.ts.
 */

import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { CheckpointError, MixtuneError } from "../../base/errors.ts";
import { answerLead, CHAT_TOKENS, chatPrompt, type LocalModel, PromptTooLong, textPrompt } from "../local-model.ts";
import { checkKey, checkSite } from "./access.ts";
import {
  chatLogprobs,
  finishReason,
  type Head,
  joinedLogprobs,
  promptLogprobs,
  textLogprobs,
  usageOf,
  wholeOf,
} from "./answers.ts";
import { ApiError } from "./api-error.ts";
import { type Piece, pieces } from "./pieces.ts";
import type { Answer, GenerationQueue, Job, Manner } from "./queue.ts";
import { type ChatRequest, type CompletionRequest, readChatRequest, readCompletionRequest } from "./requests.ts";

export interface AppOptions {
  /** Needed in every request where given. */
  apiKey?: string;
  /** What the server is bound to, and this machine's name: what a request's Host may say. */
  host: string;
  machine: string;
  /** Largest body. Default {@link MAX_BODY_BYTES}. */
  maxBodyBytes?: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A number below 2^32 from chance: the seed of a request without one, and names of answers. */
  chance(): number;
  /** Told what goes wrong here, for the log; never what a client did wrong. */
  onFault(error: unknown): void;
}

/** Texts of the longest contexts, several times over. */
export const MAX_BODY_BYTES = 2 ** 20;

/** The server without its socket. Models are told apart by name. */
export function serveApp(models: readonly LocalModel[], queue: GenerationQueue, options: AppOptions): Hono {
  const app = new Hono();
  const created = Math.floor(options.now() / 1000);
  const { apiKey, maxBodyBytes = MAX_BODY_BYTES } = options;

  app.use(async (c, next) => {
    checkSite((name) => c.req.header(name), options.host, options.machine);
    await next();
  });
  app.get("/health", (c) => c.json({ status: "ok", ...queue.load }));
  app.use(async (c, next) => {
    if (apiKey !== undefined) checkKey(c.req.header("authorization"), apiKey);
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new ApiError(413, `The body is longer than ${maxBodyBytes} bytes.`, { code: "request_too_large" });
      },
    }),
  );
  const listed = (name: string) => ({ id: name, object: "model", created, owned_by: "mixtune" });
  app.get("/v1/models", (c) => c.json({ object: "list", data: models.map(({ name }) => listed(name)) }));
  // names have slashes
  app.get("/v1/models/:name{.+}", (c) => c.json(listed(modelNamed(models, c.req.param("name")).name)));
  app.post("/v1/chat/completions", async (c) => {
    const request = readChatRequest(await bodyOf(c));
    const model = modelNamed(models, request.model);
    const prompt = withPlace("messages", () => chatPrompt(model, request.messages));
    return respond(c, queue, options, chatForm(request, model), {
      model,
      prompts: [prompt],
      request,
      manner: {
        ...commonManner(request),
        maxNewTokens: request.max_completion_tokens ?? request.max_tokens ?? CHAT_TOKENS,
        topLogprobs: request.logprobs ? (request.top_logprobs ?? 0) : null,
        scoresPrompt: false,
      },
    });
  });
  app.post("/v1/completions", async (c) => {
    const request = readCompletionRequest(await bodyOf(c));
    const model = modelNamed(models, request.model);
    const prompts = request.prompt.map((prompt) => withPlace("prompt", () => completionPrompt(model, prompt)));
    return respond(c, queue, options, completionForm(request, model, prompts), {
      model,
      prompts,
      request,
      manner: {
        ...commonManner(request),
        maxNewTokens: request.max_tokens,
        topLogprobs: request.logprobs ?? null,
        scoresPrompt: request.echo && request.logprobs !== undefined,
      },
    });
  });
  app.notFound((c) => {
    throw new ApiError(404, `${c.req.method} ${c.req.path.slice(0, 100)}: no such place on this server.`);
  });
  app.onError((error) => {
    const { status, body, retryAfter } = apiErrorOf(error, options.onFault);
    return new Response(JSON.stringify(body), {
      status,
      headers: {
        "content-type": "application/json",
        ...(retryAfter === undefined ? {} : { "retry-after": `${retryAfter}` }),
        // what of the body was not read is not waited for
        ...(status === 413 ? { connection: "close" } : {}),
      },
    });
  });
  return app;
}

async function bodyOf(c: Context): Promise<unknown> {
  let text: string;
  try {
    text = await c.req.text();
  } catch {
    throw new ApiError(499, "The client went away.");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, "The body: expected JSON, got text that is none.");
  }
}

function modelNamed(models: readonly LocalModel[], name: string): LocalModel {
  const model = models.find((one) => one.name === name);
  if (model !== undefined) return model;
  const known = models.map((one) => one.name).join(", ");
  throw new ApiError(404, `model: expected one of ${known}, got ${JSON.stringify(name.slice(0, 100))}.`, {
    param: "model",
    code: "model_not_found",
  });
}

/** What goes wrong with a prompt is the request's fault. */
function withPlace(param: string, prompt: () => Int32Array): Int32Array {
  try {
    return prompt();
  } catch (error) {
    if (error instanceof PromptTooLong) {
      throw new ApiError(400, error.message, { param, code: "context_length_exceeded" });
    }
    if (error instanceof CheckpointError) {
      throw new ApiError(400, `${param}: the model's chat template does not take them: ${error.got}.`, { param });
    }
    throw error;
  }
}

function completionPrompt(model: LocalModel, prompt: string | number[]): Int32Array {
  const { vocab_size } = model.network.config;
  const most = model.network.maxPositions - 1;
  if (typeof prompt === "string") {
    const ids = textPrompt(model, prompt);
    if (ids.length > 0) return ids;
  } else if (prompt.length > most) {
    throw new ApiError(400, `prompt: expected at most ${most} tokens, got ${prompt.length}.`, {
      param: "prompt",
      code: "context_length_exceeded",
    });
  } else if (prompt.every((id) => id < vocab_size)) {
    return Int32Array.from(prompt);
  } else throw new ApiError(400, `prompt: expected token ids below ${vocab_size}.`, { param: "prompt" });
  throw new ApiError(400, "prompt: expected at least one token, got none.", { param: "prompt" });
}

function commonManner({ temperature, top_p, stop }: ChatRequest | CompletionRequest) {
  return { temperature, topP: top_p, stopStrings: stop };
}

/** How answers of one kind are written down. */
interface Form {
  /** Begins the ids of answers. */
  prefix: string;
  /** What precedes every answer and is no part of it. */
  lead: string;
  whole(head: Head, parts: Piece[], answers: readonly Answer[]): Record<string, unknown>;
  /** Chunks of a stream: one that opens a choice, one a piece, one that closes a choice, one without choices for the usage. */
  chunk(head: Head, choices: unknown[]): Record<string, unknown>;
  opening(index: number): unknown;
  piece(index: number, piece: Piece, offset: number): unknown;
  closing(index: number, answer: Answer): unknown;
}

function chatForm({ logprobs }: ChatRequest, model: LocalModel): Form {
  const logprobsOf = ({ tokens }: Piece) => (logprobs ? chatLogprobs(model.tokenizer, tokens) : null);
  const choice = (index: number, delta: unknown, more: object = {}) => ({
    index,
    delta,
    logprobs: null,
    finish_reason: null,
    ...more,
  });
  return {
    prefix: "chatcmpl",
    lead: answerLead(model),
    whole: (head, parts, answers) => ({
      ...head,
      object: "chat.completion",
      choices: answers.map((answer, index) => ({
        index,
        message: { role: "assistant", content: parts[index]!.text, refusal: null },
        logprobs: logprobsOf(parts[index]!),
        finish_reason: finishReason(answer),
      })),
    }),
    chunk: (head, choices) => ({ ...head, object: "chat.completion.chunk", choices }),
    opening: (index) => choice(index, { role: "assistant", content: "", refusal: null }),
    piece: (index, piece) => choice(index, { content: piece.text }, { logprobs: logprobsOf(piece) }),
    closing: (index, answer) => choice(index, {}, { finish_reason: finishReason(answer) }),
  };
}

function completionForm(request: CompletionRequest, model: LocalModel, prompts: readonly Int32Array[]): Form {
  const { tokenizer } = model;
  const logprobsOf = ({ tokens }: Piece, offset: number) =>
    request.logprobs === undefined ? null : textLogprobs(tokenizer, tokens, offset);
  const echoed = (index: number) => {
    const asked = request.prompt[index]!;
    return typeof asked === "string"
      ? { text: asked, lead: tokenizer.leadIds.length }
      : { text: tokenizer.decode(asked), lead: 0 };
  };
  const choice = (index: number, text: string, more: object = {}) => ({
    index,
    text,
    logprobs: null,
    finish_reason: null,
    ...more,
  });
  return {
    prefix: "cmpl",
    lead: "",
    whole: (head, parts, answers) => ({
      ...head,
      object: "text_completion",
      choices: answers.map((answer, index) => {
        const part = parts[index]!;
        const finish_reason = finishReason(answer);
        if (!request.echo) return choice(index, part.text, { logprobs: logprobsOf(part, 0), finish_reason });
        const { text, lead } = echoed(index);
        const own = logprobsOf(part, text.length);
        const logprobs =
          own && joinedLogprobs(promptLogprobs(tokenizer, prompts[index]!, answer.promptLogprobs!, lead), own);
        return choice(index, text + part.text, { logprobs, finish_reason });
      }),
    }),
    chunk: (head, choices) => ({ ...head, object: "text_completion", choices }),
    opening: (index) => choice(index, ""),
    piece: (index, piece, offset) => choice(index, piece.text, { logprobs: logprobsOf(piece, offset) }),
    closing: (index, answer) => choice(index, "", { finish_reason: finishReason(answer) }),
  };
}

interface Asked {
  model: LocalModel;
  prompts: readonly Int32Array[];
  request: ChatRequest | CompletionRequest;
  manner: Manner;
}

async function respond(
  c: Context,
  queue: GenerationQueue,
  options: AppOptions,
  form: Form,
  asked: Asked,
): Promise<Response> {
  const { model, prompts, request, manner } = asked;
  const number = () => options.chance().toString(16).padStart(8, "0");
  const head: Head = {
    id: `${form.prefix}-${number()}${number()}`,
    created: Math.floor(options.now() / 1000),
    model: model.name,
  };
  const seed = request.seed ?? options.chance();
  const jobs = (signal: AbortSignal, onText: (index: number) => Job["onText"]) =>
    prompts.map((prompt, index): Job => {
      const listener = onText(index);
      // of one request with several prompts that are equal, each gets an answer of its own
      return { model, prompt, manner, seed: `${seed}.${index}`, signal, ...(listener ? { onText: listener } : {}) };
    });

  if (!request.stream) {
    const parts = prompts.map((): Piece[] => []);
    const taken = parts.map((list) => pieces(form.lead, (piece) => list.push(piece)));
    const isInPieces = manner.topLogprobs !== null;
    const answers = await Promise.all(
      queue.submit(jobs(c.req.raw.signal, (i) => (isInPieces ? taken[i]!.push : undefined))),
    );
    for (const [i, answer] of answers.entries()) {
      if (!isInPieces) taken[i]!.push(answer.text, []);
      taken[i]!.end();
    }
    return c.json({ ...form.whole(head, parts.map(wholeOf), answers), usage: usageOf(prompts, answers) });
  }

  const { include_usage } = request.stream_options ?? { include_usage: false };
  const left = new AbortController();
  const events = eventStream(() => left.abort());
  const send = (choices: unknown[]) =>
    events.send({ ...form.chunk(head, choices), ...(include_usage ? { usage: null } : {}) });
  const lengths = prompts.map(() => 0);
  const taken = prompts.map((_, i) =>
    pieces(form.lead, (piece) => {
      send([form.piece(i, piece, lengths[i]!)]);
      lengths[i]! += piece.text.length;
    }),
  );
  const submitted = queue.submit(jobs(left.signal, (i) => taken[i]!.push));
  for (const i of prompts.keys()) send([form.opening(i)]);
  const closed = submitted.map(async (answer, i) => {
    const result = await answer;
    taken[i]!.end();
    send([form.closing(i, result)]);
    return result;
  });
  Promise.all(closed).then(
    (answers) => {
      if (include_usage) events.send({ ...form.chunk(head, []), usage: usageOf(prompts, answers) });
      events.end("[DONE]");
    },
    (error) => events.end(JSON.stringify(apiErrorOf(error, options.onFault).body)),
  );
  return events.response;
}

/** Server-sent events. @param onCancel  the client went away */
function eventStream(onCancel: () => void) {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let isOpen = true;
  const write = (data: string) => {
    if (isOpen) controller.enqueue(encoder.encode(`data: ${data}\n\n`));
  };
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      isOpen = false;
      onCancel();
    },
  });
  return {
    response: new Response(body, {
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
    }),
    send: (data: unknown) => write(JSON.stringify(data)),
    end: (data: string) => {
      write(data);
      if (isOpen) controller.close();
      isOpen = false;
    },
  };
}

function apiErrorOf(error: unknown, onFault: (error: unknown) => void): ApiError {
  if (error instanceof ApiError) return error;
  onFault(error);
  const message = error instanceof MixtuneError ? error.message : "A fault of this server; its log says more.";
  return new ApiError(500, message);
}
