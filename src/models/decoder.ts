/**
 * @file A decoder-only transformer over packs (data/types.ts): Q shared prefixes of P tokens, then B rows of S tokens, all linear layers on
 * the flat N = Q*P + B*S tokens, attention per prefix and per row (whose keys are its prefix's and its own).
 *
 * Legend: D hidden, H query heads, K key/value heads, G = H / K, E head size, F feed-forward, V vocabulary, L = P + S keys a row sees,
 * R loss rows. Symbolic sizes: Q P B S L R N, QP = Q*P, BS = B*S, GP = G*P, GS = G*S.
 */

import type { Graph } from "../engine/graph/graph.ts";
import type { OpName } from "../engine/graph/ops.ts";
import type { Bindings, Dim, Value } from "../engine/graph/values.ts";
import { type AttentionKind, attentionKind, blockLinears, type DecoderConfig, type LinearSpec } from "./config.ts";
import type { TensorSource } from "./layers/linear.ts";
import { rotaryTables } from "./rotary.ts";

/** Added to attention scores: 0 where a key may be seen, very negative where not. */
export interface AttentionMasks {
  prefix: Value; // [Q, 1, 1, P, P]
  row: Value; // [B, 1, 1, S, L]
}

/** What a pack feeds to the graph. */
export interface DecoderInputs {
  ids: Value; // [N] int64
  positions: Value; // [N] int64
  rowPrefix: Value; // [B] int64
  /** Masks of the kinds of attention that the network has. */
  masks: Partial<Record<AttentionKind, AttentionMasks>>;
  lossRows: Value; // [R] int64
}

/** Names of the masks' feeds. */
export const MASK_NAMES: Record<AttentionKind, Record<keyof AttentionMasks, string>> = {
  full_attention: { prefix: "prefix_mask", row: "row_mask" },
  sliding_attention: { prefix: "prefix_window_mask", row: "row_window_mask" },
};

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

export function decoderInputs(graph: Graph, config: DecoderConfig, maxPositions: number): DecoderInputs {
  const ids = graph.input("ids", "int64", ["N"]);
  const positions = graph.input("positions", "int64", ["N"]);
  const rowPrefix = graph.input("row_prefix", "int64", ["B"]);
  const masks: DecoderInputs["masks"] = {};
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const kind = attentionKind(config, layer, maxPositions);
    masks[kind] ??= {
      prefix: graph.input(MASK_NAMES[kind].prefix, "float32", ["Q", 1, 1, "P", "P"]),
      row: graph.input(MASK_NAMES[kind].row, "float32", ["B", 1, 1, "S", "L"]),
    };
  }
  return { ids, positions, rowPrefix, masks, lossRows: graph.input("loss_rows", "int64", ["R"]) };
}

const ACTIVATIONS = { silu: "silu", gelu_pytorch_tanh: "geluTanh" } as const satisfies Record<
  DecoderConfig["hidden_act"],
  OpName
>;

/**
 * Logits [R, V] at the loss rows. The last block runs from its attention on for those rows only.
 *
 * @param maxPositions  rows of the rotary tables; positions must stay below
 * @source transformers modeling_llama.py LlamaForCausalLM and its siblings; golden test/golden/models
 */
export function buildDecoder(
  graph: Graph,
  config: DecoderConfig,
  source: TensorSource,
  inputs: DecoderInputs,
  maxPositions: number,
): Value {
  const { hidden_size: D, vocab_size: V, num_attention_heads: H, num_key_value_heads: K, blockNorms: norms } = config;
  const embedding = source.tensor(graph, { name: "model.embed_tokens.weight", shape: [V, D] });
  const norm = (x: Value, name: string) => {
    const weight = source.tensor(graph, { name: `${name}.weight`, shape: [x.shape.at(-1) as number] });
    return graph.add("rmsNorm", [x, plus(graph, weight, config.normOffset)], { epsilon: config.rms_norm_eps });
  };
  const project = (x: Value, layers: readonly LinearSpec[]) =>
    source.linear(graph, x, layers).flatMap((y, i) => cut(graph, y, layers[i]!.parts));
  const tables = rotaryTables(config.rotary, maxPositions);
  const cos = graph.constant("rotary_cos", tables.cos, [maxPositions, tables.half]);
  const sin = graph.constant("rotary_sin", tables.sin, [maxPositions, tables.half]);
  const rotate = (heads: Value, numHeads: number) =>
    graph.add("rotary", [heads, cos, sin, inputs.positions], { numHeads, inverse: false });

  let x = times(graph, graph.add("gather", [embedding, inputs.ids], {}), config.embeddingScale); // [N, D]
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const last = layer === config.num_hidden_layers - 1;
    const rows = (value: Value) => (last ? graph.add("gather", [value, inputs.lossRows], {}) : value);
    const masks = inputs.masks[attentionKind(config, layer, maxPositions)]!;
    x = graph.within(`layers.${layer}`, () => {
      const name = `model.layers.${layer}`;
      const normed = (value: Value, which: string | null) => (which === null ? value : norm(value, `${name}.${which}`));
      const headNormed = (heads: Value, which: string, numHeads: number) =>
        config.hasHeadNorms ? byHead(graph, heads, numHeads, (value) => normed(value, which)) : heads;
      const { attentionIn, attentionOut, mlpIn, mlpOut } = blockLinears(config, layer);

      const [q, k, v] = project(normed(x, norms.attentionIn), attentionIn);
      const rotated = [
        rotate(headNormed(q!, "self_attn.q_norm", H), H),
        rotate(headNormed(k!, "self_attn.k_norm", K), K),
      ] as const;
      const mixed = rows(attention(graph, config, inputs.rowPrefix, masks, ...rotated, v!));
      const attended = (value: Value) => normed(project(value, [attentionOut])[0]!, norms.attentionOut);
      const afterAttention = graph.add("add", [rows(x), attended(mixed)], {});

      const [gate, up] = project(normed(afterAttention, norms.mlpIn), mlpIn);
      const gated = graph.add("mul", [graph.add(ACTIVATIONS[config.hidden_act], [gate!], {}), up!], {});
      const fed = normed(project(gated, [mlpOut])[0]!, norms.mlpOut);
      return graph.add("add", [afterAttention, fed], {});
    });
  }
  const head = config.tie_word_embeddings ? embedding : source.tensor(graph, { name: "lm_head.weight", shape: [V, D] });
  return cappedProduct(graph, norm(x, "model.norm"), head, 1, config.final_logit_softcapping);
}

/** Negative log-likelihood [R] of the targets [R] under logits [R, V]. */
export function negativeLogLikelihood(graph: Graph, logits: Value, targets: Value): Value {
  return graph.add("neg", [graph.add("pick", [graph.add("logSoftmax", [logits], {}), targets], {})], {});
}

/** q [N, H*E], k and v [N, K*E], rotated: mixed values [N, H*E]. */
function attention(
  graph: Graph,
  config: DecoderConfig,
  rowPrefix: Value,
  masks: AttentionMasks,
  q: Value,
  k: Value,
  v: Value,
): Value {
  const { num_key_value_heads: K, head_dim: E } = config;
  const [qPrefix, qRows] = splitTokens(graph, q);
  const [kPrefix, kRows] = splitTokens(graph, k).map((part, i) =>
    keyHeads(graph, part, i === 0 ? ["Q", "P"] : ["B", "S"], K, E),
  );
  const [vPrefix, vRows] = splitTokens(graph, v).map((part, i) =>
    keyHeads(graph, part, i === 0 ? ["Q", "P"] : ["B", "S"], K, E),
  );
  const ofRow = (prefix: Value, rows: Value) =>
    graph.add("concat", [graph.add("gather", [prefix, rowPrefix], {}), rows], { axis: 2, size: "L" });
  const prefix = attend(graph, config, ["Q", "P", "P"], qPrefix!, kPrefix!, vPrefix!, masks.prefix);
  const rows = attend(
    graph,
    config,
    ["B", "S", "L"],
    qRows!,
    ofRow(kPrefix!, kRows!),
    ofRow(vPrefix!, vRows!),
    masks.row,
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
  config: DecoderConfig,
  [b, s, l]: [Dim, Dim, Dim],
  q: Value,
  k: Value,
  v: Value,
  mask: Value,
): Value {
  const { num_attention_heads: H, num_key_value_heads: K, head_dim: E } = config;
  const G = H / K;
  const grouped = graph.add("reshape", [q], { shape: [b, s, K, G, E] });
  const heads = graph.add("transpose", [grouped], { perm: [0, 2, 3, 1, 4] }); // [b, K, G, s, E]
  const stacked = graph.add("reshape", [heads], { shape: [b, K, `G${s}`, E] });
  const products = cappedProduct(graph, stacked, k, config.attentionScale, config.attn_logit_softcapping);
  const scores = graph.add("reshape", [products], { shape: [b, K, G, s, l] });
  const weights = graph.add("softmax", [graph.add("add", [scores, mask], {})], {});
  const flat = graph.add("reshape", [weights], { shape: [b, K, `G${s}`, l] });
  const mixed = graph.add("matmul", [flat, v], { transA: false, transB: false, alpha: 1 }); // [b, K, G*s, E]
  const apart = graph.add("reshape", [mixed], { shape: [b, K, G, s, E] });
  const back = graph.add("transpose", [apart], { perm: [0, 3, 1, 2, 4] }); // [b, s, K, G, E]
  return graph.add("reshape", [back], { shape: [s === "P" ? "QP" : "BS", H * E] });
}

/** a times b transposed times `scale`; with a cap, cap * tanh(that / cap). */
function cappedProduct(graph: Graph, a: Value, b: Value, scale: number, cap: number | null): Value {
  const product = graph.add("matmul", [a, b], { transA: false, transB: true, alpha: scale / (cap ?? 1) });
  return cap === null ? product : times(graph, graph.add("tanh", [product], {}), cap);
}

/** [N, numHeads*E] with each head of E passed through `f`. */
function byHead(graph: Graph, x: Value, numHeads: number, f: (heads: Value) => Value): Value {
  const [N, width] = x.shape as [Dim, number];
  const heads = graph.add("reshape", [x], { shape: [N, numHeads, width / numHeads] });
  return graph.add("reshape", [f(heads)], { shape: [N, width] });
}

/** [N, width] cut into columns of these widths. */
function cut(graph: Graph, x: Value, widths: readonly number[]): Value[] {
  return widths.length === 1 ? [x] : graph.addMany("split", [x], { axis: 1, sizes: widths });
}

function times(graph: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : graph.add("mul", [x, graph.scalar(factor)], {});
}

function plus(graph: Graph, x: Value, term: number): Value {
  return term === 0 ? x : graph.add("add", [x, graph.scalar(term)], {});
}
