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
import { attend, type KeyStretch, keyHeads } from "./layers/attention.ts";
import { cappedProduct, type TensorSource, times } from "./layers/linear.ts";
import { rotaryTables } from "./rotary.ts";

/** Added to attention scores: 0 where a key may be seen, very negative where not. */
export interface AttentionMasks {
  prefix: Value; // [Q, 1, 1, P, P]
  row: Value; // [B, 1, 1, S, L]
}

/** What a decoder reads, and how its tokens see one another. */
export interface DecoderInputs {
  ids: Value; // [N] int64
  positions: Value; // [N] int64
  lossRows: Value; // [R] int64
  /** Mixed values [N, H*E] of block `layer`, from rotated q [N, H*E], rotated k and v [N, K*E]. */
  attention(layer: number, q: Value, k: Value, v: Value): Value;
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

/** The inputs of a graph over packs. */
export function decoderInputs(graph: Graph, config: DecoderConfig, maxPositions: number): DecoderInputs {
  const ids = graph.input("ids", "int64", ["N"]);
  const positions = graph.input("positions", "int64", ["N"]);
  const rowPrefix = graph.input("row_prefix", "int64", ["B"]);
  const masks: Partial<Record<AttentionKind, AttentionMasks>> = {};
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const kind = attentionKind(config, layer, maxPositions);
    masks[kind] ??= {
      prefix: graph.input(MASK_NAMES[kind].prefix, "float32", ["Q", 1, 1, "P", "P"]),
      row: graph.input(MASK_NAMES[kind].row, "float32", ["B", 1, 1, "S", "L"]),
    };
  }
  const lossRows = graph.input("loss_rows", "int64", ["R"]);
  const attention: DecoderInputs["attention"] = (layer, q, k, v) =>
    packAttention(graph, config, rowPrefix, masks[attentionKind(config, layer, maxPositions)]!, q, k, v);
  return { ids, positions, lossRows, attention };
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
      const mixed = rows(inputs.attention(layer, ...rotated, v!));
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
function packAttention(
  graph: Graph,
  config: DecoderConfig,
  rowPrefix: Value,
  masks: AttentionMasks,
  q: Value,
  k: Value,
  v: Value,
): Value {
  const [qPrefix, qRows] = splitTokens(graph, q);
  const [kPrefix, kRows] = splitTokens(graph, k).map((part, i) =>
    keyHeads(graph, config, i === 0 ? ["Q", "P"] : ["B", "S"], part),
  );
  const [vPrefix, vRows] = splitTokens(graph, v).map((part, i) =>
    keyHeads(graph, config, i === 0 ? ["Q", "P"] : ["B", "S"], part),
  );
  const ofRow = (prefix: Value, rows: Value) =>
    graph.add("concat", [graph.add("gather", [prefix, rowPrefix], {}), rows], { axis: 2, size: "L" });
  const ownKeys: KeyStretch = { keys: kPrefix!, values: vPrefix!, size: "P" };
  const prefix = attend(graph, config, { b: "Q", s: "P", n: "QP", l: "P" }, qPrefix!, [ownKeys], masks.prefix);
  const rowKeys: KeyStretch = { keys: ofRow(kPrefix!, kRows!), values: ofRow(vPrefix!, vRows!), size: "L" };
  const rows = attend(graph, config, { b: "B", s: "S", n: "BS", l: "L" }, qRows!, [rowKeys], masks.row);
  return graph.add("concat", [prefix, rows], { axis: 0, size: "N" });
}

/** [N, width] as the prefixes' [QP, width] and the rows' [BS, width]. */
function splitTokens(graph: Graph, x: Value): Value[] {
  return graph.addMany("split", [x], { axis: 0, sizes: ["QP", "BS"] });
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

function plus(graph: Graph, x: Value, term: number): Value {
  return term === 0 ? x : graph.add("add", [x, graph.scalar(term)], {});
}
