/** @file The budget while requests are under way: the most that each can cost is set aside before it is sent, and settled when it ended. */

import { WorkerError } from "../../base/errors.ts";
import type { Budget, HostedAnswer, Prices, Spending } from "./types.ts";

/** Tokens of a request. */
export interface Tokens {
  prompt: number;
  completion: number;
  /** Of fine-tuning: once an epoch. */
  trained?: number;
}

export class Purse {
  readonly spending: Spending;
  private readonly budget: Budget;
  private readonly prices: Prices | undefined;
  private readonly place: string;
  private setAside = 0;
  private numUnderWay = 0;
  private waiting: (() => void)[] = [];

  constructor(budget: Budget, prices: Prices | undefined, place: string) {
    this.budget = budget;
    this.prices = prices;
    this.place = place;
    const money = prices === undefined ? Number.NaN : 0;
    this.spending = {
      ...{ requests: 0, answers: 0, cached: 0, prompt_tokens: 0, completion_tokens: 0 },
      ...{ money, estimated: 0 },
    };
  }

  /**
   * Sets aside the most that a request can cost. Where that only fits once others under way have turned out cheaper, they are waited for.
   * @throws {WorkerError} the budget does not hold another request
   * @throws the signal's reason, where it fired while waiting
   */
  async take(most: Tokens, signal: AbortSignal): Promise<void> {
    const cost = this.costOf(most);
    const { requests = Number.POSITIVE_INFINITY, money = Number.POSITIVE_INFINITY } = this.budget;
    for (;;) {
      signal.throwIfAborted();
      if (this.spending.requests >= requests) throw this.usedUp(`${requests} requests`, "options.budget.requests");
      // NaN, without prices, is never above a limit; a limit in money is refused then.
      if (!(this.spending.money + this.setAside + cost > money)) break;
      if (this.numUnderWay === 0) throw this.usedUp(`${amount(money)} in money`, "options.budget.money", cost);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    this.spending.requests++;
    this.setAside += cost;
    this.numUnderWay++;
  }

  /** An answer came. @param estimate  its tokens, where the endpoint does not tell them */
  settle(most: Tokens, { usage }: HostedAnswer, estimate: Tokens): void {
    this.spending.answers++;
    if (usage === null) this.spending.estimated++;
    this.add(usage === null ? estimate : { prompt: usage.prompt_tokens, completion: usage.completion_tokens });
    this.release(most);
  }

  /** A fine-tuning job ended. @param trained  tokens that it was billed for */
  settleTrained(most: Tokens, trained: number): void {
    this.add({ prompt: 0, completion: 0, trained });
    this.release(most);
  }

  /** It broke off and may have been billed: the most that it can have cost counts as spent. */
  settleUnknown(most: Tokens): void {
    this.spending.estimated++;
    this.add(most);
    this.release(most);
  }

  /** It was refused and cost nothing. */
  release(most: Tokens): void {
    this.setAside -= this.costOf(most);
    // Sums of floating-point numbers leave crumbs.
    if (--this.numUnderWay === 0) this.setAside = 0;
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  }

  private add(tokens: Tokens): void {
    this.spending.prompt_tokens += tokens.prompt;
    this.spending.completion_tokens += tokens.completion;
    this.spending.money += this.costOf(tokens);
  }

  private costOf(tokens: Tokens): number {
    return costOf(tokens, this.prices);
  }

  private usedUp(limit: string, option: string, next?: number): WorkerError {
    const { requests, answers, money } = this.spending;
    const paid = Number.isNaN(money) ? "" : `, ${amount(money)} spent`;
    return new WorkerError({
      place: this.place,
      expected: `at most ${limit}, the budget`,
      got: `${requests} requests and ${answers} answers so far${paid}${next === undefined ? "" : `, and up to ${amount(next)} for the next one`}`,
      remedy: `Raise ${option} and start again: what was answered is kept and is not paid for again.`,
    });
  }
}

/** Money for tokens; NaN without prices. */
export function costOf({ prompt, completion, trained = 0 }: Tokens, prices: Prices | undefined): number {
  if (prices === undefined) return Number.NaN;
  const training = trained === 0 ? 0 : trained * (prices.trainingPerMillion ?? Number.NaN);
  return (prompt * prices.inputPerMillion + completion * prices.outputPerMillion + training) / 1e6;
}

/** Money in digits that show something: 12.35, 0.0042. */
export function amount(money: number): string {
  return money >= 1 || money === 0 ? money.toFixed(2) : money.toPrecision(2);
}
