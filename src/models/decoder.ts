/**
 * @file A decoder-only transformer over packs (data/types.ts): Q shared prefixes of P tokens, then B rows of S tokens, all linear layers on
 * the flat N = Q*P + B*S tokens, attention per prefix and per row (whose keys are its prefix's and its own).
 *
 * Legend: D hidden, H query heads, K key/value heads, G = H / K, E head size, F feed-forward, V vocabulary, L = P + S keys a row sees,
 * R loss rows. Symbolic sizes: Q P B S L R N, QP = Q*P, BS = B*S, GP = G*P, GS = G*S.
 */

import type { Graph } from "../engine/graph/graph.ts";
import type { Bindings, Dim, Value } from "../engine/graph/values.ts";
import { blockLinears, type DecoderConfig } from "./config.ts";
import type { TensorSource } from "./layers/linear.ts";

/** What a pack feeds to the graph. Masks are added to attention scores: 0 where a key may be seen, very negative where not. */
export interface DecoderInputs {
  ids: Value; // [N] int64
  positions: Value; // [N] int64
  rowPrefix: Value; // [B] int64
  prefixMask: Value; // [Q, 1, 1, P, P]
  rowMask: Value; // [B, 1, 1, S, L]
  lossRows: Value; // [R] int64
}

/** Sizes of a pack's symbolic dimensions. */
export function packBindings(
  config: DecoderConfig,
  pack: { numPrefixes: number; prefixLen: number; numRows: number; rowLen: number; lossRows: { length: number } },
): Bindings {
  const { numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S } = pack;
  const G = config.num_attention_heads / config.num_key_value_heads;
  return {
    Q,
    P,
    B,
    S,
    R: pack.lossRows.length,
    L: P + S,
    N: Q * P + B * S,
    QP: Q * P,
    BS: B * S,
    GP: G * P,
    GS: G * S,
  };
}

export function decoderInputs(graph: Graph): DecoderInputs {
  return {
    ids: graph.input("ids", "int64", ["N"]),
    positions: graph.input("positions", "int64", ["N"]),
    rowPrefix: graph.input("row_prefix", "int64", ["B"]),
    prefixMask: graph.input("prefix_mask", "float32", ["Q", 1, 1, "P", "P"]),
    rowMask: graph.input("row_mask", "float32", ["B", 1, 1, "S", "L"]),
    lossRows: graph.input("loss_rows", "int64", ["R"]),
  };
}

/**
 * Logits [R, V] at the loss rows. The last block runs from its attention on for those rows only.
 *
 * @param maxPositions  rows of the rotary tables; positions must stay below
 * @source transformers modeling_llama.py LlamaForCausalLM; golden test/golden/models
 */
export function buildDecoder(
  graph: Graph,
  config: DecoderConfig,
  source: TensorSource,
  inputs: DecoderInputs,
  maxPositions: number,
): Value {
  const { hidden_size: D, vocab_size: V, rms_norm_eps: epsilon } = config;
  const embedding = source.tensor(graph, { name: "model.embed_tokens.weight", shape: [V, D] });
  const norm = (x: Value, name: string) =>
    graph.add("rmsNorm", [x, source.tensor(graph, { name: `${name}.weight`, shape: [D] })], { epsilon });
  const rotary = rotaryTables(graph, config, maxPositions);

  let x = graph.add("gather", [embedding, inputs.ids], {}); // [N, D]
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const last = layer === config.num_hidden_layers - 1;
    const rows = (value: Value) => (last ? graph.add("gather", [value, inputs.lossRows], {}) : value);
    x = graph.within(`layers.${layer}`, () => {
      const name = `model.layers.${layer}`;
      const { attentionIn, attentionOut, mlpIn, mlpOut } = blockLinears(config, layer);
      const [q, k, v] = source.linear(graph, norm(x, `${name}.input_layernorm`), attentionIn);
      const rotate = (heads: Value, numHeads: number) =>
        graph.add("rotary", [heads, rotary.cos, rotary.sin, inputs.positions], { numHeads, inverse: false });
      const rotated = [rotate(q!, config.num_attention_heads), rotate(k!, config.num_key_value_heads)] as const;
      const mixed = rows(attention(graph, config, inputs, ...rotated, v!));
      const afterAttention = graph.add("add", [rows(x), source.linear(graph, mixed, [attentionOut])[0]!], {});
      const [gate, up] = source.linear(graph, norm(afterAttention, `${name}.post_attention_layernorm`), mlpIn);
      const gated = graph.add("mul", [graph.add("silu", [gate!], {}), up!], {});
      return graph.add("add", [afterAttention, source.linear(graph, gated, [mlpOut])[0]!], {});
    });
  }
  const head = config.tie_word_embeddings ? embedding : source.tensor(graph, { name: "lm_head.weight", shape: [V, D] });
  return graph.add("matmul", [norm(x, "model.norm"), head], { transA: false, transB: true, alpha: 1 });
}

/** Negative log-likelihood [R] of the targets [R] under logits [R, V]. */
export function negativeLogLikelihood(graph: Graph, logits: Value, targets: Value): Value {
  return graph.add("neg", [graph.add("pick", [graph.add("logSoftmax", [logits], {}), targets], {})], {});
}

/** q [N, H*E], k and v [N, K*E], rotated: mixed values [N, H*E]. */
function attention(graph: Graph, config: DecoderConfig, inputs: DecoderInputs, q: Value, k: Value, v: Value): Value {
  const { num_attention_heads: H, num_key_value_heads: K, head_dim: E } = config;
  const [qPrefix, qRows] = splitTokens(graph, q);
  const [kPrefix, kRows] = splitTokens(graph, k).map((part, i) =>
    keyHeads(graph, part, i === 0 ? ["Q", "P"] : ["B", "S"], K, E),
  );
  const [vPrefix, vRows] = splitTokens(graph, v).map((part, i) =>
    keyHeads(graph, part, i === 0 ? ["Q", "P"] : ["B", "S"], K, E),
  );
  const ofRow = (prefix: Value, rows: Value) =>
    graph.add("concat", [graph.add("gather", [prefix, inputs.rowPrefix], {}), rows], { axis: 2, size: "L" });
  const sizes = { H, K, E };
  const prefix = attend(graph, sizes, ["Q", "P", "P"], qPrefix!, kPrefix!, vPrefix!, inputs.prefixMask);
  const rows = attend(
    graph,
    sizes,
    ["B", "S", "L"],
    qRows!,
    ofRow(kPrefix!, kRows!),
    ofRow(vPrefix!, vRows!),
    inputs.rowMask,
  );
  return graph.add("concat", [prefix, rows], { axis: 0, size: "N" });
}

/** [N, width] as the prefixes' [QP, width] and the rows' [BS, width]. */
function splitTokens(graph: Graph, x: Value): Value[] {
  return graph.addMany("split", [x], { axis: 0, sizes: ["QP", "BS"] });
}

/** [b*s, K*E] as [b, K, s, E]. */
function keyHeads(graph: Graph, x: Value, [b, s]: [Dim, Dim], K: number, E: number): Value {
  return graph.add("transpose", [graph.add("reshape", [x], { shape: [b, s, K, E] })], { perm: [0, 2, 1, 3] });
}

/**
 * Scaled dot-product attention of q [b*s, H*E] over k, v [b, K, l, E] with mask [b, 1, 1, s, l]: [b*s, H*E].
 * The G query heads of a key head are rows of one product.
 */
function attend(
  graph: Graph,
  { H, K, E }: { H: number; K: number; E: number },
  [b, s, l]: [Dim, Dim, Dim],
  q: Value,
  k: Value,
  v: Value,
  mask: Value,
): Value {
  const G = H / K;
  const grouped = graph.add("reshape", [q], { shape: [b, s, K, G, E] });
  const heads = graph.add("transpose", [grouped], { perm: [0, 2, 3, 1, 4] }); // [b, K, G, s, E]
  const stacked = graph.add("reshape", [heads], { shape: [b, K, `G${s}`, E] });
  const products = graph.add("matmul", [stacked, k], { transA: false, transB: true, alpha: 1 / Math.sqrt(E) });
  const scores = graph.add("reshape", [products], { shape: [b, K, G, s, l] });
  const weights = graph.add("softmax", [graph.add("add", [scores, mask], {})], {});
  const flat = graph.add("reshape", [weights], { shape: [b, K, `G${s}`, l] });
  const mixed = graph.add("matmul", [flat, v], { transA: false, transB: false, alpha: 1 }); // [b, K, G*s, E]
  const apart = graph.add("reshape", [mixed], { shape: [b, K, G, s, E] });
  const back = graph.add("transpose", [apart], { perm: [0, 3, 1, 2, 4] }); // [b, s, K, G, E]
  return graph.add("reshape", [back], { shape: [s === "P" ? "QP" : "BS", H * E] });
}

function rotaryTables(graph: Graph, config: DecoderConfig, maxPositions: number): { cos: Value; sin: Value } {
  const { inverseFrequencies } = config.rotary;
  const half = inverseFrequencies.length;
  const table = (f: (angle: number) => number) =>
    Float32Array.from({ length: maxPositions * half }, (_, i) =>
      f(Math.floor(i / half) * inverseFrequencies[i % half]!),
    );
  return {
    cos: graph.constant("rotary_cos", table(Math.cos), [maxPositions, half]),
    sin: graph.constant("rotary_sin", table(Math.sin), [maxPositions, half]),
  };
}
