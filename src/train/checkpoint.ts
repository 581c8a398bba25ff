/**
 * @file What a checkpoint holds: weights (adapter in PEFT's layout, or a whole model in Hugging Face's) and AdamW's moments.
 * The data cursor and every random draw follow from the step. Where checkpoints lie and which of them count: runs/checkpoints.ts.
 */

import { join } from "node:path";
import { CheckpointError, WorkerError } from "../base/errors.ts";
import { writeWhole } from "../formats/files.ts";
import { openSafetensors, type SafetensorsFile, writeSafetensors } from "../formats/safetensors.ts";
import { ADAPTER_FILE, adapterConfig } from "../models/lora.ts";
import { type ParameterLayout, parameterViews } from "../models/parameters.ts";
import type { AdamState } from "../optim/adamw.ts";
import { OPTIMIZER_FILE, readCheckpoint, type WriteFiles } from "../runs/checkpoints.ts";
import type { TrainSpec } from "../specs/types.ts";

export const MODEL_FILE = "model.safetensors";

/** What a checkpoint's folder says beside its tensors. */
export interface CheckpointTexts {
  train: TrainSpec;
  /** Name of the base model, for adapter_config.json. */
  baseModel: string;
  /** config.json of the base model, for whole models. */
  configText: string;
}

/** Writes a checkpoint's files into an empty folder. */
export function checkpointWriter(layout: ParameterLayout, state: AdamState, texts: CheckpointTexts): WriteFiles {
  return (folder) => {
    const digests: Record<string, string> = {};
    const write = (file: string, suffixed: readonly [prefix: string, data: Float32Array][]) => {
      const tensors = suffixed.flatMap(([prefix, data]) => {
        const views = parameterViews(layout, data);
        return layout.parameters.map(({ name, shape }) => ({
          name: `${prefix}${name}`,
          shape: [...shape],
          dtype: "F32" as const,
          data: views[name]!,
        }));
      });
      digests[file] = writeSafetensors(join(folder, file), tensors, { format: "pt" });
    };
    write(weightFile(texts.train), [["", state.parameters]]);
    write(OPTIMIZER_FILE, [
      ["exp_avg.", state.expAvg],
      ["exp_avg_sq.", state.expAvgSq],
    ]);
    if (texts.train.method === "full") writeWhole(join(folder, "config.json"), texts.configText);
    else {
      const names = layout.parameters.map(({ name }) => name);
      writeWhole(join(folder, "adapter_config.json"), adapterConfig(texts.train, { name: texts.baseModel }, names));
    }
    return digests;
  };
}

export function weightFile({ method }: Pick<TrainSpec, "method">): string {
  return method === "full" ? MODEL_FILE : ADAPTER_FILE;
}

/** Reads the weights of a checkpoint folder. */
export function readWeights(
  folder: string,
  train: Pick<TrainSpec, "method">,
  layout: ParameterLayout,
  into: Float32Array,
): void {
  readFlat(openSafetensors(join(folder, weightFile(train))), "", layout, into);
}

/**
 * The folder with the weights that a run is scored with.
 * @throws {WorkerError} they were not kept
 */
export function evaluatedCheckpoint(dir: string, { evaluate, keep }: TrainSpec): string {
  const best = evaluate === "best" ? readCheckpoint(dir, "best") : undefined;
  const checkpoint = best ?? readCheckpoint(dir);
  if (checkpoint !== undefined) return checkpoint.path;
  throw new WorkerError({
    place: dir,
    expected: "the weights of the trained run",
    got: `none (train.keep: ${keep})`,
    remedy: "Delete the run's folder to train it again, with train.keep: last or best.",
  });
}

/** Reads weights and moments of a checkpoint folder. */
export function readState(
  folder: string,
  train: Pick<TrainSpec, "method">,
  layout: ParameterLayout,
  state: AdamState,
): void {
  readWeights(folder, train, layout, state.parameters);
  const moments = openSafetensors(join(folder, OPTIMIZER_FILE));
  readFlat(moments, "exp_avg.", layout, state.expAvg);
  readFlat(moments, "exp_avg_sq.", layout, state.expAvgSq);
}

function readFlat(file: SafetensorsFile, prefix: string, layout: ParameterLayout, into: Float32Array): void {
  for (const { name, shape, offset, size } of layout.parameters) {
    const actual = file.tensors.get(`${prefix}${name}`)?.shape;
    if (actual?.join() !== shape.join()) {
      throw new CheckpointError({
        place: `${file.path}: tensor ${prefix}${name}`,
        expected: `[${shape.join(", ")}], as the run's spec and model say`,
        got: actual === undefined ? "no such tensor" : `[${actual.join(", ")}]`,
        remedy: "The checkpoint belongs to another run or model: give the folder that the run wrote.",
      });
    }
    file.readInto(`${prefix}${name}`, into.subarray(offset, offset + size));
  }
}
