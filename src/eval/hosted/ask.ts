/**
 * @file One request until it is answered or given up: the only home of retries. What one try is: endpoint.ts; what a refusal means: refusals.ts;
 * how long to wait: retries.ts.
 */

import type { Endpoint, Outcome } from "./endpoint.ts";
import { CHARS_PER_TOKEN, likelyTokens, mostTokens } from "./estimate.ts";
import { Pause } from "./pause.ts";
import type { Purse } from "./purse.ts";
import {
  type Asked,
  isFiltered,
  isTooLong,
  isUnknownModel,
  mayPass,
  parameterNotTaken,
  redirected,
  refusalOf,
} from "./refusals.ts";
import { Retries } from "./retries.ts";
import type { HostedSettings } from "./settings.ts";
import { type HostedAnswer, type HostedRequest, TOO_LONG } from "./types.ts";
import { answerIn, asTaken, canDoWithout, leftOut, type RequestBody } from "./wire.ts";

/** No tokenizer has so many characters a token over a whole prompt. */
const MOST_CHARS_PER_TOKEN = 12;

/** Between two looks whether a model is there that was just fine-tuned. */
const NEW_MODEL_WAIT_MS = 5000;

/** Asks one model: the budget holds every try, and parameters that the model turns out not to take are left out from then on. */
export type Ask = (body: RequestBody, request: HostedRequest, signal: AbortSignal) => Promise<HostedAnswer>;

/** @param settings  of the model, whose budget `purse` keeps */
export function openAsk(settings: HostedSettings, endpoint: Endpoint, purse: Purse): Ask {
  const { model, api, clock, sleep, note } = settings;
  const pause = new Pause(settings);
  const retries = new Retries(settings, pause);
  const noteCut = cutNotice(`${endpoint.host}: ${model}`, note);
  const isNewUntil = clock() + (settings.newModelMs ?? 0);
  const notTaken = new Set<string>();

  /** True where the request may be sent again, without the parameter. */
  const goWithout = (parameter: string | undefined, body: RequestBody, sentWithout: ReadonlySet<string>): boolean => {
    if (parameter === undefined || !(parameter in body)) return false;
    if (!canDoWithout(parameter) || sentWithout.has(parameter)) return false;
    if (!notTaken.has(parameter)) note?.(`${endpoint.host}: ${model} does not take ${parameter}; asking without it.`);
    notTaken.add(parameter);
    return true;
  };

  /** One try, and what it cost. */
  const attempt = async (body: RequestBody, request: HostedRequest, sentWithout: ReadonlySet<string>) => {
    const most = mostTokens(request);
    const outcome = await endpoint.post(asTaken(body, sentWithout));
    const answer = outcome.kind === "answered" ? answerIn(api, outcome.body, body, sentWithout) : undefined;
    if (answer !== undefined) {
      const likely = likelyTokens(request, answer.text);
      purse.settle(most, answer, likely);
      if (answer.usage !== null) noteCut(answer.usage.prompt_tokens, likely.prompt, request.id);
      return { kind: "read", answer } as const;
    }
    if (outcome.kind === "redirected" || outcome.kind === "refused") purse.release(most);
    else purse.settleUnknown(most);
    return outcome.kind === "answered" ? NO_ANSWER : outcome;
  };

  return async (body, request, signal) => {
    const asked = askedOf(settings, endpoint, request);
    for (let tries = 1; ; tries++) {
      await pause.wait(signal);
      await purse.take(mostTokens(request), signal);
      const numBefore = purse.spending.answers;
      const sentWithout = new Set(notTaken);
      const outcome = await attempt(body, request, sentWithout);
      if (outcome.kind === "read") return outcome.answer;
      if (outcome.kind === "redirected") throw redirected(outcome, asked);
      if (outcome.kind === "refused") {
        const { status, complaint } = outcome;
        if (goWithout(parameterNotTaken(complaint), body, sentWithout)) {
          tries--;
          continue;
        }
        if (isFiltered(complaint)) return unanswered("content_filter", body, sentWithout);
        if (request.skipsTooLong && isTooLong(complaint)) return unanswered(TOO_LONG, body, sentWithout);
        if (isUnknownModel(complaint) && clock() < isNewUntil) {
          await sleep(NEW_MODEL_WAIT_MS, signal);
          tries--;
          continue;
        }
        if (!mayPass(status, complaint)) throw await refusalOf(outcome, asked, endpoint.listModels);
        // While others are answered, the endpoint is well and only wants fewer requests.
        if (status === 429 && purse.spending.answers > numBefore) tries = 1;
      }
      await retries.wait(outcome, tries, asked, signal);
    }
  };
}

/** Whom a request asks, for messages. */
export function askedOf({ model, api, apiKey }: HostedSettings, { host }: Endpoint, { id }: HostedRequest): Asked {
  return { host, model, api, hasKey: apiKey !== undefined, id };
}

const NO_ANSWER: Outcome & { kind: "dropped" } = { kind: "dropped", reason: "JSON without an answer in it" };

/** Says once that a prompt was cut: some servers (Ollama among them) cut what does not fit their context and say nothing. */
function cutNotice(model: string, note: HostedSettings["note"]) {
  let isNoted = false;
  return (read: number, likely: number, id: string): void => {
    if (isNoted || likely < 500 || read * MOST_CHARS_PER_TOKEN > likely * CHARS_PER_TOKEN) return;
    isNoted = true;
    note?.(
      `${model} read ${read} tokens of ${id}, whose prompt has about ${likely}: the server may cut prompts to its context. Start it with a longer one.`,
    );
  };
}

/** For a prompt that the endpoint will not answer for what it says or how long it is. Every scorer counts an empty answer as wrong. */
function unanswered(finish_reason: string, body: RequestBody, notTaken: ReadonlySet<string>): HostedAnswer {
  return {
    text: "",
    finish_reason,
    usage: { prompt_tokens: 0, completion_tokens: 0 },
    logprobs: body.logprobs === undefined ? null : [],
    model: body.model,
    left_out: leftOut(body, notTaken),
  };
}
