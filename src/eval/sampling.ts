/** @file One token from logits: the likeliest, or one drawn by seed. */

import type { Rng } from "../base/rng.ts";

/** How tokens are drawn. */
export interface Sampling {
  /** Logits are divided by this; 0: the likeliest token is taken. */
  temperature: number;
  /** Only the likeliest tokens that together reach this probability are drawn from; 1: all. */
  topP: number;
  /** Each prompt draws from a stream of its own, by this and its id. */
  seed: number;
}

/** Index of the highest value, among `allowed` where given; ties go to the one that comes first, -1 where no value is a number. */
export function likeliest(logits: Float32Array, allowed: readonly number[] | null): number {
  let best = -1;
  let top = Number.NEGATIVE_INFINITY;
  const consider = (id: number) => {
    if (logits[id]! > top) {
      top = logits[id]!;
      best = id;
    }
  };
  if (allowed === null) for (let id = 0; id < logits.length; id++) consider(id);
  else for (const id of allowed) consider(id);
  return best;
}

/**
 * Draws an index by the softmax of the logits over `allowed`; one number of `rng` a draw.
 * The nucleus (arXiv 1904.09751) is the smallest set of likeliest tokens whose probability is at least `topP`.
 */
export function drawn(
  logits: Float32Array,
  allowed: readonly number[] | null,
  { temperature, topP }: Pick<Sampling, "temperature" | "topP">,
  rng: Rng,
): number {
  const top = likeliest(logits, allowed);
  if (temperature === 0 || top < 0) return top;
  const share = (id: number) => Math.exp((logits[id]! - logits[top]!) / temperature);
  const ids = allowed ?? Array.from(logits.keys());
  const shares = Float64Array.from(ids, share);
  const total = shares.reduce((a, b) => a + b, 0);
  if (topP >= 1) return walk(ids, shares, total * rng.float());
  // All tokens below this share are together below 1 - topP, so none is in the nucleus; sorting a whole vocabulary would cost more than the draw.
  const least = ((1 - topP) * total) / ids.length;
  const candidates = Array.from(ids.keys())
    .filter((i) => shares[i]! >= least)
    .sort((a, b) => shares[b]! - shares[a]! || ids[a]! - ids[b]!);
  const nucleus: number[] = [];
  let sum = 0;
  for (const i of candidates) {
    if (sum >= topP * total) break;
    nucleus.push(i);
    sum += shares[i]!;
  }
  const list = nucleus.map((i) => ids[i]!);
  return walk(
    list,
    Float64Array.from(nucleus, (i) => shares[i]!),
    sum * rng.float(),
  );
}

/** The id in whose stretch of the cumulated shares `at` lies. */
function walk(ids: readonly number[], shares: Float64Array, at: number): number {
  let sum = 0;
  let last = ids[0]!;
  for (const [i, id] of ids.entries()) {
    if (shares[i] === 0) continue;
    sum += shares[i]!;
    last = id;
    if (at < sum) return id;
  }
  return last; // rounding
}

/** A token and its log-probability in nats. */
export interface ScoredToken {
  id: number;
  logprob: number;
}

/** log softmax(logits)[id], in nats. */
export function logProbability(logits: Float32Array, id: number): number {
  return logits[id]! - logSumExp(logits);
}

/** The `count` likeliest tokens, likeliest first, ties by id; tokens of probability 0 are none. */
export function topTokens(logits: Float32Array, count: number): ScoredToken[] {
  const ids: number[] = [];
  if (count === 0) return [];
  for (let id = 0; id < logits.length; id++) {
    if (ids.length === count && !(logits[id]! > logits[ids.at(-1)!]!)) continue;
    if (!Number.isFinite(logits[id]!)) continue;
    const at = ids.findIndex((other) => logits[id]! > logits[other]!);
    ids.splice(at < 0 ? ids.length : at, 0, id);
    if (ids.length > count) ids.pop();
  }
  const total = logSumExp(logits);
  return ids.map((id) => ({ id, logprob: logits[id]! - total }));
}

function logSumExp(logits: Float32Array): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const x of logits) if (x > top) top = x;
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - top);
  return top + Math.log(sum);
}
