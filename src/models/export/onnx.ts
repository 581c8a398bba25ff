/**
 * @file A whole model as one ONNX graph for ONNX Runtime: input_ids, attention_mask and position_ids, each [batch, sequence], to logits
 * [batch, sequence, V]. The decoder is the engine's own graph as it is lowered for every run (with operators of com.microsoft); what stands in front
 * computes its inputs and sizes from the three.
 *
 * Sizes: B batch, S sequence, BS = B*S, G query heads a key head, GS = G*S, V vocabulary.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { numElements } from "../../base/shapes.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { verifyGraph } from "../../engine/graph/verify.ts";
import { lowerModel } from "../../engine/runtime/lower.ts";
import { removeQuietly, writeWhole } from "../../formats/files.ts";
import {
  encodeOnnx,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxNode,
} from "../../formats/onnx.ts";
import { type AttentionKind, attentionKind, type DecoderConfig } from "../config.ts";
import { buildDecoder } from "../decoder.ts";
import { attend, keyHeads } from "../layers/attention.ts";
import { frozenTensors } from "../layers/linear.ts";
import { UNSEEN } from "../network.ts";
import { rawOffsets, writeRaw } from "../weights.ts";
import type { ExportSource } from "./source.ts";

export const ONNX_FILE = "model.onnx";
const DATA_FILE = "model.onnx.data";

/** Protobuf ends at 2 GB; larger weights lie in a file beside the graph. */
const MAX_INLINE_BYTES = 2 ** 31 - 2 ** 24;

export interface OnnxOptions {
  /** Longest sequence: rows of the rotary tables. */
  maxPositions: number;
  /** Most bytes of weights inside the graph's own file. */
  inlineBytes?: number;
}

/** Writes model.onnx, and model.onnx.data where the weights are larger. @throws {WorkerError|DataError} the disk */
export function writeOnnx(source: ExportSource, options: OnnxOptions, folder: string): void {
  const { maxPositions, inlineBytes = MAX_INLINE_BYTES } = options;
  const data = join(folder, DATA_FILE);
  writeRaw(data, source.tensors, source.read);
  const { model, dims } = lowerModel(wholeGraph(source, data, maxPositions), folder);
  const whole = withFront(model, dims, source.config, maxPositions);
  const total = source.tensors.reduce((sum, { shape }) => sum + 4 * numElements(shape), 0);
  if (total > inlineBytes) {
    writeWhole(join(folder, ONNX_FILE), encodeOnnx(whole));
    return;
  }
  const inlined = { ...whole, initializers: whole.initializers.map((tensor) => inline(tensor, folder)) };
  writeWhole(join(folder, ONNX_FILE), encodeOnnx(inlined));
  removeQuietly(data);
}

function inline(tensor: OnnxInitializer, folder: string): OnnxInitializer {
  if (tensor.data instanceof Uint8Array) return tensor;
  const { location, offset, length } = tensor.data;
  const bytes = new Uint8Array(length);
  const fd = openSync(join(folder, location), "r");
  try {
    for (let done = 0; done < length; ) done += readSync(fd, bytes, done, length - done, offset + done);
  } finally {
    closeSync(fd);
  }
  return { ...tensor, data: bytes };
}

const MASKS: Record<AttentionKind, string> = { full_attention: "mask", sliding_attention: "window_mask" };

/** The decoder over all tokens of B rows of S: flat logits [BS, V]. */
function wholeGraph({ config, tensors }: ExportSource, file: string, maxPositions: number): Graph {
  const graph = new Graph();
  const ids = graph.input("ids", "int64", ["BS"]);
  const positions = graph.input("positions", "int64", ["BS"]);
  const lossRows = graph.input("loss_rows", "int64", ["BS"]);
  const masks = new Map<string, ReturnType<Graph["input"]>>();
  const maskOf = (kind: AttentionKind) => {
    const mask = masks.get(kind) ?? graph.input(MASKS[kind], "float32", ["B", 1, 1, "S", "S"]);
    masks.set(kind, mask);
    return mask;
  };
  const flat = buildDecoder(
    graph,
    config,
    frozenTensors(file, rawOffsets(tensors)),
    {
      ids,
      positions,
      lossRows,
      attention: (layer, q, k, v) => {
        const [keys, values] = [k, v].map((part) => keyHeads(graph, config, ["B", "S"], part));
        const stretch = { keys: keys!, values: values!, size: "S" };
        const mask = maskOf(attentionKind(config, layer, maxPositions));
        return attend(graph, config, { b: "B", s: "S", n: "BS", l: "S" }, q, [stretch], mask);
      },
    },
    maxPositions,
  );
  graph.output("flat_logits", flat);
  verifyGraph(graph);
  return graph;
}

/** The model with inputs and output as its users know them. */
function withFront(model: OnnxModel, dims: readonly string[], config: DecoderConfig, maxPositions: number): OnnxModel {
  const { vocab_size: V, sliding_window: window } = config;
  const G = config.num_attention_heads / config.num_key_value_heads;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const node = (opType: string, inputs: string[], output: string, attributes: Record<string, OnnxAttribute> = {}) => {
    nodes.push({ name: `front:${output}`, opType, domain: "", inputs, outputs: [output], attributes });
    return output;
  };
  const ints = (name: string, values: readonly number[], shape: readonly number[] = [values.length]) => {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    initializers.push({ name: `front:${name}`, type: "int64", shape, data });
    return `front:${name}`;
  };
  const float = (name: string, value: number) => {
    const data = new Uint8Array(Float32Array.of(value).buffer);
    initializers.push({ name: `front:${name}`, type: "float32", shape: [], data });
    return `front:${name}`;
  };
  const [zero, one, flat] = [ints("axis_0", [0]), ints("axis_1", [1]), ints("flat", [-1])];
  const [start, step] = [ints("start", [0], []), ints("step", [1], [])];

  const shape = node("Shape", ["input_ids"], "front:shape");
  const made: Record<string, () => void> = {
    B: () => node("Gather", [shape, zero], "dim:B"),
    S: () => node("Gather", [shape, one], "dim:S"),
    BS: () => node("Mul", ["dim:B", "dim:S"], "dim:BS"),
    GS: () => node("Mul", ["dim:S", ints("group", [G])], "dim:GS"),
  };
  const unknown = dims.filter((dim) => made[dim] === undefined);
  if (unknown.length > 0) throw new Error(`sizes ${unknown.join(", ")} are not known`);
  for (const make of Object.values(made)) make();

  node("Reshape", ["input_ids", flat], "ids");
  node("Reshape", ["position_ids", flat], "positions");
  const range = (dim: string, output: string) =>
    node("Range", [start, node("Squeeze", [dim, zero], `${output}_end`), step], output);
  range("dim:BS", "loss_rows");
  const places = range("dim:S", "front:places");
  const [rows, columns] = [
    node("Unsqueeze", [places, one], "front:rows"),
    node("Unsqueeze", [places, zero], "front:columns"),
  ];
  const causal = node("GreaterOrEqual", [rows, columns], "front:causal");
  const filled = node("Cast", ["attention_mask"], "front:filled", { to: BOOL });
  const keys = node("Unsqueeze", [filled, ints("middle", [1, 2, 3])], "front:keys");
  const [seen, unseen] = [float("seen", 0), float("unseen", UNSEEN)];
  const mask = (visible: string, output: string) =>
    node("Where", [node("And", [visible, keys], `front:${output}_seen`), seen, unseen], output);
  const needed = new Set(model.inputs.map(({ name }) => name));
  if (needed.has(MASKS.full_attention)) mask(causal, MASKS.full_attention);
  if (needed.has(MASKS.sliding_attention) && window !== null) {
    const near = node("Less", [node("Sub", [rows, columns], "front:back"), ints("window", [window])], "front:near");
    mask(node("And", [causal, near], "front:causal_near"), MASKS.sliding_attention);
  }
  const size = node("Concat", ["dim:B", "dim:S", ints("vocabulary", [V])], "front:size", { axis: 0 });
  const back: OnnxNode = {
    ...{ name: "back:logits", opType: "Reshape", domain: "", attributes: {} },
    ...{ inputs: ["flat_logits", size], outputs: ["logits"] },
  };
  const tokens = (name: string) => ({ name, type: "int64" as const, shape: ["batch", "sequence"] });
  return {
    ...model,
    name: `${config.model_type}, sequences up to ${maxPositions}`,
    nodes: [...nodes, ...model.nodes, back],
    initializers: [...initializers, ...model.initializers],
    inputs: [tokens("input_ids"), tokens("attention_mask"), tokens("position_ids")],
    outputs: [{ name: "logits", type: "float32", shape: ["batch", "sequence", V] }],
    values: [...model.values, ...model.outputs],
  };
}

/** ONNX's number of truth values, which no tensor of ours has. */
const BOOL = ONNX_TYPE.int64 + 2;
