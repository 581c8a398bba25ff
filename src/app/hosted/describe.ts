/** @file What is sent to a hosted model, what it costs and which limits hold, in words. */

import { count, counted } from "../../base/human-numbers.ts";
import { CHARS_PER_TOKEN, type CostEstimate } from "../../eval/hosted/estimate.ts";
import { amount } from "../../eval/hosted/purse.ts";
import type { Budget, Spending } from "../../eval/hosted/types.ts";
import type { HostedChoice } from "./choice.ts";

/** What would be sent where and what it costs, to be shown before anything is. @param numRows  examples, of which some may be answered already */
export function describeSending(
  { baseUrl, model, api, apiKey, prices, budget }: HostedChoice,
  numRows: number,
  { requests, promptTokens, maxCompletionTokens, money }: CostEstimate,
): string {
  const price =
    prices === undefined
      ? "price     not known: give options.prices IN,OUT (money for a million tokens in and out)"
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
  if (limits.length === 0) return "none (options.budget.money, options.budget.requests)";
  return `at most ${limits.join(" and ")}, then it stops and can go on`;
}

/** What was used, to be said at the end. */
export function describeSpending({ requests, cached, money, prompt_tokens, completion_tokens }: Spending): string {
  const tokens = `${count(prompt_tokens)} tokens in and ${count(completion_tokens)} out`;
  const paid = Number.isNaN(money) ? "" : `, about ${amount(money)} in money`;
  return `${counted(requests, "request")} sent, ${tokens}${paid}; ${counted(cached, "answer was", "answers were")} there already.`;
}
