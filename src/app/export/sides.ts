/** @file The two sides of an export's check: the model as it is, and the exported files opened anew. */

import { join } from "node:path";
import type { PromptTemplate } from "../../data/tokens/chat-template.ts";
import type { Tokenizer } from "../../data/tokens/tokenizers.ts";
import { OnnxFile } from "../../engine/runtime/onnx-file.ts";
import { networkModel } from "../../eval/network-model.ts";
import { logProbability } from "../../eval/sampling.ts";
import { makeFolder, removeQuietly } from "../../formats/files.ts";
import { openGguf } from "../../formats/gguf.ts";
import { CachedNetwork } from "../../models/cached-network.ts";
import { type DecoderConfig, decoderTensors } from "../../models/config.ts";
import { readModelTensor } from "../../models/export/gguf.ts";
import { ONNX_FILE } from "../../models/export/onnx.ts";
import { Network, type NetworkOptions, type Tuning, toInt64 } from "../../models/network.ts";
import { type ModelFolder, rawOffsets, rawWeights, writeRaw } from "../../models/weights.ts";
import type { Side } from "./check.ts";

/** A side that is closed when it has answered. */
export interface OpenSide extends Side {
  close(): Promise<void>;
}

interface Texts {
  tokenizer: Tokenizer;
  template: PromptTemplate;
}

/** A side that our own engine computes. @param read  values of what `tuning` trains, once their places are known */
export async function engineSide(
  config: DecoderConfig,
  tuning: Tuning,
  read: (layout: Network["layout"]) => Float32Array,
  { tokenizer, template }: Texts,
  options: NetworkOptions,
): Promise<OpenSide> {
  const writer = await CachedNetwork.create(config, tuning, options);
  const network = await Network.create("score", config, tuning, options);
  const parameters = read(network.layout);
  return {
    model: networkModel({
      ...{ network, parameters, tokenizer, template },
      writer: async () => writer,
      maxPositions: options.maxPositions,
      stopStrings: [],
    }),
    canWrite: true,
    logits: async (prompt) => {
      const [row] = await writer.readOn(writer.newCache(1), writer.newCache(1), 0, [prompt], parameters);
      return row!;
    },
    close: async () => {
      await writer.release();
      await network.release();
    },
  };
}

/** Weights of a folder as they are, with nothing on top. @param scratch  an own folder, for float32 copies */
export function folderSide(
  model: ModelFolder,
  texts: Texts,
  scratch: string,
  options: NetworkOptions,
): Promise<OpenSide> {
  const frozen = rawWeights(model, scratch);
  return engineSide(model.config, { method: "frozen", frozen }, () => new Float32Array(0), texts, options);
}

/** What the blocks of a GGUF stand for, computed by our own engine. @param scratch  as of {@link folderSide} */
export function ggufSide(
  path: string,
  config: DecoderConfig,
  texts: Texts,
  scratch: string,
  options: NetworkOptions,
): Promise<OpenSide> {
  const gguf = openGguf(path);
  const tensors = decoderTensors(config);
  const file = join(scratch, "gguf.f32");
  writeRaw(file, tensors, (name) => readModelTensor(gguf, config, name));
  const frozen = { folder: scratch, file, byteOffsets: rawOffsets(tensors) };
  return engineSide(config, { method: "frozen", frozen }, () => new Float32Array(0), texts, options);
}

/** An ONNX file, run as its users run it; of tasks it answers those with labels. */
export async function onnxSide(
  folder: string,
  { vocab_size: V }: DecoderConfig,
  { tokenizer, template }: Texts,
  { threads, maxPositions }: NetworkOptions,
): Promise<OpenSide> {
  const file = await OnnxFile.open(join(folder, ONNX_FILE), threads);
  const logitsOf = async (ids: Int32Array): Promise<Float32Array> => {
    const row = (values: Int32Array) => ({ type: "int64" as const, data: toInt64(values), shape: [1, ids.length] });
    const { logits } = await file.run({
      input_ids: row(ids),
      attention_mask: row(new Int32Array(ids.length).fill(1)),
      position_ids: row(Int32Array.from(ids, (_, i) => i)),
    });
    return logits!;
  };
  const labelScore = async (prompt: Int32Array, label: Int32Array): Promise<number> => {
    const logits = await logitsOf(Int32Array.of(...prompt, ...label.subarray(0, -1)));
    const behind = (t: number) => logits.subarray((prompt.length - 1 + t) * V, (prompt.length + t) * V);
    return label.reduce((sum, id, t) => sum + logProbability(behind(t), id), 0);
  };
  const notAsked = () => Promise.reject(new Error("an ONNX export is asked for labels alone"));
  return {
    model: {
      ...{ tokenizer, template, maxPositions },
      scoreLabels: async (prompts, labels, report) => {
        const scores: Float64Array[] = [];
        for (const { prompt } of prompts) {
          const row = new Float64Array(labels.length);
          for (const [k, label] of labels.entries()) row[k] = await labelScore(prompt, label);
          await report(scores.push(row));
        }
        return scores;
      },
      scoreGold: notAsked,
      write: notAsked,
    },
    canWrite: false,
    logits: async (prompt) => (await logitsOf(prompt)).subarray((prompt.length - 1) * V),
    close: () => file.release(),
  };
}

/** Runs with a scratch folder that is gone afterwards. */
export async function withScratch<T>(folder: string, use: (folder: string) => Promise<T>): Promise<T> {
  makeFolder(folder);
  try {
    return await use(folder);
  } finally {
    removeQuietly(folder);
  }
}
