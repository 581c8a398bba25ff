/** @file Prompts that wait for the network: those that are alike are answered together, and beyond a bound no more are taken. */

import { setImmediate } from "node:timers/promises";
import { packLabels } from "../../data/packing.ts";
import type { DecoderConfig } from "../../models/config.ts";
import { type Generated, generate, MAX_ROWS } from "../generate.ts";
import type { LocalModel } from "../local-model.ts";
import type { ScoredToken } from "../sampling.ts";
import { ApiError } from "./api-error.ts";

/** How an answer is written; prompts that agree in it are answered together. */
export interface Manner {
  /** 0: nothing is written, the prompt is scored at most. */
  maxNewTokens: number;
  temperature: number;
  topP: number;
  stopStrings: readonly string[];
  /** How many of the likeliest tokens are told at each place; null: no log-probabilities. */
  topLogprobs: number | null;
  /** Whether the prompt's own tokens are scored. */
  scoresPrompt: boolean;
}

export interface Answer extends Pick<Generated, "text" | "ids"> {
  stopped: Exclude<Generated["stopped"], "dropped">;
  /** Of each token of the prompt but the first, in nats, where asked for. */
  promptLogprobs?: Float64Array;
}

/** A token of an answer, and the likeliest ones of its place. */
export interface AnswerToken extends ScoredToken {
  likeliest: ScoredToken[];
}

export interface Job {
  model: LocalModel;
  prompt: Int32Array;
  manner: Manner;
  /** Same model, prompt, manner and seed: same answer. */
  seed: string;
  /** Fires when nobody waits for the answer any more. */
  signal: AbortSignal;
  /** Called with each piece of the answer, and the tokens (where log-probabilities are asked for) since the last. Absent: the answer comes whole. */
  onText?(piece: string, tokens: AnswerToken[]): void;
}

export interface QueueOptions {
  /** Prompts that may wait. */
  maxWaiting: number;
  /** Milliseconds, for Retry-After. */
  now(): number;
  /** Memory for keys and values of answers that are written together. Default {@link CACHE_BYTES}. */
  cacheBytes?: number;
}

const CACHE_BYTES = 512 * 2 ** 20;
const MAX_RETRY_SECONDS = 60;
/** Tokens of prompts through the scoring network in one pass. */
const SCORING_TOKENS = 2048;

interface Waiting {
  job: Job;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** Owns the order in which jobs are done: one batch at a time, the one that has waited longest first. */
export class GenerationQueue {
  private readonly options: QueueOptions;
  private readonly waiting: Waiting[] = [];
  private numRunning = 0;
  private isWorking = false;
  private isStopping = false;
  private isAbandoned = false;
  private lastBatchMs = 1000;
  private whenIdle: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.options = options;
  }

  /** Prompts that wait, and those that are being answered. */
  get load(): { waiting: number; running: number } {
    return { waiting: this.waiting.length, running: this.numRunning };
  }

  /**
   * Takes all of these jobs, or none.
   *
   * @returns an answer each; rejected with 499 where nobody waits for it any more, 503 where the server stops
   * @throws {ApiError} 429, 503, or 400 for more than can ever wait
   */
  submit(jobs: readonly Job[]): Promise<Answer>[] {
    const { maxWaiting } = this.options;
    if (this.isStopping) throw stopping();
    if (jobs.length > maxWaiting) {
      throw new ApiError(400, `prompt: expected at most ${maxWaiting} prompts, got ${jobs.length}.`, {
        param: "prompt",
      });
    }
    if (this.waiting.length + jobs.length > maxWaiting) {
      const retryAfter = Math.min(MAX_RETRY_SECONDS, Math.max(1, Math.ceil(this.lastBatchMs / 1000)));
      throw new ApiError(
        429,
        `${this.waiting.length} prompts wait already, more are not taken. Try again in ${retryAfter} s.`,
        {
          code: "queue_full",
          retryAfter,
        },
      );
    }
    const answers = jobs.map((job) => this.enqueue(job));
    void this.work();
    return answers;
  }

  /** Takes no more jobs. */
  stop(): void {
    this.isStopping = true;
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    if (this.isWorking) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  /** Gives up what waits, and what runs at its next token. */
  abandon(): void {
    this.stop();
    this.isAbandoned = true;
    for (const { reject } of this.waiting.splice(0)) reject(stopping());
  }

  private enqueue(job: Job): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const entry = { job, resolve, reject };
      if (job.signal.aborted) return reject(gone());
      this.waiting.push(entry);
      const onAbort = () => {
        const at = this.waiting.indexOf(entry);
        if (at < 0) return; // running, or done
        this.waiting.splice(at, 1);
        reject(gone());
      };
      job.signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  private async work(): Promise<void> {
    if (this.isWorking) return;
    this.isWorking = true;
    await setImmediate(); // requests that came in together are answered together
    while (this.waiting.length > 0) {
      const batch = this.takeBatch();
      const began = this.options.now();
      this.numRunning = batch.length;
      await this.answer(batch);
      this.numRunning = 0;
      this.lastBatchMs = this.options.now() - began;
    }
    this.isWorking = false;
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  /** The job that has waited longest and those that are alike, as far as their keys and values have room. */
  private takeBatch(): Waiting[] {
    const { model, manner } = this.waiting[0]!.job;
    const key = JSON.stringify(manner);
    const room = Math.floor((this.options.cacheBytes ?? CACHE_BYTES) / bytesPerToken(model.network.config));
    const batch: Waiting[] = [];
    let longest = 0;
    for (const entry of this.waiting) {
      const { job } = entry;
      if (job.model !== model || JSON.stringify(job.manner) !== key) continue;
      const length = Math.min(job.prompt.length + manner.maxNewTokens, model.network.maxPositions);
      if (batch.length > 0 && (batch.length + 1) * Math.max(longest, length) > room) break;
      longest = Math.max(longest, length);
      if (batch.push(entry) === MAX_ROWS) break;
    }
    const taken = new Set(batch);
    this.waiting.splice(0, this.waiting.length, ...this.waiting.filter((entry) => !taken.has(entry)));
    return batch;
  }

  private async answer(batch: readonly Waiting[]): Promise<void> {
    try {
      const { model, manner } = batch[0]!.job;
      const prompts = batch.map(({ job }) => job.prompt);
      const scores = manner.scoresPrompt ? await promptLogprobs(model, prompts) : undefined;
      const answers = manner.maxNewTokens === 0 ? prompts.map(() => NOTHING) : await this.written(batch);
      for (const [i, { text, ids, stopped }] of answers.entries()) {
        if (stopped === "dropped") batch[i]!.reject(this.isAbandoned ? stopping() : gone());
        else batch[i]!.resolve({ text, ids, stopped, ...(scores === undefined ? {} : { promptLogprobs: scores[i]! }) });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private written(batch: readonly Waiting[]): Promise<Generated[]> {
    const { model, manner } = batch[0]!.job;
    const { tokenizer, template, network, parameters } = model;
    const { maxNewTokens, temperature, topP, stopStrings, topLogprobs } = manner;
    const endIds = [...new Set([template.endOfTurnId, tokenizer.eosId])];
    const pending = batch.map((): AnswerToken[] => []);
    const onToken = (i: number, token: ScoredToken, likeliest: ScoredToken[]) => {
      if (!endIds.includes(token.id)) pending[i]!.push({ ...token, likeliest });
    };
    const isStreamed = batch.some(({ job }) => job.onText !== undefined);
    // the seed names a prompt's stream of random numbers, so that jobs of different seeds can go together
    const prompts = batch.map(({ job }) => ({ id: `seed ${job.seed}`, prompt: job.prompt }));
    return generate(network, parameters, prompts, {
      endIds,
      maxNewTokens,
      stopStrings,
      decode: tokenizer.decode,
      isWanted: (i) => !this.isAbandoned && !batch[i]!.job.signal.aborted,
      ...(temperature === 0 ? {} : { sampling: { temperature, topP, seed: 0 } }),
      ...(topLogprobs === null ? {} : { scored: { top: topLogprobs, onToken } }),
      ...(isStreamed ? { onText: (i, piece) => batch[i]!.job.onText?.(piece, pending[i]!.splice(0)) } : {}),
    });
  }
}

const NOTHING: Generated = { text: "", ids: new Int32Array(0), stopped: "length" };

/** Of each prompt's tokens but the first. */
async function promptLogprobs(model: LocalModel, prompts: readonly Int32Array[]): Promise<Float64Array[]> {
  const network = await model.scoring();
  const examples = prompts.map((ids, i) => ({ id: `${i}`, prompt: ids.subarray(0, 1), answer: ids.subarray(1) }));
  const scores = examples.map(({ answer }) => new Float64Array(answer.length));
  const next = examples.map(() => 0);
  const some = examples.filter(({ answer }) => answer.length > 0);
  for (const pack of packLabels(some, (i) => [some[i]!.answer], { sharePrefix: false, maxTokens: SCORING_TOKENS })) {
    const nll = await network.nll(pack, model.parameters);
    for (const [r, value] of nll.entries()) {
      const i = Number(some[pack.example[r]!]!.id);
      scores[i]![next[i]!++] = -value;
    }
  }
  return scores;
}

function bytesPerToken({ num_hidden_layers, num_key_value_heads, head_dim }: DecoderConfig): number {
  return 2 * num_hidden_layers * num_key_value_heads * head_dim * Float32Array.BYTES_PER_ELEMENT;
}

function stopping(): ApiError {
  return new ApiError(503, "This server is stopping.", { code: "stopping", retryAfter: 5 });
}

function gone(): ApiError {
  return new ApiError(499, "The client went away.");
}
