/** @file Scaled dot-product attention, query heads of one key head together; keys may lie in several stretches. D, H, K, G, E as in decoder.ts. */

import type { Graph } from "../../engine/graph/graph.ts";
import type { Dim, Value } from "../../engine/graph/values.ts";
import type { DecoderConfig } from "../config.ts";
import { cappedProduct } from "./linear.ts";

/** Keys and values [b, K, size, E] that follow one another; b = 1 where all rows share them. */
export interface KeyStretch {
  keys: Value;
  values: Value;
  size: Dim;
}

/** Names of an attention's sizes: b sequences of s queries, n = b*s, over l keys in all. */
export interface AttentionSizes {
  b: Dim;
  s: Dim;
  n: Dim;
  l: Dim;
}

/** [b*s, K*E] as [b, K, s, E]. */
export function keyHeads(graph: Graph, config: DecoderConfig, [b, s]: [Dim, Dim], x: Value): Value {
  const { num_key_value_heads: K, head_dim: E } = config;
  return graph.add("transpose", [graph.add("reshape", [x], { shape: [b, s, K, E] })], { perm: [0, 2, 1, 3] });
}

/**
 * Attention of q [b*s, H*E] with mask [b, 1, 1, s, l]: [b*s, H*E]. Stretches are multiplied one by one: what is joined are scores, never keys,
 * so that a cache is read and not copied.
 */
export function attend(
  graph: Graph,
  config: DecoderConfig,
  { b, s, n, l }: AttentionSizes,
  q: Value,
  stretches: readonly KeyStretch[],
  mask: Value,
): Value {
  const { num_attention_heads: H, num_key_value_heads: K, head_dim: E } = config;
  const G = H / K;
  const grouped = graph.add("reshape", [q], { shape: [b, s, K, G, E] });
  const heads = graph.add("transpose", [grouped], { perm: [0, 2, 3, 1, 4] }); // [b, K, G, s, E]
  const stacked = graph.add("reshape", [heads], { shape: [b, K, `G${s}`, E] });
  const parts = stretches.map(({ keys }) =>
    cappedProduct(graph, stacked, keys, config.attentionScale, config.attn_logit_softcapping),
  );
  const products = parts.length === 1 ? parts[0]! : graph.add("concat", parts, { axis: 3, size: l });
  const scores = graph.add("reshape", [products], { shape: [b, K, G, s, l] });
  const weights = graph.add("softmax", [graph.add("add", [scores, mask], {})], {});
  const flat = graph.add("reshape", [weights], { shape: [b, K, `G${s}`, l] });
  const sizes = stretches.map(({ size }) => size);
  const shares = sizes.length === 1 ? [flat] : graph.addMany("split", [flat], { axis: 3, sizes });
  const mixed = stretches
    .map(({ values }, i) => graph.add("matmul", [shares[i]!, values], { transA: false, transB: false, alpha: 1 }))
    .reduce((sum, part) => graph.add("add", [sum, part], {})); // [b, K, G*s, E]
  const apart = graph.add("reshape", [mixed], { shape: [b, K, G, s, E] });
  const back = graph.add("transpose", [apart], { perm: [0, 3, 1, 2, 4] }); // [b, s, K, G, E]
  return graph.add("reshape", [back], { shape: [n, H * E] });
}
