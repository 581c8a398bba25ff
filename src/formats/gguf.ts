/**
 * @file GGUF files, versions 2 and 3, of which 3 is written: named values, then tensors. A file is hostile until its header has been checked.
 * Numbers are little-endian; a tensor's first size is the one whose elements lie side by side, so shapes stand reversed in the file and row-major
 * here.
 * @source ggml docs/gguf.md; block types ggml/src/ggml-common.h
 */

import { CheckpointError } from "../base/errors.ts";
import { numElements } from "../base/shapes.ts";
import { type OpenBytes, openBytes, writeAll, writeWholeWith } from "./files.ts";
import { BLOCK_TYPES, type GgufType } from "./gguf-blocks.ts";
import { float32ToFloat16 } from "./half.ts";

const MAGIC = "GGUF";
const VERSION = 3;
/** Where tensors begin: at multiples of it, unless the file says otherwise. */
const ALIGNMENT = 32;
const MAX_ALIGNMENT = 1 << 16;
const MAX_DIMS = 4;
/** Values and tensors that are read; the largest models have some thousands. */
const MAX_ENTRIES = 1 << 20;

/** Numbers of the types of values. */
const VALUE_TYPE = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

type ScalarType = Exclude<keyof typeof VALUE_TYPE, "array">;
export type GgufScalar = number | boolean | string;

/** A named value, or a list of values of one type. 64-bit numbers must be safe integers. */
export type GgufValue = { type: ScalarType; value: GgufScalar } | { of: ScalarType; values: readonly GgufScalar[] };

/** The types that are written. */
export type WrittenType = "f32" | "f16" | "q8_0";

/** A tensor to write; its values are asked for when its turn has come. */
export interface GgufTensor {
  name: string;
  type: WrittenType;
  /** Row-major, as everywhere here. */
  shape: readonly number[];
  data(): Float32Array;
}

/** Numbers that stand in one block, and so divide the length of a row. */
export function blockOf(type: GgufType): number {
  return BLOCK_TYPES[type].block;
}

/**
 * Writes a file whole (temp + fsync + rename).
 * @throws {CheckpointError} a finite value that f16 cannot hold, a row that is no whole number of blocks
 * @throws {WorkerError|DataError} the file cannot be written
 */
export function writeGguf(path: string, values: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): void {
  const header = new HeaderWriter();
  header.bytes(Buffer.from(MAGIC));
  header.scalar("uint32", VERSION);
  header.scalar("uint64", tensors.length);
  header.scalar("uint64", values.size);
  for (const [key, value] of values) {
    header.scalar("string", key);
    header.value(value);
  }
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    header.scalar("string", name);
    header.scalar("uint32", shape.length);
    for (const size of shape.toReversed()) header.scalar("uint64", size);
    header.scalar("uint32", BLOCK_TYPES[type].id);
    header.scalar("uint64", offset);
    offset = aligned(offset + byteLength(path, name, type, shape));
  }
  writeWholeWith(path, (fd) => {
    const head = header.done();
    writeAll(fd, head);
    writeAll(fd, new Uint8Array(aligned(head.length) - head.length));
    for (const { name, type, shape, data } of tensors) {
      const numbers = data();
      if (numbers.length !== numElements(shape))
        throw new Error(`${name} has ${numbers.length} numbers, not [${shape}]`);
      const bytes = ENCODE[type](numbers, path, name);
      writeAll(fd, bytes);
      writeAll(fd, new Uint8Array(aligned(bytes.byteLength) - bytes.byteLength));
    }
  });
}

class HeaderWriter {
  private readonly parts: Uint8Array[] = [];

  bytes(bytes: Uint8Array): void {
    this.parts.push(bytes);
  }

  value(value: GgufValue): void {
    if ("type" in value) {
      this.scalar("uint32", VALUE_TYPE[value.type]);
      this.scalar(value.type, value.value);
      return;
    }
    this.scalar("uint32", VALUE_TYPE.array);
    this.scalar("uint32", VALUE_TYPE[value.of]);
    this.scalar("uint64", value.values.length);
    for (const one of value.values) this.scalar(value.of, one);
  }

  scalar(type: ScalarType, value: GgufScalar): void {
    if (type === "string") {
      const text = Buffer.from(String(value));
      this.scalar("uint64", text.length);
      this.bytes(text);
      return;
    }
    const bytes = Buffer.alloc(WIDTH[type]);
    WRITE[type](bytes, Number(value));
    this.bytes(bytes);
  }

  done(): Buffer {
    return Buffer.concat(this.parts);
  }
}

type NumberType = Exclude<ScalarType, "string">;
const WIDTH: Record<NumberType, number> = {
  uint8: 1,
  int8: 1,
  bool: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  uint64: 8,
  int64: 8,
  float64: 8,
};
const WRITE: Record<NumberType, (bytes: Buffer, value: number) => void> = {
  uint8: (bytes, value) => bytes.writeUInt8(value),
  int8: (bytes, value) => bytes.writeInt8(value),
  bool: (bytes, value) => bytes.writeUInt8(value),
  uint16: (bytes, value) => bytes.writeUInt16LE(value),
  int16: (bytes, value) => bytes.writeInt16LE(value),
  uint32: (bytes, value) => bytes.writeUInt32LE(value),
  int32: (bytes, value) => bytes.writeInt32LE(value),
  float32: (bytes, value) => bytes.writeFloatLE(value),
  uint64: (bytes, value) => bytes.writeBigUInt64LE(BigInt(value)),
  int64: (bytes, value) => bytes.writeBigInt64LE(BigInt(value)),
  float64: (bytes, value) => bytes.writeDoubleLE(value),
};
const READ: Record<NumberType, (bytes: Buffer) => number | boolean> = {
  uint8: (bytes) => bytes.readUInt8(),
  int8: (bytes) => bytes.readInt8(),
  bool: (bytes) => bytes.readUInt8() !== 0,
  uint16: (bytes) => bytes.readUInt16LE(),
  int16: (bytes) => bytes.readInt16LE(),
  uint32: (bytes) => bytes.readUInt32LE(),
  int32: (bytes) => bytes.readInt32LE(),
  float32: (bytes) => bytes.readFloatLE(),
  uint64: (bytes) => Number(bytes.readBigUInt64LE()),
  int64: (bytes) => Number(bytes.readBigInt64LE()),
  float64: (bytes) => bytes.readDoubleLE(),
};

const ENCODE: Record<WrittenType, (numbers: Float32Array, path: string, name: string) => Uint8Array> = {
  f32: (numbers) => new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  f16: (numbers, path, name) => {
    const halves = new Uint16Array(numbers.length);
    if (float32ToFloat16(numbers, halves) > 0) throw tooLarge(path, name);
    return new Uint8Array(halves.buffer);
  },
  q8_0: (numbers, path, name) => {
    const bytes = quantizeQ8(numbers);
    if (bytes === undefined) throw tooLarge(path, name);
    return bytes;
  },
};

/**
 * Blocks of 32 numbers as a float16 scale d = max|x| / 127 and 32 numbers x / d, rounded to the nearest, halves away from 0.
 * @returns undefined where a scale does not fit float16
 * @source ggml quantize_row_q8_0_ref, in float32 throughout; golden test/golden/formats/gguf (the gguf package)
 */
function quantizeQ8(numbers: Float32Array): Uint8Array | undefined {
  const { block, bytes } = BLOCK_TYPES.q8_0;
  const numBlocks = numbers.length / block;
  const scales = new Float32Array(numBlocks);
  const halves = new Uint16Array(numBlocks);
  const out = new Uint8Array(numBlocks * bytes);
  for (let b = 0; b < numBlocks; b++) {
    let most = 0;
    for (let i = b * block; i < (b + 1) * block; i++) most = Math.max(most, Math.abs(numbers[i]!));
    scales[b] = most / 127;
    const inverse = scales[b] === 0 ? 0 : Math.fround(1 / scales[b]!);
    for (let i = 0; i < block; i++) {
      const scaled = Math.fround(numbers[b * block + i]! * inverse);
      const rounded = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
      out[b * bytes + 2 + i] = rounded & 255;
    }
  }
  if (float32ToFloat16(scales, halves) > 0) return undefined;
  for (let b = 0; b < numBlocks; b++) {
    out[b * bytes] = halves[b]! & 255;
    out[b * bytes + 1] = halves[b]! >>> 8;
  }
  return out;
}

/** Where a tensor lies. */
export interface GgufEntry {
  type: GgufType;
  shape: number[];
  byteOffset: number;
  byteLength: number;
}

/** An opened file. */
export interface GgufFile {
  values: ReadonlyMap<string, GgufValue>;
  tensors: ReadonlyMap<string, GgufEntry>;
  /**
   * A tensor's numbers: what its blocks stand for.
   * @throws {CheckpointError} no such tensor
   */
  readFloat32(name: string): Float32Array;
}

/**
 * Opens a file and checks its header against its size.
 * @throws {CheckpointError} not GGUF version 3, cut short, a name twice, an element type that is none of {@link BLOCK_TYPES}, a shape that is no
 *   whole number of blocks, tensors that overlap or lie outside the file
 */
export function openGguf(path: string): GgufFile {
  const file = openBytes(path);
  try {
    const { values, tensors } = readHeader(file, path);
    return { values, tensors, readFloat32: (name) => readTensor(path, name, tensors.get(name)) };
  } finally {
    file.close();
  }
}

function readHeader(file: OpenBytes, path: string): Pick<GgufFile, "values" | "tensors"> {
  const header = new HeaderReader(file, path);
  const magic = header.take(4).toString("latin1");
  if (magic !== MAGIC) throw damaged(path, "a GGUF file", `one that begins with ${JSON.stringify(magic)}`);
  const version = header.number("uint32");
  if (version !== VERSION && version !== VERSION - 1)
    throw damaged(path, `GGUF version ${VERSION - 1} or ${VERSION}`, `version ${version}`);
  const [numTensors, numValues] = [header.count(1), header.count(1)];
  const values = new Map<string, GgufValue>();
  for (let i = 0; i < numValues; i++) {
    const key = header.string();
    if (values.has(key)) throw damaged(path, "each key once", `${JSON.stringify(key)} twice`);
    values.set(key, header.value());
  }
  const alignment = values.get("general.alignment");
  const step = alignment === undefined ? ALIGNMENT : "value" in alignment ? Number(alignment.value) : 0;
  if (!(Number.isSafeInteger(step) && step >= 8 && step <= MAX_ALIGNMENT && step % 8 === 0))
    throw damaged(path, `general.alignment a multiple of 8 up to ${MAX_ALIGNMENT}`, JSON.stringify(alignment));
  const listed: [string, GgufEntry][] = [];
  for (let i = 0; i < numTensors; i++) listed.push(tensorEntry(header, path));
  const start = aligned(header.position, step);
  const tensors = new Map<string, GgufEntry>();
  let end = start;
  for (const [name, entry] of listed.toSorted(([, a], [, b]) => a.byteOffset - b.byteOffset)) {
    entry.byteOffset += start;
    if (tensors.has(name)) throw damaged(path, "each tensor once", `${JSON.stringify(name)} twice`);
    if (entry.byteOffset < end || entry.byteOffset % step !== 0 || entry.byteOffset + entry.byteLength > file.size)
      throw damaged(path, `tensor ${name} between byte ${end} and the file's end, aligned`, `byte ${entry.byteOffset}`);
    end = entry.byteOffset + entry.byteLength;
    tensors.set(name, entry);
  }
  return { values, tensors };
}

function tensorEntry(header: HeaderReader, path: string): [string, GgufEntry] {
  const name = header.string();
  const numDims = header.number("uint32");
  if (numDims < 1 || numDims > MAX_DIMS) throw damaged(path, `1 to ${MAX_DIMS} sizes of tensor ${name}`, `${numDims}`);
  const shape = Array.from({ length: numDims }, () => header.number("uint64")).reverse();
  const id = header.number("uint32");
  const type = (Object.keys(BLOCK_TYPES) as GgufType[]).find((one) => BLOCK_TYPES[one].id === id);
  if (type === undefined) throw unknownType(path, name, id);
  if (shape.some((size) => size < 1) || !Number.isSafeInteger(numElements(shape)))
    throw damaged(path, `sizes of tensor ${name} that are whole numbers above 0`, `[${shape.join(", ")}]`);
  const byteOffset = header.number("uint64");
  return [name, { type, shape, byteOffset, byteLength: byteLength(path, name, type, shape) }];
}

/** Reads on in a header, within the file. */
class HeaderReader {
  position = 0;
  private readonly file: OpenBytes;
  private readonly path: string;
  private piece = Buffer.alloc(0);
  private pieceStart = 0;

  constructor(file: OpenBytes, path: string) {
    this.file = file;
    this.path = path;
  }

  /** The next bytes. They are valid until the next call. */
  take(length: number): Buffer {
    if (length > this.file.size - this.position)
      throw damaged(this.path, `${length} bytes of header from byte ${this.position} on`, `the end of the file`);
    const pieceEnd = this.pieceStart + this.piece.length;
    if (this.position + length > pieceEnd) {
      this.piece = Buffer.from(this.file.read(this.position, this.position + Math.max(length, 1 << 20)));
      this.pieceStart = this.position;
    }
    const at = this.position - this.pieceStart;
    this.position += length;
    return this.piece.subarray(at, at + length);
  }

  number(type: NumberType): number {
    const value = Number(READ[type](this.take(WIDTH[type])));
    if (!/^u?int/.test(type) || Number.isSafeInteger(value)) return value;
    throw damaged(this.path, "whole numbers below 2^53", `${value}`);
  }

  /** How many of something follow that takes `least` bytes each. */
  count(least: number): number {
    const count = this.number("uint64");
    const most = Math.min(MAX_ENTRIES, Math.floor((this.file.size - this.position) / least));
    if (count <= most) return count;
    throw damaged(this.path, `at most ${most} entries from byte ${this.position} on`, `${count}`);
  }

  string(): string {
    const length = this.number("uint64");
    return this.take(length).toString("utf8");
  }

  value(): GgufValue {
    const type = this.type();
    if (type !== "array") return { type, value: this.scalar(type) };
    const of = this.type();
    if (of === "array") throw damaged(this.path, "lists of single values", "a list of lists");
    const length = this.count(of === "string" ? WIDTH.uint64 : WIDTH[of]);
    return { of, values: Array.from({ length }, () => this.scalar(of)) };
  }

  private scalar(type: ScalarType): GgufScalar {
    if (type === "string") return this.string();
    return type === "bool" ? this.number(type) !== 0 : this.number(type);
  }

  private type(): keyof typeof VALUE_TYPE {
    const id = this.number("uint32");
    const name = (Object.keys(VALUE_TYPE) as (keyof typeof VALUE_TYPE)[]).find((one) => VALUE_TYPE[one] === id);
    if (name !== undefined) return name;
    throw damaged(this.path, "a value of a known type", `type ${id}`);
  }
}

function readTensor(path: string, name: string, entry: GgufEntry | undefined): Float32Array {
  if (entry === undefined) throw damaged(path, `a tensor named ${name}`, "none");
  const file = openBytes(path);
  try {
    const bytes = file.read(entry.byteOffset, entry.byteOffset + entry.byteLength);
    if (bytes.byteLength !== entry.byteLength)
      throw damaged(path, `${entry.byteLength} bytes of tensor ${name}`, `${bytes.byteLength}`);
    const numbers = new Float32Array(numElements(entry.shape));
    BLOCK_TYPES[entry.type].decode(bytes, numbers);
    return numbers;
  } finally {
    file.close();
  }
}

function byteLength(path: string, name: string, type: GgufType, shape: readonly number[]): number {
  const { block, bytes } = BLOCK_TYPES[type];
  if (shape.at(-1)! % block === 0) return (numElements(shape) / block) * bytes;
  throw damaged(path, `rows of tensor ${name} of a multiple of ${block} numbers, as ${type} has it`, `${shape.at(-1)}`);
}

function aligned(offset: number, step = ALIGNMENT): number {
  return Math.ceil(offset / step) * step;
}

function tooLarge(path: string, name: string): CheckpointError {
  return new CheckpointError({
    place: path,
    expected: `values of tensor ${name} within the range of fp16`,
    got: "larger ones",
    remedy: "Write the model as f32.",
  });
}

function unknownType(path: string, name: string, id: number): CheckpointError {
  return new CheckpointError({
    place: path,
    expected: `tensor ${name} as one of ${Object.keys(BLOCK_TYPES).join(", ")}`,
    got: `element type ${id}`,
    remedy:
      "Take the model in one of these types, which llama.cpp's llama-quantize can write, or its original weights.",
  });
}

function damaged(path: string, expected: string, got: string): CheckpointError {
  return new CheckpointError({
    place: path,
    expected,
    got,
    remedy: "The file is damaged or cut short: make it again.",
  });
}
