/**
 * @file Tensors in safetensors files: a JSON header with names, types, shapes and offsets, then the bytes.
 * A file is hostile until its header has been checked. Weights are read as float32 and written as float32, fp16 or bf16; numbers of other types as they are.
 */

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { endianness } from "node:os";
import { CheckpointError, MixtuneError } from "../base/errors.ts";
import { numElements } from "../base/shapes.ts";
import { asCheckpointError, readPieces, writeAll, writeWholeWith } from "./files.ts";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "./half.ts";

/** Bytes per element of every element type of the format that is a whole number of bytes. */
const BYTES_OF = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const;

export type Dtype = keyof typeof BYTES_OF;

/** Longest header that is read; the format's own reader has the same limit. */
const MAX_HEADER_BYTES = 100_000_000;

/** Where a tensor lies. */
export interface TensorEntry {
  dtype: Dtype;
  shape: number[];
  /** From the start of the file, so that the file can be mapped. */
  byteOffset: number;
  byteLength: number;
}

/** An opened file: its checked header, and readers that open the file anew, so that nothing has to be closed. */
export interface SafetensorsFile {
  path: string;
  /** In the order of their bytes. */
  tensors: Map<string, TensorEntry>;
  metadata: Record<string, string>;
  /**
   * A tensor's elements as float32; F32, F16 and BF16 exactly, F64 rounded to nearest.
   * @throws {CheckpointError} no such tensor, a type that is not one of these, or a file that has become shorter
   */
  readFloat32(name: string): Float32Array;
  /** {@link readFloat32} into an array of the tensor's size. */
  readInto(name: string, target: Float32Array): void;
  /**
   * A tensor's elements as they are: F64, F32, I64 (whole numbers below 2^53), I32.
   * @throws {CheckpointError} as {@link readFloat32}, and a whole number that is too large
   */
  readNumbers(name: string): Float64Array;
}

/** Types that weights are written as. */
export type WeightDtype = "F32" | "F16" | "BF16";

/** A tensor to write: `data` has as many elements as the shape. A function is asked when the tensor's turn has come, so that one is held at a time. */
export type TensorToWrite = { name: string; shape: readonly number[] } & (
  | { dtype: WeightDtype; data: Float32Array | (() => Float32Array) }
  | { dtype: "F64"; data: Float64Array }
  | { dtype: "I64"; data: BigInt64Array }
  | { dtype: "I32"; data: Int32Array }
);

/** Bytes that a tensor takes in a file. */
export function tensorBytes(shape: readonly number[], dtype: Dtype): number {
  return numElements(shape) * BYTES_OF[dtype];
}

/**
 * Opens a file and checks its header against its size.
 *
 * @throws {CheckpointError} missing, truncated or longer than its header says, a header that is too long or no JSON, a name given twice,
 *   an unknown type, a shape that disagrees with its bytes, tensors that overlap or leave holes
 */
export function openSafetensors(path: string): SafetensorsFile {
  const { tensors, metadata } = readHeader(path);
  const entryOf = (name: string): TensorEntry => {
    const entry = tensors.get(name);
    if (entry !== undefined) return entry;
    throw damaged(
      path,
      `a tensor named ${name}`,
      `${tensors.size} tensors without it`,
      "Use the file of the model that the config describes.",
    );
  };
  const readInto = (name: string, target: Float32Array): void => readTensor(path, name, entryOf(name), target);
  return {
    path,
    tensors,
    metadata,
    readInto,
    readFloat32(name) {
      const target = new Float32Array(numElements(tensors.get(name)?.shape ?? [0]));
      readInto(name, target);
      return target;
    },
    readNumbers: (name) => readNumbers(path, name, entryOf(name)),
  };
}

function readHeader(path: string): SafetensorsHeader {
  const fileBytes = sizeOf(path);
  const headerBytes = headerLength(readExactly(path, 0, 8), fileBytes, path);
  return parseSafetensorsHeader(readExactly(path, 8, headerBytes).toString("utf8"), headerBytes, fileBytes, path);
}

/** What a file's header says. */
export type SafetensorsHeader = Pick<SafetensorsFile, "tensors" | "metadata">;

/**
 * Length of a file's header, which begins at byte 8.
 * @param start     the first 8 bytes of the file
 * @param fileBytes length of the file
 * @throws {CheckpointError} a file that is too short, a header that is too long
 */
export function headerLength(start: Buffer, fileBytes: number, place: string): number {
  if (fileBytes < 8 || start.length < 8) throw damaged(place, "at least 8 bytes", `${fileBytes}`);
  const headerBytes = Number(start.readBigUInt64LE(0));
  const limit = Math.min(MAX_HEADER_BYTES, fileBytes - 8);
  if (headerBytes > limit)
    throw damaged(place, `a header of at most ${limit} bytes`, `a header length of ${headerBytes}`);
  return headerBytes;
}

/**
 * A header checked against the size of its file, which need not be there.
 * @throws {CheckpointError} as {@link openSafetensors}
 */
export function parseSafetensorsHeader(
  text: string,
  headerBytes: number,
  fileBytes: number,
  place: string,
): SafetensorsHeader {
  const header = parseHeader(text, place);
  const metadata = header.__metadata__ === undefined ? {} : checkMetadata(header.__metadata__, place);
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => [name, checkEntry(name, value, 8 + headerBytes, place)] as const);
  tensors.sort(([, a], [, b]) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = 8 + headerBytes;
  for (const [name, entry] of tensors) {
    if (entry.byteOffset !== end) {
      throw damaged(
        place,
        `tensor ${name} to begin at byte ${end}, where the one before it ends`,
        `byte ${entry.byteOffset}`,
      );
    }
    end += entry.byteLength;
  }
  if (end !== fileBytes) throw damaged(place, `${end} bytes, as the header says`, `${fileBytes}`);
  return { tensors: new Map(tensors), metadata };
}

function parseHeader(text: string, path: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw damaged(path, "a JSON header", error instanceof Error ? error.message : "something else");
  }
  if (!isRecord(header)) throw damaged(path, "a JSON object as header", typeof header);
  const twice = repeatedKey(text);
  if (twice !== undefined) throw damaged(path, "each name once in the header", `"${twice}" twice`);
  return header;
}

function checkMetadata(value: unknown, path: string): Record<string, string> {
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== "string")) {
    throw damaged(path, "__metadata__ to map names to text", JSON.stringify(value).slice(0, 80));
  }
  return value as Record<string, string>;
}

function checkEntry(name: string, value: unknown, dataStart: number, path: string): TensorEntry {
  if (!isRecord(value)) throw damaged(path, `tensor ${name} to be an object`, JSON.stringify(value));
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(BYTES_OF, dtype)) {
    throw damaged(
      path,
      `tensor ${name} to have one of the types ${Object.keys(BYTES_OF).join(" ")}`,
      JSON.stringify(dtype ?? null),
    );
  }
  if (!isSizes(shape))
    throw damaged(path, `tensor ${name} to have a shape of whole numbers`, JSON.stringify(shape ?? null));
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw damaged(path, `tensor ${name} to have two rising data_offsets`, JSON.stringify(offsets ?? null));
  }
  const byteLength = offsets[1]! - offsets[0]!;
  const needed = tensorBytes(shape, dtype as Dtype);
  if (needed !== byteLength) {
    throw damaged(
      path,
      `tensor ${name}, ${dtype} [${shape}], to take ${needed} bytes`,
      `data_offsets of ${byteLength} bytes`,
    );
  }
  return { dtype: dtype as Dtype, shape, byteOffset: dataStart + offsets[0]!, byteLength };
}

function readTensor(path: string, name: string, entry: TensorEntry, target: Float32Array): void {
  if (target.length !== numElements(entry.shape)) {
    throw damaged(
      path,
      `tensor ${name} to have ${target.length} elements`,
      `shape [${entry.shape}]`,
      "Use weights that belong to this config.",
    );
  }
  if (!isReadable(entry.dtype)) {
    throw damaged(
      path,
      `tensor ${name} as F64, F32, F16 or BF16`,
      entry.dtype,
      "Convert the weights to one of these types.",
    );
  }
  const convert = CONVERT[entry.dtype];
  const width = BYTES_OF[entry.dtype];
  let done = 0;
  // Pieces are whole elements: the piece size is a multiple of 8 and a short read only happens at the end of the file.
  const got = readPieces(path, entry.byteOffset, entry.byteLength, (piece) => {
    const count = Math.floor(piece.byteLength / width);
    convert(piece, target.subarray(done, done + count));
    done += count;
  });
  if (got !== entry.byteLength) throw damaged(path, `${entry.byteLength} bytes of tensor ${name}`, `${got}`);
}

const NUMBERS: Partial<Record<Dtype, (bytes: Buffer, at: number) => number>> = {
  F64: (bytes, at) => bytes.readDoubleLE(at),
  F32: (bytes, at) => bytes.readFloatLE(at),
  I64: (bytes, at) => Number(bytes.readBigInt64LE(at)),
  I32: (bytes, at) => bytes.readInt32LE(at),
};

function readNumbers(path: string, name: string, { dtype, byteOffset, byteLength }: TensorEntry): Float64Array {
  const numberAt = NUMBERS[dtype];
  if (numberAt === undefined) throw damaged(path, `tensor ${name} as ${Object.keys(NUMBERS).join(", ")}`, dtype);
  const bytes = readExactly(path, byteOffset, byteLength);
  const numbers = new Float64Array(bytes.length / BYTES_OF[dtype]);
  for (let i = 0; i < numbers.length; i++) numbers[i] = numberAt(bytes, i * BYTES_OF[dtype]);
  const large = dtype === "I64" ? numbers.find((value) => !Number.isSafeInteger(value)) : undefined;
  if (large !== undefined) throw damaged(path, `whole numbers below 2^53 in tensor ${name}`, `${large}`);
  return numbers;
}

const CONVERT = {
  F64: (piece: Buffer, target: Float32Array) =>
    target.set(new Float64Array(piece.buffer, piece.byteOffset, target.length)),
  F32: (piece: Buffer, target: Float32Array) =>
    target.set(new Float32Array(piece.buffer, piece.byteOffset, target.length)),
  F16: (piece: Buffer, target: Float32Array) =>
    float16ToFloat32(new Uint16Array(piece.buffer, piece.byteOffset, target.length), target),
  BF16: (piece: Buffer, target: Float32Array) =>
    bfloat16ToFloat32(new Uint16Array(piece.buffer, piece.byteOffset, target.length), target),
};

/** Whether tensors of this type can be read as float32. */
export function isReadable(dtype: Dtype): dtype is keyof typeof CONVERT {
  return Object.hasOwn(CONVERT, dtype);
}

/**
 * Writes a file whole (temp + fsync + rename). The same tensors and metadata give the same bytes: wide types before narrow ones, then by name,
 * as the format's own writer orders them; the header is padded to 8 bytes, so that tensors are aligned when mapped.
 *
 * @returns hexadecimal SHA-256 of the file
 * @throws {CheckpointError} a name twice, data that does not fill its shape, a finite value that the type cannot hold
 * @throws {WorkerError|DataError} the file cannot be written; the old one then stays as it was
 */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): string {
  const ordered = [...tensors].sort(
    (a, b) => BYTES_OF[b.dtype] - BYTES_OF[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const header = headerOf(ordered, metadata, path);
  const hash = createHash("sha256");
  writeWholeWith(path, (fd) => {
    const put = (bytes: Uint8Array): void => {
      hash.update(bytes);
      writeAll(fd, bytes);
    };
    put(header);
    for (const tensor of ordered) writeTensor(tensor, put, path);
  });
  return hash.digest("hex");
}

function headerOf(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>, path: string): Buffer {
  // Without a prototype, so that a tensor may have any name.
  const header: Record<string, unknown> = Object.create(null);
  const names = Object.keys(metadata).sort();
  if (names.length > 0) header.__metadata__ = Object.fromEntries(names.map((name) => [name, metadata[name]]));
  let end = 0;
  for (const tensor of tensors) {
    const { name, dtype, shape, data } = tensor;
    if (name === "__metadata__" || Object.hasOwn(header, name))
      throw damaged(path, "tensors with distinct names", `"${name}" twice or reserved`);
    if (typeof data !== "function") checkLength(tensor, data.length, path);
    const begin = end;
    end += tensorBytes(shape, dtype);
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - 8), 0);
  json.copy(padded, 8);
  return padded;
}

function checkLength({ name, shape }: TensorToWrite, length: number, path: string): void {
  if (numElements(shape) !== length)
    throw damaged(path, `tensor ${name} to have ${length} elements`, `shape [${shape}]`);
}

function writeTensor(tensor: TensorToWrite, put: (bytes: Uint8Array) => void, path: string): void {
  const data = typeof tensor.data === "function" ? tensor.data() : tensor.data;
  checkLength(tensor, data.length, path);
  const pieceLength = 1 << 20;
  for (let at = 0; at < data.length; at += pieceLength) {
    const piece = data.subarray(at, at + pieceLength);
    const { buffer, byteOffset, byteLength } =
      tensor.dtype === "F16" || tensor.dtype === "BF16"
        ? halves(piece as Float32Array, tensor.name, tensor.dtype, path)
        : piece;
    put(new Uint8Array(buffer, byteOffset, byteLength));
  }
}

const TO_HALF = {
  F16: { convert: float32ToFloat16, range: "±65504, the range of fp16" },
  BF16: { convert: float32ToBfloat16, range: "the range of bf16" },
} as const;

function halves(piece: Float32Array, name: string, dtype: keyof typeof TO_HALF, path: string): Uint16Array {
  const { convert, range } = TO_HALF[dtype];
  const target = new Uint16Array(piece.length);
  if (convert(piece, target) === 0) return target;
  throw damaged(path, `values of tensor ${name} within ${range}`, "larger ones", "Write this tensor as F32.");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A key that an object of the text names twice; `JSON.parse` would keep the last in silence. The text is known to be JSON. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"\s*:?|[{}]/gs;
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (token.endsWith(":")) {
      const key = JSON.parse(token.slice(0, -1)) as string;
      const keys = open.at(-1) as Set<string>;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw new CheckpointError({
      place: path,
      expected: "a safetensors file",
      got: "no readable file",
      remedy: "Check the path, or fetch the model again.",
      cause: error,
    });
  }
}

function readExactly(path: string, offset: number, length: number): Buffer {
  const pieces: Buffer[] = [];
  try {
    readPieces(path, offset, length, (piece) => pieces.push(Buffer.from(piece)));
  } catch (error) {
    throw error instanceof MixtuneError ? asCheckpointError(error, "Check the path and its permissions.") : error;
  }
  return Buffer.concat(pieces);
}

function damaged(
  path: string,
  expected: string,
  got: string,
  remedy = "The file is damaged or cut short: fetch or write it again.",
): CheckpointError {
  return new CheckpointError({ place: path, expected, got, remedy });
}

if (endianness() !== "LE") throw new Error("safetensors are little-endian, and so must this machine be");
