/**
 * @file A model behind an OpenAI-compatible endpoint: requests in, answers out as they finish, so many at a time, each paid for once. The only
 * home of retries. What one try is: door.ts; what a refusal means: refusals.ts.
 */

import assert from "node:assert";
import { setMaxListeners } from "node:events";
import { SpecError } from "../../base/errors.ts";
import { openAnswerCache } from "./answer-cache.ts";
import { type Outcome, openDoor } from "./door.ts";
import { CHARS_PER_TOKEN, likelyTokens, mostTokens } from "./estimate.ts";
import { Purse } from "./purse.ts";
import {
  type Asked,
  isFiltered,
  isUnknownModel,
  logprobsMissing,
  mayPass,
  outOfTries,
  parameterNotTaken,
  redirected,
  refusalOf,
} from "./refusals.ts";
import type { HostedAnswer, HostedRequest, HostedSettings, Spending } from "./types.ts";
import { askedWaitMs, backoffMs, MAX_ASKED_WAIT_MS } from "./waits.ts";
import { answerIn, asTaken, bodyOf, canDoWithout, leftOut, type RequestBody, withoutLogprobs } from "./wire.ts";

/** No tokenizer has so many characters a token over a whole prompt. */
const MOST_CHARS_PER_TOKEN = 12;

/** Between two looks whether a model is there that was just fine-tuned. */
const NEW_MODEL_WAIT_MS = 5000;

export interface HostedModel {
  /** The endpoint's host, with its port. */
  host: string;
  /**
   * Answers in the order of the requests. The first failure ends the work: nothing more is sent, but what is under way is waited for and kept.
   *
   * @param onDone  told of each answer as it comes, those from the cache too, with the index of its request
   * @throws {SpecError} a wrong key, an unknown model, a wrong address, log-probabilities that do not come
   * @throws {DataError} a prompt that does not fit the model, or that the endpoint does not take
   * @throws {WorkerError} out of tries, out of budget, a full disk
   */
  answer(
    requests: readonly HostedRequest[],
    onDone?: (answer: HostedAnswer, index: number) => void | Promise<void>,
  ): Promise<HostedAnswer[]>;
  /** Those that would be sent: not in the cache, equal ones once. */
  unanswered(requests: readonly HostedRequest[]): HostedRequest[];
  /** What was used since the model was opened. */
  spent(): Spending;
}

/**
 * Opens a hosted model; nothing is sent yet.
 * @throws {SpecError} an address or a key that cannot be used, a budget in money without prices
 * @throws {DataError} a cache folder that cannot be made
 */
export function openHostedModel(settings: HostedSettings): HostedModel {
  const { model, api, apiKey, concurrency, maxRetries, clock, random, sleep, note } = settings;
  assert(Number.isInteger(concurrency) && concurrency > 0, "concurrency is a positive integer");
  if (settings.budget.money !== undefined && settings.prices === undefined) throw moneyWithoutPrices();
  const baseUrl = settings.baseUrl.replace(/\/+$/, "");
  const door = openDoor({ ...settings, baseUrl });
  const cache = openAnswerCache(settings.cacheFolder, baseUrl, api);
  const purse = settings.purse ?? new Purse(settings.budget, settings.prices, `${door.host}: ${model}`);
  const bodyFor = (request: HostedRequest) => bodyOf(api, model, request);
  /** Parameters that the model turned out not to take. */
  const notTaken = new Set<string>();
  /** Equal requests under way: sent once. */
  const underWay = new Map<string, Promise<HostedAnswer>>();
  const isNewUntil = clock() + (settings.newModelMs ?? 0);
  /** A server that asks one request to wait means all. */
  let pausedUntil = 0;

  const pause = async (signal: AbortSignal): Promise<void> => {
    for (let left = pausedUntil - clock(); left > 0; left = pausedUntil - clock()) await sleep(left, signal);
  };

  let isCutNoted = false;
  /** Some servers (Ollama among them) cut what does not fit their context and say nothing. */
  const noteCut = (read: number, likely: number, id: string): void => {
    if (isCutNoted || likely < 500 || read * MOST_CHARS_PER_TOKEN > likely * CHARS_PER_TOKEN) return;
    isCutNoted = true;
    note?.(
      `${door.host}: ${model} read ${read} tokens of ${id}, whose prompt has about ${likely}: the server may cut prompts to its context. Start it with a longer one.`,
    );
  };

  /** True where the request may be sent again, without the parameter. */
  const goWithout = (parameter: string | undefined, body: RequestBody, sentWithout: ReadonlySet<string>): boolean => {
    if (parameter === undefined || !(parameter in body)) return false;
    if (!canDoWithout(parameter) || sentWithout.has(parameter)) return false;
    if (!notTaken.has(parameter)) note?.(`${door.host}: ${model} does not take ${parameter}; asking without it.`);
    notTaken.add(parameter);
    return true;
  };

  /** One request until it is answered or given up. */
  const ask = async (body: RequestBody, request: HostedRequest, signal: AbortSignal): Promise<HostedAnswer> => {
    const asked: Asked = { host: door.host, model, api, hasKey: apiKey !== undefined, id: request.id };
    const most = mostTokens(request);
    for (let tries = 1; ; tries++) {
      await pause(signal);
      await purse.take(most, signal);
      const numBefore = purse.spending.answers;
      const sentWithout = new Set(notTaken);
      let outcome = await door.post(asTaken(body, sentWithout));
      if (outcome.kind === "answered") {
        const answer = answerIn(api, outcome.body, body, sentWithout);
        if (answer !== undefined) {
          const likely = likelyTokens(request, answer.text);
          purse.settle(most, answer, likely);
          if (answer.usage !== null) noteCut(answer.usage.prompt_tokens, likely.prompt, request.id);
          return answer;
        }
        outcome = { kind: "dropped", reason: "JSON without an answer in it" };
      }
      if (outcome.kind === "dropped") purse.settleUnknown(most);
      else purse.release(most);
      if (outcome.kind === "redirected") throw redirected(outcome, asked);
      if (outcome.kind === "refused") {
        const { status, complaint } = outcome;
        if (goWithout(parameterNotTaken(complaint), body, sentWithout)) {
          tries--;
          continue;
        }
        if (isFiltered(complaint)) return filtered(body, sentWithout);
        if (isUnknownModel(complaint) && clock() < isNewUntil) {
          await sleep(NEW_MODEL_WAIT_MS, signal);
          tries--;
          continue;
        }
        if (!mayPass(status, complaint)) throw await refusalOf(outcome, asked, door.listModels);
        // While others are answered, the endpoint is well and only wants fewer requests.
        if (status === 429 && purse.spending.answers > numBefore) tries = 1;
      }
      await waitAfter(outcome, tries, asked, signal);
    }
  };

  const waitAfter = async (outcome: Outcome, tries: number, asked: Asked, signal: AbortSignal): Promise<void> => {
    const headers = outcome.kind === "refused" ? outcome.headers : new Headers();
    const askedMs = askedWaitMs(headers, clock());
    if (tries > maxRetries || askedMs > MAX_ASKED_WAIT_MS) throw outOfTries(outcome, tries, askedMs, asked);
    const waitMs = askedMs > 0 ? askedMs : backoffMs(tries, random());
    const until = clock() + waitMs;
    if (waitMs > 5000 && until > pausedUntil) note?.(`${door.host}: trying again in ${Math.ceil(waitMs / 1000)} s.`);
    const concernsAll = outcome.kind === "refused" && (outcome.status === 429 || askedMs > 0);
    if (concernsAll) pausedUntil = Math.max(pausedUntil, until);
    else await sleep(waitMs, signal);
  };

  const askAndKeep = async (key: string, request: HostedRequest, signal: AbortSignal): Promise<HostedAnswer> => {
    const body = bodyFor(request);
    const answer = await ask(body, request, signal);
    const lacksLogprobs = body.logprobs !== undefined && answer.logprobs === null;
    // It is as good an answer to the same request without log-probabilities.
    cache.write(lacksLogprobs ? cache.keyOf(withoutLogprobs(body)) : key, answer, clock());
    if (!lacksLogprobs) return answer;
    const asked: Asked = { host: door.host, model, api, hasKey: apiKey !== undefined, id: request.id };
    throw logprobsMissing(asked, "an answer without them");
  };

  const one = async (request: HostedRequest, signal: AbortSignal): Promise<HostedAnswer> => {
    const key = cache.keyOf(bodyFor(request));
    const known = underWay.get(key) ?? cache.read(key);
    if (known !== undefined) {
      const answer = await known;
      purse.spending.cached++;
      return answer;
    }
    const asking = askAndKeep(key, request, signal).finally(() => underWay.delete(key));
    underWay.set(key, asking);
    return asking;
  };

  return {
    host: door.host,
    async answer(requests, onDone) {
      const answers: HostedAnswer[] = new Array(requests.length);
      const failures: unknown[] = [];
      const failed = new AbortController();
      const signal = settings.signal === undefined ? failed.signal : AbortSignal.any([settings.signal, failed.signal]);
      // Everyone who waits listens to it; from the eleventh on Node would warn of a leak.
      setMaxListeners(0, signal);
      let next = 0;
      const work = async (): Promise<void> => {
        while (!signal.aborted && next < requests.length) {
          const index = next++;
          try {
            const answer = await one(requests[index]!, signal);
            answers[index] = answer;
            await onDone?.(answer, index);
          } catch (error) {
            failures.push(error);
            failed.abort(error);
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(concurrency, requests.length) }, work));
      settings.signal?.throwIfAborted();
      if (failures.length > 0) throw failures[0];
      return answers;
    },
    unanswered(requests) {
      const seen = new Set<string>();
      return requests.filter((request) => {
        const key = cache.keyOf(bodyFor(request));
        if (seen.has(key) || cache.read(key) !== undefined) return false;
        seen.add(key);
        return true;
      });
    },
    spent: () => ({ ...purse.spending }),
  };
}

/** A prompt that the endpoint will not answer for what it says: an empty answer, which every scorer counts as wrong. */
function filtered(body: RequestBody, notTaken: ReadonlySet<string>): HostedAnswer {
  return {
    text: "",
    finish_reason: "content_filter",
    usage: { prompt_tokens: 0, completion_tokens: 0 },
    logprobs: body.logprobs === undefined ? null : [],
    model: body.model,
    left_out: leftOut(body, notTaken),
  };
}

function moneyWithoutPrices(): SpecError {
  return new SpecError({
    place: "options.budget.money",
    expected: "the prices that it is counted in",
    got: "none",
    remedy: "Give options.prices IN,OUT: money for a million tokens in and out.",
  });
}
