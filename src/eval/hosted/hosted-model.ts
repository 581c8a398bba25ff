/**
 * @file A model behind an OpenAI-compatible endpoint: requests in, answers out as they finish, so many at a time, each paid for once. How one
 * request is asked: ask.ts.
 */

import assert from "node:assert";
import { setMaxListeners } from "node:events";
import { SpecError } from "../../base/errors.ts";
import { openAnswerCache } from "./answer-cache.ts";
import { askedOf, openAsk } from "./ask.ts";
import { openEndpoint } from "./endpoint.ts";
import { Purse } from "./purse.ts";
import { logprobsMissing } from "./refusals.ts";
import type { HostedSettings } from "./settings.ts";
import { SharedWork } from "./shared-work.ts";
import { type HostedAnswer, type HostedRequest, type Spending, TOO_LONG } from "./types.ts";
import { bodyOf, withoutLogprobs } from "./wire.ts";

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
  const { model, api, concurrency } = settings;
  assert(Number.isInteger(concurrency) && concurrency > 0, "concurrency is a positive integer");
  if (settings.budget.money !== undefined && settings.prices === undefined) throw moneyWithoutPrices();
  const baseUrl = settings.baseUrl.replace(/\/+$/, "");
  const endpoint = openEndpoint({ ...settings, baseUrl });
  const cache = openAnswerCache(settings.cacheFolder, { ...settings, baseUrl });
  const purse = settings.purse ?? new Purse(settings.budget, settings.prices, `${endpoint.host}: ${model}`);
  const ask = openAsk(settings, endpoint, purse);
  const underWay = new SharedWork<HostedAnswer>();
  const bodyFor = (request: HostedRequest) => bodyOf(api, model, request);

  const askAndKeep = async (key: string, request: HostedRequest, signal: AbortSignal): Promise<HostedAnswer> => {
    const body = bodyFor(request);
    const answer = await ask(body, request, signal);
    if (answer.finish_reason === TOO_LONG) return answer; // the server may be started with a longer context
    const lacksLogprobs = body.logprobs !== undefined && answer.logprobs === null;
    // It is as good an answer to the same request without log-probabilities.
    cache.write(lacksLogprobs ? cache.keyOf(withoutLogprobs(body)) : key, answer, settings.clock());
    if (lacksLogprobs) throw logprobsMissing(askedOf(settings, endpoint, request), "an answer without them");
    return answer;
  };

  const one = async (request: HostedRequest, signal: AbortSignal): Promise<HostedAnswer> => {
    const key = cache.keyOf(bodyFor(request));
    const known = underWay.get(key) ?? cache.read(key);
    if (known === undefined) return underWay.begin(key, () => askAndKeep(key, request, signal));
    const answer = await known;
    purse.spending.cached++;
    return answer;
  };

  return {
    host: endpoint.host,
    async answer(requests, onDone) {
      const answers: HostedAnswer[] = new Array(requests.length);
      await workThrough(requests, concurrency, settings.signal, async (request, index, signal) => {
        const answer = await one(request, signal);
        answers[index] = answer;
        await onDone?.(answer, index);
      });
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

/**
 * Does the work of each item, `concurrency` at a time. After the first failure none is begun any more; those under way are waited for.
 * @throws the outer signal's reason, else the first failure
 */
async function workThrough<T>(
  items: readonly T[],
  concurrency: number,
  outer: AbortSignal | undefined,
  work: (item: T, index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const failed = new AbortController();
  const signal = outer === undefined ? failed.signal : AbortSignal.any([outer, failed.signal]);
  // Everyone who waits listens to it; from the eleventh on Node would warn of a leak.
  setMaxListeners(0, signal);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (!signal.aborted && next < items.length) {
      const index = next++;
      try {
        await work(items[index]!, index, signal);
      } catch (error) {
        failures.push(error);
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  outer?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

function moneyWithoutPrices(): SpecError {
  return new SpecError({
    place: "options.budget.money",
    expected: "the prices that it is counted in",
    got: "none",
    remedy: "Give options.prices IN,OUT: money for a million tokens in and out.",
  });
}
