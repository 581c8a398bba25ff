/**
 * @file A model that reads on: each pass reads the next tokens of some rows, whose earlier ones lie in caches, and gives the logits of what
 * follows. One graph serves for a shared prefix, for prompts and for single tokens; they differ in sizes only.
 *
 * Sizes beside decoder.ts's: B rows, S new tokens a row, P room in the prefix's cache, C in the rows', L = P + C + S keys, BS = B*S.
 */

import { Graph } from "../engine/graph/graph.ts";
import { verifyGraph } from "../engine/graph/verify.ts";
import { Session, type TensorData } from "../engine/runtime/session.ts";
import { type AttentionKind, attentionKind, type DecoderConfig } from "./config.ts";
import { buildDecoder } from "./decoder.ts";
import { type KvCache, newKvCache, reserve, writeBehind } from "./kv-cache.ts";
import { attend, type KeyStretch, keyHeads } from "./layers/attention.ts";
import { frozenTensors } from "./layers/linear.ts";
import { FACTORS, rowFactorGraph } from "./lora.ts";
import { type NetworkOptions, type Tuning, tensorSource, toInt64, tunedLayout, UNSEEN } from "./network.ts";
import { type ParameterLayout, parameterViews } from "./parameters.ts";

const MASKS: Record<AttentionKind, string> = { full_attention: "mask", sliding_attention: "window_mask" };

/** Logits [R, V] at the rows asked for, and the keys and values [BS, K*E] of every block. */
export function cachedGraph(config: DecoderConfig, tuning: Tuning, maxPositions: number): Graph {
  const { num_key_value_heads: K, head_dim: E } = config;
  const graph = new Graph();
  const ids = graph.input("ids", "int64", ["BS"]);
  const positions = graph.input("positions", "int64", ["BS"]);
  const lossRows = graph.input("loss_rows", "int64", ["R"]);
  const masks = new Map<AttentionKind, ReturnType<Graph["input"]>>();
  const maskOf = (kind: AttentionKind) => {
    const mask = masks.get(kind) ?? graph.input(MASKS[kind], "float32", ["B", 1, 1, "S", "L"]);
    masks.set(kind, mask);
    return mask;
  };
  const cached = (layer: number, of: "prefix" | "past"): KeyStretch => {
    const [rows, size] = of === "prefix" ? [1, "P"] : ["B", "C"];
    const input = (what: string) => graph.input(`${of}_${what}.${layer}`, "float32", [rows, K, size, E]);
    return { keys: input("keys"), values: input("values"), size };
  };
  const logits = buildDecoder(
    graph,
    config,
    tensorSource(tuning, "factors"),
    {
      ids,
      positions,
      lossRows,
      attention: (layer, q, k, v) => {
        graph.output(`keys.${layer}`, k);
        graph.output(`values.${layer}`, v);
        const [keys, values] = [k, v].map((fresh) => keyHeads(graph, config, ["B", "S"], fresh));
        const stretches = [cached(layer, "prefix"), cached(layer, "past"), { keys: keys!, values: values!, size: "S" }];
        const mask = maskOf(attentionKind(config, layer, maxPositions));
        return attend(graph, config, { b: "B", s: "S", n: "BS", l: "L" }, q, stretches, mask);
      },
    },
    maxPositions,
  );
  graph.output("logits", logits);
  verifyGraph(graph);
  return graph;
}

/** Owns the session of one network that reads on. */
export class CachedNetwork {
  readonly config: DecoderConfig;
  readonly layout: ParameterLayout;
  /** Longest sequence, prefix included. */
  readonly maxPositions: number;
  private readonly session: Session;
  private readonly factored: (parameters: Float32Array) => Promise<Float32Array>;

  private constructor(
    config: DecoderConfig,
    layout: ParameterLayout,
    maxPositions: number,
    session: Session,
    factored: (parameters: Float32Array) => Promise<Float32Array>,
  ) {
    this.config = config;
    this.layout = layout;
    this.maxPositions = maxPositions;
    this.session = session;
    this.factored = factored;
  }

  static async create(config: DecoderConfig, tuning: Tuning, options: NetworkOptions): Promise<CachedNetwork> {
    const graph = cachedGraph(config, tuning, options.maxPositions);
    const weightFolder = tuning.method === "full" ? {} : { weightFolder: tuning.frozen.folder };
    const session = await Session.create(graph, { ...options, ...weightFolder });
    const layout = tunedLayout(config, tuning);
    const factored = factoring(config, tuning, layout, options);
    return new CachedNetwork(config, layout, options.maxPositions, session, factored);
  }

  /** Rows that have read nothing. */
  newCache(numRows: number): KvCache {
    return newKvCache(this.config, numRows);
  }

  /**
   * Reads on in rows `from`, `from + 1` … of a cache, as many as there are `tokens`.
   *
   * @param prefix  a cache of one row that every row continues; one that has read nothing where there is no prefix
   * @param tokens  ids of each row, at least one; rows may differ in length
   * @param parameters  a vector that stays as it is: what is made of its magnitudes is kept
   * @returns       [V] of each row: the logits of what follows its last token
   */
  async readOn(
    prefix: KvCache,
    cache: KvCache,
    from: number,
    tokens: readonly Int32Array[],
    parameters: Float32Array,
  ): Promise<Float32Array[]> {
    const { num_attention_heads: H, num_key_value_heads: K, head_dim: E, vocab_size: V } = this.config;
    const [B, S] = [tokens.length, Math.max(...tokens.map(({ length }) => length))];
    const lengths = cache.lengths.subarray(from, from + B);
    reserve(cache, this.config, Math.max(...lengths) + S);
    const [P, C] = [prefix.capacity, cache.capacity];
    const rowSize = K * C * E;
    const feeds: Record<string, TensorData> = {
      ...tokenFeeds(tokens, S, prefix.lengths[0]!, lengths, this.maxPositions),
      ...this.masks(prefix, C, lengths, S),
      ...parameterViews(this.layout, await this.factored(parameters)),
    };
    for (let layer = 0; layer < this.config.num_hidden_layers; layer++) {
      for (const what of ["keys", "values"] as const) {
        feeds[`prefix_${what}.${layer}`] = prefix[what][layer]!;
        feeds[`past_${what}.${layer}`] = cache[what][layer]!.subarray(from * rowSize, (from + B) * rowSize);
      }
    }
    const bindings = { B, S, P, C, R: B, L: P + C + S, BS: B * S, GS: (H / K) * S };
    const outputs = await this.session.run(feeds, bindings);
    for (const [b, { length }] of tokens.entries()) {
      for (let layer = 0; layer < this.config.num_hidden_layers; layer++) {
        for (const what of ["keys", "values"] as const) {
          const fresh = outputs[`${what}.${layer}`]!.subarray(b * S * K * E, (b * S + length) * K * E);
          writeBehind(cache, this.config, cache[what][layer]!, from + b, fresh);
        }
      }
      lengths[b]! += length;
    }
    return tokens.map((_, b) => outputs.logits!.subarray(b * V, (b + 1) * V));
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  /** [B, 1, 1, S, L] of each kind of attention: a token sees the prefix, its row's past and its row's new tokens up to itself. */
  private masks(prefix: KvCache, C: number, lengths: Int32Array, S: number): Record<string, Float32Array> {
    const [P, prefixLength] = [prefix.capacity, prefix.lengths[0]!];
    const L = P + C + S;
    const maskWithin = (window: number): Float32Array => {
      const mask = new Float32Array(lengths.length * S * L).fill(UNSEEN);
      for (const [b, length] of lengths.entries()) {
        for (let s = 0; s < S; s++) {
          const line = mask.subarray((b * S + s) * L, (b * S + s + 1) * L);
          const oldest = Math.max(0, prefixLength + length + s - window + 1); // position that is still in sight
          const inRow = Math.max(0, oldest - prefixLength);
          line.fill(0, Math.min(oldest, prefixLength), prefixLength);
          line.fill(0, P + Math.min(inRow, length), P + length);
          line.fill(0, P + C + Math.max(0, inRow - length), P + C + s + 1);
        }
      }
      return mask;
    };
    const { sliding_window } = this.config;
    return {
      [MASKS.full_attention]: maskWithin(Number.POSITIVE_INFINITY),
      ...(sliding_window === null ? {} : { [MASKS.sliding_attention]: maskWithin(sliding_window) }),
    };
  }
}

/** Parameters with magnitudes as row factors, made once of each vector; other parameters as they are. */
function factoring(
  config: DecoderConfig,
  tuning: Tuning,
  layout: ParameterLayout,
  options: NetworkOptions,
): (parameters: Float32Array) => Promise<Float32Array> {
  if (tuning.method !== "lora" || tuning.lora.use_dora !== true) return async (parameters) => parameters;
  const { frozen, lora } = tuning;
  const make = async (parameters: Float32Array): Promise<Float32Array> => {
    const graph = rowFactorGraph(frozenTensors(frozen.file, frozen.byteOffsets), config, lora);
    const session = await Session.create(graph, { ...options, weightFolder: frozen.folder });
    const made = parameters.slice();
    const views = parameterViews(layout, made, FACTORS);
    const into = Object.fromEntries([...graph.outputs.keys()].map((name) => [name, views[name]!]));
    try {
      await session.run(parameterViews(layout, parameters), {}, into);
    } finally {
      await session.release();
    }
    return made;
  };
  const known = new WeakMap<Float32Array, Promise<Float32Array>>();
  return (parameters) => {
    const made = known.get(parameters) ?? make(parameters);
    known.set(parameters, made);
    return made;
  };
}

/** Rows are padded behind with tokens of id 0, which nothing that counts sees. */
function tokenFeeds(
  tokens: readonly Int32Array[],
  S: number,
  prefixLength: number,
  lengths: Int32Array,
  maxPositions: number,
): Record<string, BigInt64Array> {
  const ids = new Int32Array(tokens.length * S);
  const positions = new Int32Array(tokens.length * S);
  for (const [b, row] of tokens.entries()) {
    ids.set(row, b * S);
    // a padding token may lie beyond the tables
    for (let s = 0; s < S; s++) positions[b * S + s] = Math.min(prefixLength + lengths[b]! + s, maxPositions - 1);
  }
  const lossRows = Int32Array.from(tokens, (row, b) => b * S + row.length - 1);
  return { ids: toInt64(ids), positions: toInt64(positions), loss_rows: toInt64(lossRows) };
}
