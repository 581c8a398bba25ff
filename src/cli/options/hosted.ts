/**
 * @file A hosted model on a command line: `openai:NAME` and the options that go with it, checked before anything is sent, and the words that
 * say what would be sent where and at which price.
 */

import type { OpenAiSettings } from "../../app/settings.ts";
import { SpecError } from "../../base/errors.ts";
import { count } from "../../base/human-numbers.ts";
import { CHARS_PER_TOKEN, type CostEstimate } from "../../eval/hosted/estimate.ts";
import { amount } from "../../eval/hosted/purse.ts";
import type { Budget, HostedApi, HostedSettings, Prices, Spending } from "../../eval/hosted/types.ts";
import { HOSTED_PREFIX, isHosted } from "../../specs/hosted.ts";

/** As they come from the command line. */
export interface HostedFlags {
  baseUrl?: string;
  api?: string;
  allowHosted?: boolean;
  maxCost?: string;
  maxRequests?: string;
  prices?: string;
  concurrency?: string;
  /** Of a study alone. */
  yes?: boolean;
}

/** The options for commander: flags, what they mean. */
export const HOSTED_OPTIONS: readonly (readonly [string, string])[] = [
  ["--base-url <url>", "of openai:NAME: any OpenAI-compatible endpoint (default: OPENAI_BASE_URL, else OpenAI's)"],
  ["--api <name>", "of openai:NAME: chat, or completions for base models (default: chat)"],
  ["--allow-hosted", "send the rows that were shown to the host that was shown"],
  ["--max-cost <money>", "stop before the request that could cost more in all; needs --prices"],
  ["--max-requests <n>", "stop before sending more requests, retries included"],
  ["--prices <in,out[,trained]>", "money for a million tokens in, out and fine-tuned, for the estimate and --max-cost"],
  ["--concurrency <n>", "requests under way at a time (default: 8)"],
];

/** What a command line says of a hosted model: what {@link HostedSettings} needs of it, and the consent. */
export type HostedChoice = Pick<
  HostedSettings,
  "baseUrl" | "model" | "api" | "apiKey" | "organisation" | "concurrency" | "budget" | "prices"
> & {
  /** Rows may be sent. */
  isAllowed: boolean;
  /** Fine-tuning may be paid for. */
  isPaid: boolean;
};

/** OpenAI's own endpoint, as its documentation names it. */
const OPENAI_URL = "https://api.openai.com/v1";
const DEFAULT_CONCURRENCY = 8;
const MAX_CONCURRENCY = 256;

/**
 * Reads a model's name and the options beside it; undefined for a model that is not hosted.
 *
 * @param env  what the environment says; the only source of keys
 * @throws {SpecError} an option that makes no sense, or that a local model has no use for; OpenAI itself, allowed and without a key
 */
export function hostedChoice(model: string, flags: HostedFlags, env: OpenAiSettings): HostedChoice | undefined {
  if (!model.startsWith(HOSTED_PREFIX)) {
    refuseHere(model, flags);
    return undefined;
  }
  const name = model.slice(HOSTED_PREFIX.length);
  if (name.trim() !== name || name === "") throw wrong("model", "openai:NAME", model, "Name a model of the endpoint.");
  const baseUrl = (flags.baseUrl ?? env.baseUrl ?? OPENAI_URL).replace(/\/+$/, "");
  if (baseUrl === OPENAI_URL && env.apiKey === undefined && flags.allowHosted) throw noKey();
  const prices = flags.prices === undefined ? undefined : pricesIn(flags.prices);
  const money = flags.maxCost === undefined ? undefined : amountIn("--max-cost", flags.maxCost);
  if (money !== undefined && prices === undefined)
    throw wrong("--max-cost", "the prices that it is counted in", "none", "Give --prices IN,OUT too.");
  const requests = flags.maxRequests === undefined ? undefined : countIn("--max-requests", flags.maxRequests);
  const concurrency = countIn("--concurrency", flags.concurrency ?? `${DEFAULT_CONCURRENCY}`, MAX_CONCURRENCY);
  return {
    baseUrl,
    model: name,
    api: apiIn(flags.api ?? "chat"),
    concurrency,
    budget: { ...(requests === undefined ? {} : { requests }), ...(money === undefined ? {} : { money }) },
    isAllowed: flags.allowHosted === true,
    isPaid: flags.yes === true,
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
  flags: HostedFlags,
  env: OpenAiSettings,
): Record<string, HostedChoice> {
  const names = [...new Set(among.filter(isHosted))];
  if (names.length === 0) refuseHere("a study without one (models, eval.baselines)", flags);
  return Object.fromEntries(names.map((name) => [name, hostedChoice(name, flags, env)!]));
}

/** What would be sent where and what it costs, to be shown before anything is. @param numRows  examples, of which some may be answered already */
export function describeSending(
  { baseUrl, model, api, apiKey, prices, budget }: HostedChoice,
  numRows: number,
  { requests, promptTokens, maxCompletionTokens, money }: CostEstimate,
): string {
  const price =
    prices === undefined
      ? "price     not known: give --prices IN,OUT (money for a million tokens in and out)"
      : `price     about ${amount(money)} if every answer is as long as it may be, at ${prices.inputPerMillion} and ${prices.outputPerMillion} for a million tokens in and out`;
  return [
    `host      ${baseUrl} (${api}), model ${model}, ${keyText(apiKey)}`,
    `rows      ${count(numRows)}; ${count(requests)} requests to send, the rest is answered already`,
    `tokens    about ${count(promptTokens)} in (${CHARS_PER_TOKEN} characters taken for a token), at most ${count(maxCompletionTokens)} out`,
    price,
    `limits    ${limitsText(budget)}`,
  ].join("\n");
}

/** Whether a key is sent; never which. */
export function keyText(apiKey: string | undefined): string {
  return apiKey === undefined ? "without a key" : "with the key in OPENAI_API_KEY";
}

/** What may be used up, in words. */
export function limitsText(budget: Budget): string {
  const limits = [
    ...(budget.requests === undefined ? [] : [`${count(budget.requests)} requests`]),
    ...(budget.money === undefined ? [] : [`${amount(budget.money)} in money`]),
  ];
  if (limits.length === 0) return "none (--max-cost, --max-requests)";
  return `at most ${limits.join(" and ")}, then it stops and can go on`;
}

/** What was used, to be said at the end. */
export function describeSpending({ requests, cached, money, prompt_tokens, completion_tokens }: Spending): string {
  const tokens = `${count(prompt_tokens)} tokens in and ${count(completion_tokens)} out`;
  const paid = Number.isNaN(money) ? "" : `, about ${amount(money)} in money`;
  return `${count(requests)} requests sent, ${tokens}${paid}; ${count(cached)} answers were there already.`;
}

/** @throws {SpecError} rows would be sent and nobody allowed it */
export function mustBeAllowed({ baseUrl, isAllowed }: HostedChoice, { requests }: CostEstimate): void {
  if (isAllowed || requests === 0) return;
  throw wrong(
    "--allow-hosted",
    `permission to send ${count(requests)} requests to ${baseUrl}`,
    "none",
    "Nothing was sent. Add --allow-hosted if rows, host and price above are what you want.",
  );
}

/** Flags that only a hosted model has a use for; other options of a command may come beside them. */
const HOSTED_ONLY = ["baseUrl", "api", "allowHosted", "maxCost", "maxRequests", "prices", "yes"] as const;

function refuseHere(got: string, flags: HostedFlags): void {
  const given = HOSTED_ONLY.find((name) => flags[name] !== undefined && flags[name] !== false);
  if (given === undefined) return;
  const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw wrong(flag, "a hosted model, openai:NAME", got, `Leave ${flag} out, or write openai: before the name.`);
}

function apiIn(text: string): HostedApi {
  if (text === "chat" || text === "completions") return text;
  throw wrong("--api", "chat or completions", text, "Base models have completions, all others chat.");
}

function pricesIn(text: string): Prices {
  const parts = text.split(",");
  if (parts.length !== 2 && parts.length !== 3)
    throw wrong(
      "--prices",
      "two or three numbers with commas, as 2.5,10 or 2.5,10,25",
      text,
      "Give money for a million tokens in and out, and for fine-tuning for a million trained on.",
    );
  const [inputPerMillion = 0, outputPerMillion = 0, trainingPerMillion] = parts.map((part) =>
    amountIn("--prices", part),
  );
  return { inputPerMillion, outputPerMillion, ...(trainingPerMillion === undefined ? {} : { trainingPerMillion }) };
}

function amountIn(flag: string, text: string): number {
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text);
  throw wrong(flag, "a number, as 2.5", text, "Write it with a point and without a currency.");
}

function countIn(flag: string, text: string, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? "a whole number from 1" : `a whole number from 1 to ${max}`;
  throw wrong(flag, range, text, "Correct the option.");
}

function noKey(): SpecError {
  return wrong(
    "OPENAI_API_KEY",
    `a key for ${OPENAI_URL}`,
    "none",
    "Set the variable, or name another endpoint with --base-url; keys are taken from the environment only.",
  );
}

function wrong(place: string, expected: string, got: string, remedy: string): SpecError {
  return new SpecError({ place, expected, got, remedy });
}
