/** @file Answers written token by token: prompts in batches, their shared beginning read once, then one token a pass for each unfinished row. */

import { DataError, SpecError, WorkerError } from "../base/errors.ts";
import { Rng } from "../base/rng.ts";
import { sharePrefixes, sortedByPrompt } from "../data/batches/layout.ts";
import type { TokenizedExample } from "../data/types.ts";
import type { CachedNetwork } from "../models/cached-network.ts";
import { moveRow } from "../models/kv-cache.ts";
import type { Language } from "./languages.ts";
import { drawn, likeliest, logProbability, type Sampling, type ScoredToken, topTokens } from "./sampling.ts";
import { type Decode, type TextStream, textStream } from "./text-stream.ts";

/** A prompt's ids. The id names its stream of random numbers: equal ids with equal prompts give equal texts. */
export interface Prompt extends Pick<TokenizedExample, "id" | "prompt"> {
  /** What is other for this prompt than for the rest. */
  own?: Partial<Pick<GenerateOptions, "maxNewTokens" | "stopStrings" | "sampling" | "scored" | "onText">>;
}

export interface GenerateOptions {
  /** Tokens that end an answer: the template's end of turn, and others where a model has them. */
  endIds: readonly number[];
  maxNewTokens: number;
  decode: Decode;
  /** An answer ends before the first of these in its text. */
  stopStrings?: readonly string[];
  /** Absent: the likeliest token is taken at each step. */
  sampling?: Sampling;
  /** What the answer to a prompt, by its index, is held to; it decides its end too. */
  language?(prompt: number): Language;
  /** Whether to return log-probabilities, which cost a pass over the vocabulary a token. */
  logprobs?: boolean;
  /** Called with each token before its text, with the `top` likeliest ones of its place; as dear as `logprobs`. */
  scored?: { top: number; onToken(prompt: number, token: ScoredToken, likeliest: ScoredToken[]): void };
  /** Rows read at a time; their keys and values are held in memory. Default {@link MAX_ROWS}. */
  maxRows?: number;
  /** Called with each certain piece of an answer's text, as it grows. */
  onText?(prompt: number, piece: string): void;
  /** Asked after each token; an answer that nobody waits for any more ends there, as `dropped`. */
  isWanted?(prompt: number): boolean;
  /** Called with each answer when it is finished; those of a batch are not finished at once. */
  onAnswer?(prompt: number, answer: Generated): void;
  /** Called when answers are finished, with their number. */
  onProgress?(done: number): Promise<void>;
}

export interface Generated {
  /** Every token generated: with the end token where there is one, and those of a stop string. */
  ids: Int32Array;
  /** Without end token and stop string. */
  text: string;
  /** `end`: an end token; `stop`: a stop string; `length`: maxNewTokens, or no room in the network; `dropped`: not wanted any more. */
  stopped: "end" | "stop" | "length" | "dropped";
  /** Of each id under the model as it is (temperature 1, all tokens allowed), in nats. */
  logprobs?: Float64Array;
}

/** Rows in a batch unless told: enough to keep products wide. */
export const MAX_ROWS = 32;
/** Tokens of prompts through the net in one pass, padding included. */
const PROMPT_TOKENS = 2048;
/** Tokens that a longer shared prefix must save before a group of prompts gets batches of its own. */
const MIN_GAIN = 256;

/**
 * Writes an answer to each prompt. What a row gets does not depend on its neighbours, rounding in the last bits aside.
 *
 * @returns one for each prompt, in their order
 * @throws {SpecError} options out of range
 * @throws {DataError} a prompt without tokens, or without room for an answer
 * @throws {WorkerError} logits that are no numbers
 */
export async function generate(
  network: CachedNetwork,
  parameters: Float32Array,
  prompts: readonly Prompt[],
  options: GenerateOptions,
): Promise<Generated[]> {
  check(prompts, options, network.maxPositions);
  const results: Generated[] = new Array(prompts.length);
  let done = 0;
  for (const group of groupsOf(prompts)) {
    await answerGroup(network, parameters, prompts, group, options, async (row, result) => {
      results[row] = result;
      options.onAnswer?.(row, result);
      await options.onProgress?.(++done);
    });
  }
  return results;
}

function check(prompts: readonly Prompt[], options: GenerateOptions, maxPositions: number): void {
  const demand = (holds: boolean, place: string, expected: string, got: unknown) => {
    if (!holds) throw new SpecError({ place, expected, got: `${got}`, remedy: `Set ${place} so.` });
  };
  const isCount = (n: number) => Number.isSafeInteger(n) && n >= 1;
  const { maxRows = MAX_ROWS } = options;
  demand(isCount(maxRows), "rows at a time", "a whole number of 1 or more", maxRows);
  for (const { maxNewTokens, stopStrings = [], sampling } of [options, ...prompts.map(({ own }) => own ?? {})]) {
    demand(isCount(maxNewTokens ?? 1), "max_new_tokens", "a whole number of 1 or more", maxNewTokens);
    demand(!stopStrings.includes(""), "stop strings", "texts of one character or more", "an empty one");
    if (sampling === undefined) continue;
    const { temperature, topP } = sampling;
    demand(temperature >= 0 && temperature < Number.POSITIVE_INFINITY, "temperature", "0 or more", temperature);
    demand(topP > 0 && topP <= 1, "top_p", "more than 0 and at most 1", topP);
  }
  for (const { id, prompt } of prompts) {
    if (prompt.length > 0 && prompt.length < maxPositions) continue;
    throw new DataError({
      place: `prompt ${id}`,
      expected: `1 to ${maxPositions - 1} tokens, so that an answer has room`,
      got: `${prompt.length}`,
      remedy: "Shorten the prompt, or raise cutoff_len.",
    });
  }
}

/** Prompts that are read together, shortest first, and how many tokens they share. */
interface Group {
  prefixLength: number;
  members: number[];
}

function groupsOf(prompts: readonly Prompt[]): Group[] {
  if (prompts.length <= 1) return prompts.map((_, i) => ({ prefixLength: 0, members: [i] }));
  const items = prompts.map(({ prompt }) => ({ prompt, numFed: prompt.length }));
  const { groupOf, prefixLengths } = sharePrefixes(items, sortedByPrompt(items), MIN_GAIN);
  const groups = prefixLengths.map((prefixLength): Group => ({ prefixLength, members: [] }));
  for (const [i, group] of groupOf.entries()) groups[group]!.members.push(i);
  const length = (i: number) => prompts[i]!.prompt.length;
  for (const { members } of groups) members.sort((a, b) => length(a) - length(b) || a - b);
  return groups;
}

/** An answer in the making. */
interface Row {
  index: number;
  options: GenerateOptions;
  ids: number[];
  logprobs: number[];
  /** Tokens that still have room. */
  room: number;
  /** Of a prompt whose tokens are drawn. */
  rng: Rng | undefined;
  language: Language | null;
  text: TextStream;
}

async function answerGroup(
  network: CachedNetwork,
  parameters: Float32Array,
  prompts: readonly Prompt[],
  { prefixLength, members }: Group,
  options: GenerateOptions,
  onDone: (index: number, result: Generated) => Promise<void>,
): Promise<void> {
  const nothing = network.newCache(1);
  const prefix = network.newCache(1);
  if (prefixLength > 0) {
    const shared = prompts[members[0]!]!.prompt.subarray(0, prefixLength);
    await network.readOn(nothing, prefix, 0, [shared], parameters);
  }
  const maxRows = Math.min(options.maxRows ?? MAX_ROWS, members.length);
  const cache = network.newCache(maxRows);
  const ownTokens = (index: number) => prompts[index]!.prompt.subarray(prefixLength);
  const rows: Row[] = []; // row i lies in row i of the cache

  /** Reads one more stretch in rows `from` and following, and takes a token each; finished ones leave. */
  const step = async (from: number, tokens: readonly Int32Array[]): Promise<void> => {
    const logits = await network.readOn(prefix, cache, from, tokens, parameters);
    for (let b = tokens.length - 1; b >= 0; b--) {
      const row = rows[from + b]!;
      const stopped = takeToken(row, logits[b]!);
      if (stopped === null) continue;
      const last = rows.length - 1;
      moveRow(cache, last, from + b);
      rows[from + b] = rows[last]!;
      rows.pop();
      await onDone(row.index, finished(row, stopped));
    }
  };

  let next = 0;
  while (next < members.length || rows.length > 0) {
    if (next < members.length && rows.length <= maxRows / 2) {
      const from = rows.length;
      const tokens: Int32Array[] = [];
      // members get longer, so that the newest is the longest of its pass
      while (next < members.length && rows.length < maxRows) {
        const own = ownTokens(members[next]!);
        if (tokens.length > 0 && (tokens.length + 1) * own.length > PROMPT_TOKENS) break;
        tokens.push(own);
        cache.lengths[rows.length] = 0;
        rows.push(newRow(members[next]!, prompts[members[next]!]!, network.maxPositions, options));
        next++;
      }
      await step(from, tokens);
    } else {
      await step(
        0,
        rows.map(({ ids }) => Int32Array.of(ids.at(-1)!)),
      );
    }
  }
}

function newRow(index: number, { id, prompt, own }: Prompt, maxPositions: number, common: GenerateOptions): Row {
  const options = { ...common, ...own };
  const { sampling, language, decode, stopStrings = [], maxNewTokens } = options;
  return {
    index,
    options,
    ids: [],
    logprobs: [],
    room: Math.min(maxNewTokens, maxPositions - prompt.length),
    rng: sampling && new Rng(sampling.seed).fork(id),
    language: language?.(index) ?? null,
    text: textStream(decode, stopStrings),
  };
}

/** Adds a token to a row; why it is finished, or null. */
function takeToken(row: Row, logits: Float32Array): Generated["stopped"] | null {
  const { options } = row;
  const allowed = row.language?.allowed ?? null;
  const { sampling, endIds, scored } = options;
  const id = sampling === undefined ? likeliest(logits, allowed) : drawn(logits, allowed, sampling, row.rng!);
  if (id < 0) {
    throw new WorkerError({
      place: `generation, token ${row.ids.length + 1} of prompt ${row.index + 1}`,
      expected: "finite logits",
      got: "none",
      remedy: "The model's weights are damaged or its training diverged: choose an earlier checkpoint.",
    });
  }
  row.ids.push(id);
  if (options.logprobs) row.logprobs.push(logProbability(logits, id));
  scored?.onToken(row.index, { id, logprob: logProbability(logits, id) }, topTokens(logits, scored.top));
  row.language = row.language?.after(id) ?? null;
  if (endIds.includes(id) || row.language?.allowed.length === 0) return "end";
  if (options.onText !== undefined || (options.stopStrings ?? []).length > 0) {
    const { piece, isStopped } = row.text.push(id);
    if (piece !== "") options.onText?.(row.index, piece);
    if (isStopped) return "stop";
  }
  if (options.isWanted?.(row.index) === false) return "dropped";
  row.room--;
  return row.room === 0 ? "length" : null;
}

function finished(row: Row, stopped: Generated["stopped"]): Generated {
  const { options } = row;
  const isStreamed = options.onText !== undefined || (options.stopStrings ?? []).length > 0;
  if (isStreamed) {
    const rest = row.text.finish();
    if (rest !== "") options.onText?.(row.index, rest);
  }
  const own = stopped === "end" ? row.ids.slice(0, -1) : row.ids;
  return {
    ids: Int32Array.from(row.ids),
    text: isStreamed ? row.text.text() : options.decode(own),
    stopped,
    ...(options.logprobs ? { logprobs: Float64Array.from(row.logprobs) } : {}),
  };
}
