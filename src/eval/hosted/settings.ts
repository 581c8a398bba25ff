/** @file How to reach a model behind an OpenAI-compatible endpoint, and how much it may be asked. */

import type { Purse } from "./purse.ts";
import type { Budget, HostedApi, Prices } from "./types.ts";

export interface HostedSettings {
  /** Up to and with the version: `https://host/v1`. */
  baseUrl: string;
  model: string;
  /** Digest of the model behind the name, where the service tells: answers of another one are not this one's. */
  served?: string;
  api: HostedApi;
  /** Of printable ASCII; absent: none is sent. */
  apiKey?: string;
  organisation?: string;
  /** Requests under way at a time. */
  concurrency: number;
  /** From sending a request to the last byte of its answer. Node itself ends one after 300 s without a byte. */
  timeoutMs: number;
  /** Tries after the first, of one request, in a time in which no other is answered. */
  maxRetries: number;
  /** Where answers are kept, for all endpoints and models. Made if it is not there. */
  cacheFolder: string;
  budget: Budget;
  /** The endpoint may not know the model yet, for so long after it was opened: one that was just fine-tuned. Default: it must. */
  newModelMs?: number;
  /** One purse of several models, in place of one of its own with `budget`. */
  purse?: Purse;
  prices?: Prices;
  /** Milliseconds since 1970. */
  clock(): number;
  /** Uniform in [0, 1): spreads waits. */
  random(): number;
  /** Rejects when the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** No request is sent after it fired; those under way are waited for, as they are paid for. */
  signal?: AbortSignal;
  /** Told what a person should know while waiting. */
  note?(text: string): void;
}
