/** @file Keys and values of tokens that a decoder has read, a row a sequence: what lets it read each token once. */

import type { DecoderConfig } from "./config.ts";

/** Capacities are multiples of this many tokens, so that caches grow seldom and few shapes reach the engine. */
const BLOCK = 64;

/** Row-major [numRows, K, capacity, E] a block of the decoder; of row r the first `lengths[r]` tokens count. K and E as in decoder.ts. */
export interface KvCache {
  /** [numRows] tokens read. */
  lengths: Int32Array;
  /** Tokens that every row has room for. */
  capacity: number;
  /** Of each block. */
  keys: Float32Array[];
  values: Float32Array[];
}

/** Empty rows with room for one block of tokens. */
export function newKvCache(config: DecoderConfig, numRows: number): KvCache {
  const { num_key_value_heads: K, head_dim: E, num_hidden_layers } = config;
  const empty = () => Array.from({ length: num_hidden_layers }, () => new Float32Array(numRows * K * BLOCK * E));
  return { lengths: new Int32Array(numRows), capacity: BLOCK, keys: empty(), values: empty() };
}

/** Makes room for `capacity` tokens a row; what was read is kept. */
export function reserve(cache: KvCache, config: DecoderConfig, capacity: number): void {
  if (capacity <= cache.capacity) return;
  const { num_key_value_heads: K, head_dim: E } = config;
  const [before, after] = [cache.capacity * E, Math.ceil(capacity / BLOCK) * BLOCK * E];
  const widened = (old: Float32Array): Float32Array => {
    const wide = new Float32Array((old.length / before) * after);
    for (let head = 0; head < cache.lengths.length * K; head++)
      wide.set(old.subarray(head * before, (head + 1) * before), head * after);
    return wide;
  };
  cache.keys = cache.keys.map(widened);
  cache.values = cache.values.map(widened);
  cache.capacity = after / E;
}

/** Copies row `from` over row `to`. */
export function moveRow(cache: KvCache, from: number, to: number): void {
  if (from === to) return;
  for (const tensor of [...cache.keys, ...cache.values]) {
    const size = tensor.length / cache.lengths.length;
    tensor.copyWithin(to * size, from * size, (from + 1) * size);
  }
  cache.lengths[to] = cache.lengths[from]!;
}

/**
 * Writes what one row has just read behind what it had, in one tensor of the cache; `lengths` stay as they are.
 * @param fresh  [tokens, K*E]
 */
export function writeBehind(
  cache: KvCache,
  config: DecoderConfig,
  tensor: Float32Array,
  row: number,
  fresh: Float32Array,
): void {
  const { num_key_value_heads: K, head_dim: E } = config;
  for (let t = 0; t * K * E < fresh.length; t++) {
    for (let k = 0; k < K; k++) {
      const slot = (row * K + k) * cache.capacity + cache.lengths[row]! + t;
      tensor.set(fresh.subarray((t * K + k) * E, (t * K + k + 1) * E), slot * E);
    }
  }
}
