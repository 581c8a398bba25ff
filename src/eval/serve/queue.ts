/** @file Prompts that wait for the network: those for one model are answered together, and beyond a bound no more are taken. */

import { setImmediate } from "node:timers/promises";
import { packLabels } from "../../data/batches/packing.ts";
import { endIdsOf } from "../../data/tokens/chat-template.ts";
import type { DecoderConfig } from "../../models/config.ts";
import { type Generated, generate, MAX_ROWS, type Prompt } from "../generate.ts";
import type { LocalModel } from "../local-model.ts";
import type { ScoredToken } from "../sampling.ts";
import { ApiError } from "./api-error.ts";

/** How an answer is written. */
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
  /** Listens while the job waits. */
  onAbort(): void;
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
    for (const { job, onAbort, reject } of this.waiting.splice(0)) {
      job.signal.removeEventListener("abort", onAbort);
      reject(stopping());
    }
  }

  private enqueue(job: Job): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (job.signal.aborted) return reject(gone());
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(gone());
      };
      const entry: Waiting = { job, onAbort, resolve, reject };
      this.waiting.push(entry);
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

  /** The job that has waited longest and others for its model, as far as their keys and values have room. */
  private takeBatch(): Waiting[] {
    const { model } = this.waiting[0]!.job;
    const room = Math.floor((this.options.cacheBytes ?? CACHE_BYTES) / bytesPerToken(model.network.config));
    const batch: Waiting[] = [];
    let longest = 0;
    for (const entry of this.waiting) {
      const { job } = entry;
      if (job.model !== model) continue;
      const length = Math.min(job.prompt.length + job.manner.maxNewTokens, model.network.maxPositions);
      if (batch.length > 0 && (batch.length + 1) * Math.max(longest, length) > room) break;
      longest = Math.max(longest, length);
      if (batch.push(entry) === MAX_ROWS) break;
    }
    const taken = new Set(batch);
    for (const { job, onAbort } of batch) job.signal.removeEventListener("abort", onAbort);
    this.waiting.splice(0, this.waiting.length, ...this.waiting.filter((entry) => !taken.has(entry)));
    return batch;
  }

  private async answer(batch: readonly Waiting[]): Promise<void> {
    try {
      const { model } = batch[0]!.job;
      const scored = batch.filter(({ job }) => job.manner.scoresPrompt);
      const scores = await promptLogprobs(
        model,
        scored.map(({ job }) => job.prompt),
      );
      const finish = (entry: Waiting, { text, ids, stopped }: Generated) => {
        this.numRunning--;
        const logprobs = scores[scored.indexOf(entry)];
        if (stopped === "dropped") entry.reject(this.isAbandoned ? stopping() : gone());
        else entry.resolve({ text, ids, stopped, ...(logprobs === undefined ? {} : { promptLogprobs: logprobs }) });
      };
      const asked = batch.filter(({ job }) => job.manner.maxNewTokens > 0);
      for (const entry of batch) if (!asked.includes(entry)) finish(entry, NOTHING);
      await this.write(model, asked, finish);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private async write(
    model: LocalModel,
    batch: readonly Waiting[],
    finish: (entry: Waiting, answer: Generated) => void,
  ): Promise<void> {
    const { tokenizer, template, network, parameters } = model;
    const endIds = endIdsOf(template, tokenizer);
    const prompts = batch.map(({ job }): Prompt => {
      const { maxNewTokens, temperature, topP, stopStrings, topLogprobs } = job.manner;
      let tokens: AnswerToken[] = [];
      const onToken = (_: number, token: ScoredToken, likeliest: ScoredToken[]) => {
        if (!endIds.includes(token.id)) tokens.push({ ...token, likeliest });
      };
      const onText = (_: number, piece: string) => {
        job.onText?.(piece, tokens);
        tokens = [];
      };
      return {
        id: `seed ${job.seed}`, // names the prompt's stream of random numbers
        prompt: job.prompt,
        own: {
          maxNewTokens,
          stopStrings,
          sampling: { temperature, topP, seed: 0 },
          ...(topLogprobs === null ? {} : { scored: { top: topLogprobs, onToken } }),
          ...(job.onText === undefined ? {} : { onText }),
        },
      };
    });
    await generate(network, parameters, prompts, {
      endIds,
      maxNewTokens: 1, // each has its own
      decode: tokenizer.decode,
      onAnswer: (i, answer) => finish(batch[i]!, answer),
      isWanted: (i) => !this.isAbandoned && !batch[i]!.job.signal.aborted,
    });
  }
}

const NOTHING: Generated = { text: "", ids: new Int32Array(0), stopped: "length" };

/** Of each prompt's tokens but the first. */
async function promptLogprobs(model: LocalModel, prompts: readonly Int32Array[]): Promise<Float64Array[]> {
  if (prompts.length === 0) return [];
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
