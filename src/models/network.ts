/** @file A model as two things that can be run on packs: its loss with gradients, and the likelihood of given tokens. */

import { backward } from "../engine/autodiff/backward.ts";
import { Graph } from "../engine/graph/graph.ts";
import { verifyGraph } from "../engine/graph/verify.ts";
import { Session, type SessionOptions, type TensorData } from "../engine/runtime/session.ts";
import { type DecoderConfig, decoderTensors } from "./config.ts";
import { buildDecoder, decoderInputs, MASK_NAMES, negativeLogLikelihood, packBindings } from "./decoder.ts";
import { frozenTensors, type TensorSource, trainableTensors } from "./layers/linear.ts";
import { adapterDropout, DROPOUT_KEYS, type LoraConfig, loraTensors, withLora } from "./lora.ts";
import { layoutParameters, type ParameterLayout, parameterViews } from "./parameters.ts";
import type { RawWeights } from "./weights.ts";

/** Token ids laid out for one pass; the shape of data/types.ts's Pack, which this floor does not import. */
export interface PackArrays {
  numPrefixes: number;
  prefixLen: number;
  numRows: number;
  rowLen: number;
  ids: Int32Array;
  positions: Int32Array;
  prefixLengths: Int32Array;
  rowPrefix: Int32Array;
  visible: Uint8Array;
  lossRows: Int32Array;
  targets: Int32Array;
  /** [N] of training with dropout. */
  dropoutKeys?: Int32Array;
}

/** What trains: every tensor, or an adapter on frozen weights. Everything frozen when there is no adapter. */
export type Tuning =
  | { method: "full" }
  | { method: "lora"; lora: LoraConfig; frozen: RawWeights }
  | { method: "frozen"; frozen: RawWeights };

/** What of a tuning decides which tensors train. */
export type Tuned = { method: "full" | "frozen" } | { method: "lora"; lora: LoraConfig };

/** A network's trainable tensors, in one flat vector. Empty for a frozen one. */
export function tunedLayout(config: DecoderConfig, tuning: Tuned): ParameterLayout {
  if (tuning.method === "full") return layoutParameters(decoderTensors(config));
  return layoutParameters(tuning.method === "lora" ? loraTensors(config, tuning.lora) : []);
}

/** Where a network's tensors come from. @param magnitudes  as of {@link withLora} @param isTraining  whether dropout is at work */
export function tensorSource(
  tuning: Tuning,
  magnitudes: "plain" | "factors" = "plain",
  isTraining = false,
): TensorSource {
  if (tuning.method === "full") return trainableTensors();
  const frozen = frozenTensors(tuning.frozen.file, tuning.frozen.byteOffsets);
  if (tuning.method !== "lora") return frozen;
  const { lora_dropout } = tuning.lora;
  return withLora(
    frozen,
    tuning.lora,
    magnitudes,
    isTraining && lora_dropout !== undefined ? adapterDropout(lora_dropout) : undefined,
  );
}

export interface NetworkOptions extends SessionOptions {
  /** Longest sequence, prefix included. */
  maxPositions: number;
}

/** The graph of a network; `gradients` adds the weighted loss and one `<name>_grad` output a trainable tensor. */
export function networkGraph(config: DecoderConfig, tuning: Tuning, maxPositions: number, gradients: boolean): Graph {
  const graph = new Graph();
  const inputs = decoderInputs(graph, config, maxPositions);
  const targets = graph.input("targets", "int64", ["R"]);
  const logits = buildDecoder(graph, config, tensorSource(tuning, "plain", gradients), inputs, maxPositions);
  const nll = negativeLogLikelihood(graph, logits, targets);
  graph.output("nll", nll);
  if (gradients) {
    const weights = graph.input("loss_weights", "float32", ["R"]);
    const loss = graph.add("reduceSum", [graph.add("mul", [nll, weights], {})], { axes: [0], keepDims: false });
    const { parameters } = tunedLayout(config, tuning);
    const byName = new Map(graph.inputs.map((value) => [value.name, value]));
    const wrt = parameters.map(({ name }) => byName.get(name)!);
    backward(graph, loss, wrt).forEach((gradient, i) => graph.output(`${parameters[i]!.name}_grad`, gradient));
  }
  verifyGraph(graph);
  return graph;
}

/** Owns the session of one network. */
export class Network {
  readonly config: DecoderConfig;
  readonly layout: ParameterLayout;
  private readonly session: Session;

  private constructor(config: DecoderConfig, layout: ParameterLayout, session: Session) {
    this.config = config;
    this.layout = layout;
    this.session = session;
  }

  /** @param purpose  `train`: `lossAndGradients` can be called; `score`: `nll` */
  static async create(
    purpose: "train" | "score",
    config: DecoderConfig,
    tuning: Tuning,
    options: NetworkOptions,
  ): Promise<Network> {
    const graph = networkGraph(config, tuning, options.maxPositions, purpose === "train");
    const weightFolder = tuning.method === "full" ? {} : { weightFolder: tuning.frozen.folder };
    const session = await Session.create(graph, { ...options, ...weightFolder });
    return new Network(config, tunedLayout(config, tuning), session);
  }

  /** Negative log-likelihood of each target, in nats: [R]. */
  async nll(pack: PackArrays, parameters: Float32Array): Promise<Float32Array> {
    const feeds = { ...packFeeds(pack, this.config.sliding_window), ...parameterViews(this.layout, parameters) };
    return (await this.session.run(feeds, packBindings(this.config, pack))).nll!;
  }

  /**
   * Gradient of sum(lossWeights * nll), written over `gradients`.
   * @param lossWeights  [R]
   * @returns            nll [R]
   */
  async lossAndGradients(
    pack: PackArrays,
    lossWeights: Float32Array,
    parameters: Float32Array,
    gradients: Float32Array,
  ): Promise<Float32Array> {
    const feeds = {
      ...packFeeds(pack, this.config.sliding_window),
      ...dropoutFeeds(pack),
      loss_weights: lossWeights,
      ...parameterViews(this.layout, parameters),
    };
    const into = parameterViews(this.layout, gradients, "_grad");
    return (await this.session.run(feeds, packBindings(this.config, pack), into)).nll!;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

/** Keys of a pack's tokens, and of those that its loss rows are. */
function dropoutFeeds({ dropoutKeys, lossRows }: PackArrays): Record<string, TensorData> {
  if (dropoutKeys === undefined) return {};
  return {
    [DROPOUT_KEYS.N]: toInt64(dropoutKeys),
    [DROPOUT_KEYS.R]: toInt64(lossRows.map((row) => dropoutKeys[row]!)),
  };
}

/** Added to the score of a key that may not be seen: its softmax weight is then exactly 0 in float32. */
export const UNSEEN = -1e9;

/**
 * What a pack feeds to a network's graph.
 * @param window  of the model's sliding blocks, in tokens; null where it has none
 */
export function packFeeds(pack: PackArrays, window: number | null): Record<string, TensorData> {
  const full = { prefix: prefixMask(pack), row: Float32Array.from(pack.visible, (seen) => (seen ? 0 : UNSEEN)) };
  const sliding = window === null ? full : windowMasks(pack, full, window);
  return {
    ids: toInt64(pack.ids),
    positions: toInt64(pack.positions),
    row_prefix: toInt64(pack.rowPrefix),
    [MASK_NAMES.full_attention.prefix]: full.prefix,
    [MASK_NAMES.full_attention.row]: full.row,
    [MASK_NAMES.sliding_attention.prefix]: sliding.prefix,
    [MASK_NAMES.sliding_attention.row]: sliding.row,
    loss_rows: toInt64(pack.lossRows),
    targets: toInt64(pack.targets),
  };
}

/** [Q, 1, 1, P, P]: causal within each prefix; padding sees the tokens before it, which nobody reads. */
function prefixMask({ numPrefixes: Q, prefixLen: P }: PackArrays): Float32Array {
  const mask = new Float32Array(Q * P * P);
  for (let q = 0; q < Q; q++) {
    for (let i = 0; i < P; i++) mask.fill(UNSEEN, (q * P + i) * P + i + 1, (q * P + i + 1) * P);
  }
  return mask;
}

/** Masks that also hide keys `window` or more positions back; the masks given where no sequence is that long. */
function windowMasks(
  { numPrefixes: Q, prefixLen: P, numRows: B, rowLen: S, positions }: PackArrays,
  full: { prefix: Float32Array; row: Float32Array },
  window: number,
): { prefix: Float32Array; row: Float32Array } {
  if (!positions.some((position) => position >= window)) return full;
  const [prefix, row] = [full.prefix.slice(), full.row.slice()];
  for (let q = 0; q < Q; q++) {
    for (let i = window; i < P; i++) prefix.fill(UNSEEN, (q * P + i) * P, (q * P + i) * P + i - window + 1);
  }
  for (let b = 0; b < B; b++) {
    const own = positions.subarray(Q * P + b * S, Q * P + (b + 1) * S);
    for (let s = 0; s < S; s++) {
      const line = row.subarray((b * S + s) * (P + S), (b * S + s + 1) * (P + S));
      const oldest = own[s]! - window; // the newest position that is out of sight
      line.fill(UNSEEN, 0, Math.min(P, Math.max(0, oldest + 1))); // a prefix's k-th token has position k
      for (let key = 0; key < S; key++) if (own[key]! <= oldest) line[P + key] = UNSEEN;
    }
  }
  return { prefix, row };
}

/** The same numbers in 64 bits. */
export function toInt64(values: Int32Array): BigInt64Array {
  const out = new BigInt64Array(values.length);
  // note: writing low and high words is ten times faster than BigInt() per element
  const words = new Int32Array(out.buffer);
  for (let i = 0; i < values.length; i++) {
    words[2 * i] = values[i]!;
    words[2 * i + 1] = values[i]! < 0 ? -1 : 0;
  }
  return out;
}
