/** @file A hosted model that may be asked: `openai:NAME` and the options beside it, checked before anything is sent. */

import { SpecError } from "../../base/errors.ts";
import { count } from "../../base/human-numbers.ts";
import type { CostEstimate } from "../../eval/hosted/estimate.ts";
import type { HostedSettings } from "../../eval/hosted/settings.ts";
import type { Budget, HostedApi, Prices } from "../../eval/hosted/types.ts";
import { HOSTED_PREFIX, isHosted } from "../../specs/hosted.ts";
import type { OpenAiSettings } from "../settings.ts";

/** Options of hosted models. Nothing is sent and nothing is paid without consent. */
export interface HostedOptions {
  /** Any OpenAI-compatible endpoint; default OPENAI_BASE_URL, else OpenAI's. */
  baseUrl?: string | undefined;
  /** Default chat; base models have completions. */
  api?: HostedApi | undefined;
  /** Requests under way at a time; default 8. */
  concurrency?: number | undefined;
  /** What may be used up; money needs prices. Default no limit. */
  budget?: Budget | undefined;
  /** Money for a million tokens. */
  prices?: Prices | undefined;
  /** Rows may be sent to the host; default false. */
  isAllowed?: boolean | undefined;
  /** Fine-tuning jobs may be paid for; default false. */
  isPaid?: boolean | undefined;
}

/** A hosted model with its options: what {@link HostedSettings} needs of it, and the consent. */
export type HostedChoice = Pick<
  HostedSettings,
  "baseUrl" | "model" | "served" | "api" | "apiKey" | "organisation" | "concurrency" | "budget" | "prices"
> & {
  /** Rows may be sent. */
  isAllowed: boolean;
  /** Fine-tuning may be paid for. */
  isPaid: boolean;
};

/** OpenAI's own endpoint, as its documentation names it. */
export const OPENAI_URL = "https://api.openai.com/v1";
const DEFAULT_CONCURRENCY = 8;

/**
 * Reads a model's name and the options beside it; undefined for a model that is not hosted.
 *
 * @param env  settings of the environment; the only source of keys
 * @throws {SpecError} an option that makes no sense, or that a local model has no use for; OpenAI itself, allowed and without a key
 */
export function hostedChoice(model: string, options: HostedOptions, env: OpenAiSettings): HostedChoice | undefined {
  if (!model.startsWith(HOSTED_PREFIX)) {
    refuseHere(model, options);
    return undefined;
  }
  const name = model.slice(HOSTED_PREFIX.length);
  if (name.trim() !== name || name === "") throw wrong("model", "openai:NAME", model, "Name a model of the endpoint.");
  const { prices, budget = {}, isAllowed = false, isPaid = false } = options;
  const baseUrl = (options.baseUrl ?? env.baseUrl ?? OPENAI_URL).replace(/\/+$/, "");
  if (baseUrl === OPENAI_URL && env.apiKey === undefined && isAllowed) throw noKey();
  if (budget.money !== undefined && prices === undefined)
    throw wrong("options.budget.money", "the prices that it is counted in", "none", "Give options.prices IN,OUT too.");
  return {
    baseUrl,
    model: name,
    api: options.api ?? "chat",
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
    ...{ budget, isAllowed, isPaid },
    ...(prices === undefined ? {} : { prices }),
    ...(env.apiKey === undefined ? {} : { apiKey: env.apiKey }),
    ...(env.organisation === undefined ? {} : { organisation: env.organisation }),
  };
}

/**
 * The hosted models among a study's models and baselines, by the name that the study gives them.
 * @throws {SpecError} what {@link hostedChoice} does; options of hosted models without one
 */
export function hostedChoices(
  among: readonly string[],
  options: HostedOptions,
  env: OpenAiSettings,
): Record<string, HostedChoice> {
  const names = [...new Set(among.filter(isHosted))];
  if (names.length === 0) refuseHere("a study without one (models, eval.baselines)", options);
  // without a prototype: a model may be named as a member of every object is
  return Object.assign(
    Object.create(null),
    Object.fromEntries(names.map((name) => [name, hostedChoice(name, options, env)!])),
  );
}

/** @throws {SpecError} rows would be sent and nobody allowed it */
export function mustBeAllowed({ baseUrl, isAllowed }: HostedChoice, { requests }: CostEstimate): void {
  if (isAllowed || requests === 0) return;
  throw wrong(
    "options.isAllowed",
    `permission to send ${count(requests)} requests to ${baseUrl}`,
    "none",
    "Nothing was sent. Add options.isAllowed if rows, host and price above are what you want.",
  );
}

/** Options that only a hosted model has a use for, in the order in which they are refused. */
const HOSTED_ONLY = ["baseUrl", "api", "isAllowed", "budget.money", "budget.requests", "prices", "isPaid"] as const;

function refuseHere(got: string, { budget = {}, ...options }: HostedOptions): void {
  const given = { ...options, "budget.money": budget.money, "budget.requests": budget.requests };
  const key = HOSTED_ONLY.find((name) => given[name] !== undefined && given[name] !== false);
  if (key === undefined) return;
  const place = `options.${key}`;
  throw wrong(place, "a hosted model, openai:NAME", got, `Leave ${place} out, or write openai: before the name.`);
}

function noKey(): SpecError {
  return wrong(
    "OPENAI_API_KEY",
    `a key for ${OPENAI_URL}`,
    "none",
    "Set the variable, or name another endpoint with options.baseUrl; keys are taken from the environment only.",
  );
}

function wrong(place: string, expected: string, got: string, remedy: string): SpecError {
  return new SpecError({ place, expected, got, remedy });
}
