/**
 * @file Models as Hugging Face folders: config.json and safetensors, one file or shards. Names are Hugging Face's throughout.
 * A float32 copy for mapping is kept in a cache, keyed by the weights' digest.
 */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../base/digest.ts";
import { CheckpointError } from "../base/errors.ts";
import type { Rng } from "../base/rng.ts";
import { numElements } from "../base/shapes.ts";
import { CACHE_SETTING, makeFolder, readText, sha256OfFile, writeAll, writeWholeWith } from "../formats/files.ts";
import {
  type Dtype,
  isReadable,
  openSafetensors,
  type SafetensorsFile,
  type TensorEntry,
} from "../formats/safetensors.ts";
import { allLinears, type DecoderConfig, decoderTensors, type TensorSpec } from "./config.ts";
import { ConfigReader } from "./config-reader.ts";
import { readDecoderConfig } from "./families.ts";
import { type Parameter, type ParameterLayout, parameterViews } from "./parameters.ts";

/** A model folder whose headers were checked; tensors are read on demand. */
export interface ModelFolder {
  folder: string;
  /** As config.json says, but untied where the weights have a head of their own. */
  config: DecoderConfig;
  /** Text of config.json, to be written beside tuned weights; it says what `config` says. */
  configText: string;
  /** Digest of config and weight files. */
  digest: string;
  /** The file that holds each tensor. */
  files: ReadonlyMap<string, SafetensorsFile>;
}

/** Float32 weights in one raw file, in the order of {@link rawTensors}. */
export interface RawWeights {
  folder: string;
  file: string;
  byteOffsets: ReadonlyMap<string, number>;
}

/** Tensors that old checkpoints carry and nobody reads. */
const IGNORED = /\.rotary_emb\.inv_freq$/;

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

/**
 * Opens a folder with config.json and model.safetensors (or shards with model.safetensors.index.json).
 * @throws {CheckpointError} a file that is missing or damaged, a model that we cannot run, tensors that disagree with config.json
 * @source transformers modeling_utils.py tie_weights: where both are in the file and differ, embedding and head are not tied
 */
export function openModelFolder(folder: string): ModelFolder {
  const { config, configText } = readModelConfig(folder);
  const paths = weightFiles(folder);
  const files = new Map<string, SafetensorsFile>();
  for (const path of paths) {
    const file = openSafetensors(path);
    for (const name of file.tensors.keys()) files.set(name, file);
  }
  checkTensors(folder, config, new Map([...files].map(([name, file]) => [name, file.tensors.get(name)!])));
  const common = {
    folder,
    digest: modelDigest(
      configText,
      paths.map((path) => sha256OfFile(path)),
    ),
    files,
  };
  if (!config.tie_word_embeddings || !files.has(HEAD) || areEqual(files, EMBEDDING, HEAD))
    return { ...common, config, configText };
  const untied = { tie_word_embeddings: false };
  const text = JSON.stringify({ ...JSON.parse(configText), ...untied }, null, 2);
  return { ...common, config: { ...config, ...untied }, configText: text };
}

/** Whether two tensors of one shape hold the same numbers. */
function areEqual(files: ModelFolder["files"], one: string, other: string): boolean {
  const [a, b] = [one, other].map((name) => {
    const file = files.get(name)!;
    return { name, file, ...file.tensors.get(name)! };
  });
  if (a!.dtype === b!.dtype) {
    const digests = [a!, b!].map(({ file, byteOffset, byteLength }) => sha256OfFile(file.path, byteOffset, byteLength));
    return digests[0] === digests[1];
  }
  const values = b!.file.readFloat32(b!.name);
  return a!.file.readFloat32(a!.name).every((value, i) => value === values[i]);
}

/**
 * The config.json of a folder whose weights need not be there.
 * @throws {CheckpointError} missing or damaged, a model that we cannot run
 */
export function readModelConfig(folder: string): Pick<ModelFolder, "config" | "configText"> {
  const path = join(folder, "config.json");
  const configText = readModelText(path);
  return { config: readDecoderConfig(new ConfigReader(parseJson(configText, path), path)), configText };
}

/** {@link ModelFolder.digest}. @param weights SHA-256 of each file, in the order of {@link weightFileNames} */
export function modelDigest(configText: string, weights: readonly string[]): string {
  return digestOf({ config: JSON.parse(configText), weights });
}

function readModelText(path: string): string {
  if (existsSync(path)) return readText(path);
  throw new CheckpointError({
    place: path,
    expected: "a model folder's file",
    got: "nothing there",
    remedy: "Name a folder in Hugging Face's layout: config.json, model.safetensors, tokenizer.json.",
  });
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError({
      place,
      expected: "JSON",
      got: "text that is not JSON",
      remedy: "Fetch the model again.",
      cause,
    });
  }
}

function weightFiles(folder: string): string[] {
  const paths = weightFileNames(folder).map((name) => join(folder, name));
  if (paths.some(existsSync)) return paths;
  throw new CheckpointError({
    place: folder,
    expected: "model.safetensors or model.safetensors.index.json",
    got: "neither",
    remedy: "Only safetensors are read (no pickle): fetch the model in that format.",
  });
}

/**
 * Names of the files that hold a folder's weights: model.safetensors, else those of its index, else model.safetensors, which is not there.
 * @param listed  names of a repository's files, of which not all are in the folder yet
 * @throws {CheckpointError} an index that is damaged or names other files
 * @source transformers modeling_utils.py _get_resolved_checkpoint_files: of both the single file counts
 */
export function weightFileNames(folder: string, listed: readonly string[] = []): string[] {
  const index = join(folder, "model.safetensors.index.json");
  const single = "model.safetensors";
  if (listed.includes(single) || existsSync(join(folder, single)) || !existsSync(index)) return [single];
  const json = parseJson(readText(index), index);
  const map = typeof json === "object" && json !== null && "weight_map" in json ? json.weight_map : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new CheckpointError({
      place: index,
      expected: "a weight_map from tensors to files",
      got: JSON.stringify(map) ?? "none",
      remedy: "Fetch the model again.",
    });
  }
  const names = [...new Set(Object.values(map))].sort();
  return names.map((name) => {
    if (typeof name === "string" && /^[\w.-]+\.safetensors$/.test(name)) return name;
    throw new CheckpointError({
      place: `${index}: weight_map`,
      expected: "names of .safetensors files in the same folder",
      got: JSON.stringify(name),
      remedy: "Fetch the model again from a source you trust.",
    });
  });
}

/**
 * Checks that the weights are those of the config.
 * @param tensors  all of them, by name
 * @throws {CheckpointError} a tensor that is missing, of another shape, of no readable type, or not the model's
 */
export function checkTensors(
  folder: string,
  config: DecoderConfig,
  tensors: ReadonlyMap<string, Pick<TensorEntry, "dtype" | "shape">>,
): void {
  const specs = decoderTensors(tensors.has(HEAD) ? { ...config, tie_word_embeddings: false } : config);
  const fail = (name: string, expected: string, got: string): never => {
    const remedy = "config.json and the weights belong to different models, or a file is missing: fetch both again.";
    throw new CheckpointError({ place: `${folder}: tensor ${name}`, expected, got, remedy });
  };
  for (const { name, shape } of specs) {
    const actual = tensors.get(name);
    if (actual === undefined) fail(name, `[${shape.join(", ")}], as config.json says`, "no such tensor");
    else if (actual.shape.join() !== shape.join())
      fail(name, `[${shape.join(", ")}], as config.json says`, `[${actual.shape.join(", ")}]`);
    else if (!isReadable(actual.dtype)) throw notFloat(`${folder}: tensor ${name}`, actual.dtype);
  }
  const known = new Set(specs.map(({ name }) => name));
  for (const name of tensors.keys()) {
    if (!known.has(name) && !IGNORED.test(name))
      fail(name, "no such tensor, as config.json says", "one in the weights");
  }
}

function notFloat(place: string, got: Dtype): CheckpointError {
  return new CheckpointError({
    place,
    expected: "weights as F32, F16 or BF16",
    got,
    remedy: "Choose the model that this one was quantised from.",
  });
}

/** Reads tensors of a folder into the views of a flat vector. */
export function readParameters(model: ModelFolder, layout: ParameterLayout, flat: Float32Array): void {
  for (const [name, view] of Object.entries(parameterViews(layout, flat))) model.files.get(name)!.readInto(name, view);
}

/**
 * The model's weights as one raw float32 file, written once into the cache folder.
 * note: every tensor starts at a multiple of 4 bytes and layers that read the same input are side by side, so that they can be mapped as one.
 */
export function rawWeights(model: ModelFolder, cacheFolder: string): RawWeights {
  const specs = rawTensors(model.config);
  const byteOffsets = rawOffsets(specs);
  const file = join(cacheFolder, `${model.digest}.f32`);
  const total = specs.reduce((sum, { shape }) => sum + numElements(shape), 0) * Float32Array.BYTES_PER_ELEMENT;
  if (!existsSync(file) || statSync(file).size !== total) {
    makeFolder(cacheFolder, CACHE_SETTING);
    const squares = new Map<string, Float32Array>();
    const rows = new Map(allLinears(model.config).map(({ module, outFeatures }) => [`${module}.weight`, outFeatures]));
    const read = (name: string) => {
      const known = squares.get(name);
      if (known !== undefined) return known;
      const values = model.files.get(name)!.readFloat32(name);
      const numRows = rows.get(name);
      if (numRows !== undefined)
        squares.set(squaresName(name.replace(/\.weight$/, "")), Float32Array.from(rowSquares(values, numRows)));
      return values;
    };
    writeRaw(file, specs, read, CACHE_SETTING);
  }
  return { folder: cacheFolder, file, byteOffsets };
}

/** What a raw file holds: the model's tensors, and behind them what adapters ask of each linear layer of its blocks. */
export function rawTensors(config: DecoderConfig): TensorSpec[] {
  const squares = allLinears(config).map(({ module, outFeatures }) => ({
    name: squaresName(module),
    shape: [outFeatures],
  }));
  return [...decoderTensors(config), ...squares];
}

/** Name of the squared lengths of the rows of a layer's weight, [out], in a raw file. */
export function squaresName(module: string): string {
  return `${module}.row_squares`;
}

/** Squared lengths of the rows of a matrix; summed in float64. */
export function rowSquares(matrix: Float32Array, numRows: number): Float64Array {
  const width = matrix.length / numRows;
  return Float64Array.from({ length: numRows }, (_, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += matrix[i]! ** 2;
    return sum;
  });
}

/**
 * Writes a raw file: tensors one behind the other in float32, as {@link rawOffsets} has them; one is held at a time.
 * @param setBy  as of writeWhole
 */
export function writeRaw(
  file: string,
  specs: readonly TensorSpec[],
  read: (name: string) => Float32Array,
  setBy?: string,
): void {
  const fill = (fd: number) => {
    for (const { name } of specs) {
      const values = read(name);
      writeAll(fd, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  };
  writeWholeWith(file, fill, setBy);
}

/** Where each tensor begins in a raw file, in bytes. */
export function rawOffsets(specs: readonly TensorSpec[]): Map<string, number> {
  let offset = 0;
  return new Map(
    specs.map(({ name, shape }) => {
      const start = offset;
      offset += numElements(shape) * Float32Array.BYTES_PER_ELEMENT;
      return [name, start];
    }),
  );
}

/**
 * First values of a model trained from scratch: matrices normal with `initializer_range`, norms such that they multiply with 1, biases 0.
 * @source transformers PreTrainedModel._init_weights, Gemma2PreTrainedModel._init_weights
 */
export function initParameter(config: DecoderConfig, { name, shape }: Parameter, into: Float32Array, rng: Rng): void {
  if (shape.length === 1) return void into.fill(name.endsWith(".bias") ? 0 : 1 - config.normOffset);
  const stream = rng.fork(name);
  for (let i = 0; i < into.length; i++) into[i] = config.initializer_range * stream.normal();
}
