/** @file The answers to one request, whole or as a stream of their pieces. */

import type { Context } from "hono";
import { EVENT_STREAM, eventStream } from "../../http/event-stream.ts";
import type { LocalModel } from "../local-model.ts";
import { type Head, usageOf, wholeOf } from "./answers.ts";
import { apiErrorOf } from "./api-error.ts";
import type { Form } from "./forms.ts";
import { type Piece, pieces } from "./pieces.ts";
import type { GenerationQueue, Job, Manner } from "./queue.ts";
import type { ChatRequest, CompletionRequest } from "./requests.ts";

/** What is asked of a model. */
export interface Asked {
  model: LocalModel;
  prompts: readonly Int32Array[];
  request: ChatRequest | CompletionRequest;
  manner: Manner;
  form: Form;
}

/** Where answers come from, and what is not the request's. */
export interface Responder {
  queue: GenerationQueue;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A number below 2^32 from chance. */
  chance(): number;
  onFault(error: unknown): void;
}

export function respond(c: Context, responder: Responder, asked: Asked): Promise<Response> | Response {
  const { now, chance } = responder;
  const number = () => chance().toString(16).padStart(8, "0");
  const head: Head = {
    id: `${asked.form.prefix}-${number()}${number()}`,
    created: Math.floor(now() / 1000),
    model: asked.model.name,
  };
  const seed = asked.request.seed ?? chance();
  return asked.request.stream ? inPieces(responder, asked, head, seed) : whole(c, responder, asked, head, seed);
}

/** A job a prompt. @param onText  of the job with that index; undefined: its text is wanted at the end only */
function jobsOf(
  { model, prompts, manner }: Asked,
  seed: number,
  signal: AbortSignal,
  onText: (index: number) => Job["onText"],
): Job[] {
  return prompts.map((prompt, index): Job => {
    const listener = onText(index);
    // of one request with several prompts that are equal, each gets an answer of its own
    return { model, prompt, manner, seed: `${seed}.${index}`, signal, ...(listener ? { onText: listener } : {}) };
  });
}

async function whole(c: Context, { queue }: Responder, asked: Asked, head: Head, seed: number): Promise<Response> {
  const { prompts, form, manner } = asked;
  const parts = prompts.map((): Piece[] => []);
  const taken = parts.map((list) => pieces(form.lead, (piece) => list.push(piece)));
  const isInPieces = manner.topLogprobs !== null;
  const jobs = jobsOf(asked, seed, c.req.raw.signal, (i) => (isInPieces ? taken[i]!.push : undefined));
  const answers = await Promise.all(queue.submit(jobs));
  for (const [i, answer] of answers.entries()) {
    if (!isInPieces) taken[i]!.push(answer.text, []);
    taken[i]!.end();
  }
  return c.json({ ...form.whole(head, parts.map(wholeOf), answers), usage: usageOf(prompts, answers) });
}

function inPieces({ queue, onFault }: Responder, asked: Asked, head: Head, seed: number): Response {
  const { prompts, form, request } = asked;
  const { include_usage } = request.stream_options ?? { include_usage: false };
  const left = new AbortController();
  const events = eventStream(() => left.abort());
  const send = (choices: unknown[], more: object = include_usage ? { usage: null } : {}) =>
    events.send(JSON.stringify({ ...form.chunk(head, choices), ...more }));
  const lengths = prompts.map(() => 0);
  const taken = prompts.map((_, i) =>
    pieces(form.lead, (piece) => {
      send([form.piece(i, piece, lengths[i]!)]);
      lengths[i]! += piece.text.length;
    }),
  );
  const submitted = queue.submit(jobsOf(asked, seed, left.signal, (i) => taken[i]!.push));
  for (const i of prompts.keys()) send([form.opening(i)]);
  const closed = submitted.map(async (answer, i) => {
    const result = await answer;
    taken[i]!.end();
    send([form.closing(i, result)]);
    return result;
  });
  const end = (data: string) => {
    events.send(data);
    events.end();
  };
  Promise.all(closed).then(
    (answers) => {
      if (include_usage) send([], { usage: usageOf(prompts, answers) });
      end("[DONE]");
    },
    (error) => end(JSON.stringify(apiErrorOf(error, onFault).body)),
  );
  return new Response(events.body, { headers: { "content-type": EVENT_STREAM, "cache-control": "no-cache" } });
}
