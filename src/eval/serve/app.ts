/**
 * @file OpenAI's API over local models, as a function from request to response: chat and text completions, whole or streamed, the list of models.
 * What a request may hold: requests.ts; how it is answered: respond.ts; what an answer looks like: forms.ts; in which order work is done: queue.ts; sockets: listen.ts.
 */

import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { DataError } from "../../base/errors.ts";
import { CHAT_TOKENS, chatPrompt, type LocalModel, PromptTooLong, textPrompt } from "../local-model.ts";
import { checkKey, checkSite } from "./access.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";
import { chatForm, completionForm } from "./forms.ts";
import type { GenerationQueue } from "./queue.ts";
import { type ChatRequest, type CompletionRequest, readChatRequest, readCompletionRequest } from "./requests.ts";
import { respond } from "./respond.ts";

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
const MAX_BODY_BYTES = 2 ** 20;

/** The server without its socket. Models are told apart by name. */
export function serveApp(models: readonly LocalModel[], queue: GenerationQueue, options: AppOptions): Hono {
  const app = new Hono();
  const created = Math.floor(options.now() / 1000);
  const { apiKey, maxBodyBytes = MAX_BODY_BYTES } = options;
  const responder = { queue, ...options };

  app.use(async (c, next) => {
    checkSite((name) => c.req.header(name), { boundTo: options.host, machine: options.machine });
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
  const listed = (model: LocalModel) => entryOf(model, created);
  app.get("/v1/models", (c) => c.json({ object: "list", data: models.map(listed) }));
  // names have slashes
  app.get("/v1/models/:name{.+}", (c) => c.json(listed(modelNamed(models, c.req.param("name")))));
  app.post("/v1/chat/completions", async (c) => {
    const request = readChatRequest(await bodyOf(c));
    const model = modelNamed(models, request.model);
    const prompt = withPlace("messages", () => chatPrompt(model, request.messages));
    return respond(c, responder, {
      model,
      prompts: [prompt],
      request,
      form: chatForm(request, model),
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
    return respond(c, responder, {
      model,
      prompts,
      request,
      form: completionForm(request, model, prompts),
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

/** An entry of the list of models. */
function entryOf({ name, digest }: LocalModel, created: number): object {
  return { id: name, object: "model", created, owned_by: "mixtune", digest };
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
    if (error instanceof DataError) {
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
