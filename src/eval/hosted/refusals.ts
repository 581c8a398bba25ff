/**
 * @file What a refused or unanswered request means, in words for the person who must act. Errors carry no cause: what a client's error holds
 * of a request is not worth the risk of a key in a stack trace.
 */

import { DataError, type MixtuneError, SpecError, WorkerError } from "../../base/errors.ts";
import { didYouMean } from "../../specs/nearest.ts";
import type { Complaint, Outcome } from "./endpoint.ts";
import type { HostedApi } from "./types.ts";

/** Whom was asked, and for what. */
export interface Asked {
  host: string;
  model: string;
  api: HostedApi;
  hasKey: boolean;
  /** Of the request. */
  id: string;
}

/** A request that the endpoint answered with a refusal. */
export type Refused = Extract<Outcome, { kind: "refused" }>;

const KEPT = "what was answered is kept and is not paid for again.";

/**
 * Prompts that do not fit, as servers say it: OpenAI and vLLM ("maximum context length is", since 0.16 "context length is only"), vLLM where the
 * prompt alone fills it ("max_tokens must be at least 1, got -186", "longer than the maximum model length"), llama.cpp, llama-cpp-python and
 * Ollama ("context size", "context window", "input length exceeds").
 */
const CONTEXT =
  /context_length_exceeded|exceed_context_size|(maximum|model's|max) context length|exceeds? (the )?(available |maximum )?(context|model's)|longer than the maximum model length|max_tokens must be at least 1, got -|prompt is too long|input length exceeds/i;
const NO_MONEY = /insufficient_quota|billing_hard_limit_reached|billing_not_active|insufficient (balance|credits)/i;
const FILTERED = /content_filter|content_policy_violation|ResponsibleAIPolicyViolation/i;
const NO_MODEL =
  /model_not_found|model .{0,200}(not found|does not exist|not exist|is not loaded)|no such model|unknown model|invalid model/i;

/** True where the prompt does not fit, no matter with which status a server says so. */
export function isTooLong({ message, code, type }: Complaint): boolean {
  return CONTEXT.test(`${code} ${type} ${message}`);
}

/** True where the endpoint will not answer this prompt for what it says. */
export function isFiltered({ code, type, message }: Complaint): boolean {
  return FILTERED.test(`${code} ${type} ${message}`);
}

/** The parameter that a model does not take, where that is the complaint. */
export function parameterNotTaken({ code, param, message }: Complaint): string | undefined {
  if (code === "unsupported_parameter" || code === "unsupported_value") return param;
  return /(unsupported|unrecognized|unknown) (parameter|value|request argument).*?['"`](\w+)/i.exec(message)?.[3];
}

/** True where the endpoint does not know the model. */
export function isUnknownModel({ code, type, message }: Complaint): boolean {
  return NO_MODEL.test(`${code} ${type} ${message}`);
}

/** True where the account has nothing left to pay with. */
function isOutOfMoney({ code, type, message }: Complaint): boolean {
  return NO_MONEY.test(`${code} ${type} ${message}`);
}

/** True for what may pass: timeouts, conflicts, too many requests, and faults of the server. */
export function mayPass(status: number, complaint: Complaint): boolean {
  if (isTooLong(complaint) || NO_MONEY.test(`${complaint.code} ${complaint.type}`)) return false;
  return status === 408 || status === 409 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

/** The error behind a refusal of whoever asks, whatever was asked. @param kept  what starting again does not lose */
export function accountRefusal(
  { status, complaint }: Refused,
  place: string,
  { host, hasKey }: Pick<Asked, "host" | "hasKey">,
  kept: string,
): MixtuneError | undefined {
  if (status === 401) {
    return new SpecError({
      place,
      expected: "a key that the endpoint knows",
      // Not the server's words: they tend to quote the key.
      got: hasKey ? "status 401: the key was refused" : "status 401, and no key was sent",
      remedy: `Set OPENAI_API_KEY to a key of ${host}.`,
    });
  }
  if (status !== 402 && !isOutOfMoney(complaint)) return undefined;
  return new WorkerError({
    place,
    expected: "an account with money or quota left",
    got: saidWith(status, complaint),
    remedy: `Top up the account at ${host}, then start again: ${kept}`,
  });
}

/** A refusal in the server's words. */
export function saidWith(status: number, { message }: Complaint): string {
  return `status ${status}${message === "" ? "" : `: ${withoutStop(message)}`}`;
}

/** Words that end a sentence of ours. */
export function withoutStop(words: string): string {
  return words.replace(/\.\s*$/, "");
}

/** The error behind a refusal that does not pass. @param listModels  asked where the model is unknown, to name the nearest */
export async function refusalOf(
  refused: Refused,
  asked: Asked,
  listModels: () => Promise<string[]>,
): Promise<MixtuneError> {
  const { status, complaint } = refused;
  const { host, model, api, id } = asked;
  const place = `${host}: ${model}`;
  const got = saidWith(status, complaint);
  if (isTooLong(complaint)) {
    return new DataError({
      place: `${place}: ${id}`,
      expected: "a prompt and an answer that fit the model's context",
      got,
      remedy: `Take a model with a longer context, start the server with one, or shorten the examples; ${KEPT}`,
    });
  }
  const ofAccount = accountRefusal(refused, place, asked, KEPT);
  if (ofAccount !== undefined) return ofAccount;
  if (isUnknownModel(complaint)) return unknownModel(place, model, got, await listModels());
  if (status === 403) {
    return new SpecError({
      place,
      expected: "permission to use the model",
      got,
      remedy: "Check what the key, its project and your region are allowed.",
    });
  }
  if (status === 404 || status === 405) {
    return new SpecError({
      place: host,
      expected: `an OpenAI-compatible endpoint with /${api === "chat" ? "chat/completions" : "completions"}`,
      got,
      remedy: `Check options.baseUrl (it usually ends in /v1), or take options.api ${api === "chat" ? "completions" : "chat"}.`,
    });
  }
  if (/logprobs/i.test(`${complaint.param} ${complaint.message}`)) return logprobsMissing(asked, got);
  return new DataError({
    place: `${place}: ${id}`,
    expected: "a request that the endpoint takes",
    got,
    remedy: `Change what it complains about, or take another model; ${KEPT}`,
  });
}

function unknownModel(place: string, model: string, got: string, models: readonly string[]): SpecError {
  return new SpecError({
    place,
    expected: "a model that the endpoint has",
    got,
    remedy: models.length === 0 ? "Check the name after openai:." : didYouMean(model, models),
  });
}

/** Log-probabilities were asked for and did not come. */
export function logprobsMissing({ host, model }: Asked, got: string): SpecError {
  return new SpecError({
    place: `${host}: ${model}`,
    expected: "log-probabilities of the answer's tokens",
    got,
    remedy: `Score it by its text alone (scoring: strict, lenient), or take a model that offers logprobs; ${KEPT}`,
  });
}

/** Redirects are not followed: whoever answers with one would decide where key and rows go. */
export function redirected({ status, to }: Extract<Outcome, { kind: "redirected" }>, { host }: Asked): SpecError {
  return new SpecError({
    place: host,
    expected: "an answer from the endpoint itself",
    got: `status ${status}: a redirect to ${to}`,
    remedy: `Nothing was sent there. If you trust it, give its whole address as options.baseUrl.`,
  });
}

/** Out of tries. @param waitMs  what the server asked for last; 0 where it did not */
export function outOfTries(outcome: Outcome, tries: number, waitMs: number, { host, model }: Asked): WorkerError {
  const later = waitMs > 0 ? `Start again in ${Math.ceil(waitMs / 60_000)} minutes` : "Start again later";
  if (outcome.kind === "refused") {
    const { status, complaint } = outcome;
    return new WorkerError({
      place: `${host}: ${model}`,
      expected: "an answer",
      got: `status ${status}, ${times(tries)}${complaint.message === "" ? "" : `: ${complaint.message}`}`,
      remedy: status === 429 ? `${later}, or with a lower options.concurrency: ${KEPT}` : `${later}: ${KEPT}`,
    });
  }
  return new WorkerError({
    place: `${host}: ${model}`,
    expected: "an answer",
    got: `${outcome.kind === "dropped" ? outcome.reason : outcome.kind}, ${times(tries)}`,
    remedy: `Check that the server runs and options.baseUrl leads to it, then start again: ${KEPT}`,
  });
}

/** once, 2 times. */
export function times(tries: number): string {
  return tries === 1 ? "once" : `${tries} times`;
}
