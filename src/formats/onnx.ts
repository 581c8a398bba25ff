/**
 * @file Writes ONNX models as bytes (protobuf wire format, no schema library): the few messages and fields that a graph of ours needs.
 * @source onnx/onnx onnx/onnx.proto3, IR version 10
 */

import { bytesField, floatField, intField, message, stringField } from "./protobuf.ts";

/** ONNX element types that our graphs use. */
export const ONNX_TYPE = { float32: 1, int64: 7 } as const;
export type OnnxElementType = keyof typeof ONNX_TYPE;

export type OnnxAttribute = number | { float: number } | string | readonly number[];

export interface OnnxNode {
  name: string;
  opType: string;
  /** "" for ONNX's own operators. */
  domain: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** A plain number is an int, an array is ints, a string is a string. */
  attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  name: string;
  type: OnnxElementType;
  /** Strings are symbolic dimensions. */
  shape: readonly (number | string)[];
}

export interface OnnxInitializer {
  name: string;
  type: OnnxElementType;
  shape: readonly number[];
  /** Raw little-endian bytes inside the model, or a range of a file beside it. */
  data: Uint8Array | { location: string; offset: number; length: number };
}

export interface OnnxModel {
  name: string;
  opsets: Readonly<Record<string, number>>;
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxInitializer[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  /** Types of values in between. */
  values: readonly OnnxValue[];
}

const IR_VERSION = 10;
const DATA_LOCATION_EXTERNAL = 1;
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Protobuf bytes of an ONNX model; nodes must be in topological order. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const graph = message([
    ...model.nodes.map((node) => bytesField(1, encodeNode(node))),
    stringField(2, model.name),
    ...model.initializers.map((tensor) => bytesField(5, encodeInitializer(tensor))),
    ...model.inputs.map((value) => bytesField(11, encodeValue(value))),
    ...model.outputs.map((value) => bytesField(12, encodeValue(value))),
    ...model.values.map((value) => bytesField(13, encodeValue(value))),
  ]);
  return message([
    intField(1, IR_VERSION),
    stringField(2, "mixtune"),
    bytesField(7, graph),
    ...Object.entries(model.opsets).map(([domain, version]) =>
      bytesField(8, message([stringField(1, domain), intField(2, version)])),
    ),
  ]);
}

function encodeNode(node: OnnxNode): Uint8Array {
  return message([
    ...node.inputs.map((name) => stringField(1, name)),
    ...node.outputs.map((name) => stringField(2, name)),
    stringField(3, node.name),
    stringField(4, node.opType),
    ...Object.entries(node.attributes).map(([name, value]) => bytesField(5, encodeAttribute(name, value))),
    stringField(7, node.domain),
  ]);
}

function encodeAttribute(name: string, value: OnnxAttribute): Uint8Array {
  if (typeof value === "number")
    return message([stringField(1, name), intField(3, value), intField(20, ATTRIBUTE.int)]);
  if (typeof value === "string") {
    return message([stringField(1, name), stringField(4, value), intField(20, ATTRIBUTE.string)]);
  }
  if ("float" in value)
    return message([stringField(1, name), floatField(2, value.float), intField(20, ATTRIBUTE.float)]);
  return message([stringField(1, name), ...value.map((v) => intField(8, v)), intField(20, ATTRIBUTE.ints)]);
}

function encodeInitializer(tensor: OnnxInitializer): Uint8Array {
  const head = [
    ...tensor.shape.map((dim) => intField(1, dim)),
    intField(2, ONNX_TYPE[tensor.type]),
    stringField(8, tensor.name),
  ];
  if (tensor.data instanceof Uint8Array) return message([...head, bytesField(9, tensor.data)]);
  const { location, offset, length } = tensor.data;
  const entries = { location, offset: `${offset}`, length: `${length}` };
  return message([
    ...head,
    ...Object.entries(entries).map(([key, value]) =>
      bytesField(13, message([stringField(1, key), stringField(2, value)])),
    ),
    intField(14, DATA_LOCATION_EXTERNAL),
  ]);
}

function encodeValue(value: OnnxValue): Uint8Array {
  const dims = value.shape.map((dim) =>
    bytesField(1, message([typeof dim === "number" ? intField(1, dim) : stringField(2, dim)])),
  );
  const tensorType = message([intField(1, ONNX_TYPE[value.type]), bytesField(2, message(dims))]);
  return message([stringField(1, value.name), bytesField(2, message([bytesField(1, tensorType)]))]);
}
