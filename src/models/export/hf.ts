/** @file A whole model in Hugging Face's layout: safetensors in one file or shards with an index, config.json. */

import { join } from "node:path";
import { writeWhole } from "../../formats/files.ts";
import { tensorBytes, type WeightDtype, writeSafetensors } from "../../formats/safetensors.ts";
import type { TensorSpec } from "../config.ts";
import type { ExportSource } from "./source.ts";

/** What transformers calls the types. */
const TORCH_DTYPES: Record<WeightDtype, string> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

export interface HfOptions {
  dtype: WeightDtype;
  /** Most bytes of tensors in one file; a larger tensor has a file of its own. */
  shardBytes: number;
}

/**
 * Writes weights and config.json.
 * @throws {CheckpointError} a value that the type cannot hold
 * @throws {WorkerError|DataError} the disk
 */
export function writeHf(source: ExportSource, { dtype, shardBytes }: HfOptions, folder: string): void {
  const shards = cutShards(source.tensors, dtype, shardBytes);
  const names = shards.map((_, i) =>
    shards.length === 1 ? "model.safetensors" : `model-${part(i + 1)}-of-${part(shards.length)}.safetensors`,
  );
  for (const [i, shard] of shards.entries()) {
    const tensors = shard.map(({ name, shape }) => ({ name, shape, dtype, data: () => source.read(name) }));
    writeSafetensors(join(folder, names[i]!), tensors, { format: "pt" });
  }
  if (shards.length > 1) {
    const weight_map = Object.fromEntries(
      shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i]!])).sort(),
    );
    const total_size = source.tensors.reduce((sum, { shape }) => sum + tensorBytes(shape, dtype), 0);
    writeJson(join(folder, "model.safetensors.index.json"), { metadata: { total_size }, weight_map });
  }
  writeWhole(join(folder, "config.json"), configWith(source.configText, TORCH_DTYPES[dtype]));
}

/** Tensors in their order, in runs of at most so many bytes. */
function cutShards(tensors: readonly TensorSpec[], dtype: WeightDtype, shardBytes: number): TensorSpec[][] {
  const shards: TensorSpec[][] = [[]];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor.shape, dtype);
    if (size > 0 && size + bytes > shardBytes) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push(tensor);
    size += bytes;
  }
  return shards;
}

/** config.json with the type that was written, under the name that the file has for it. */
function configWith(text: string, dtype: string): string {
  const config = JSON.parse(text) as Record<string, unknown>;
  const key = config.dtype === undefined ? "torch_dtype" : "dtype";
  return `${JSON.stringify({ ...config, [key]: dtype }, null, 2)}\n`;
}

function part(number: number): string {
  return `${number}`.padStart(5, "0");
}

function writeJson(path: string, value: unknown): void {
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}
