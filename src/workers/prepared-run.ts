/** @file Writes a prepared run: all that a worker in another language needs of a job, decided to the last token (specs/prepared.ts). */

import { join } from "node:path";
import { planBatches } from "../data/batches/batches.ts";
import { countsPerEpoch } from "../data/batches/mixture.ts";
import { labelPackEntries, type PackEntry, type PackOptions, packEntries } from "../data/batches/packing.ts";
import type { PreparedSplit, PreparedTask } from "../data/tokens/prepare.ts";
import type { TokenizedExample } from "../data/types.ts";
import { asksOf, evaluationSubset } from "../eval/evaluate.ts";
import { makeFolder, removeQuietly, writeWhole } from "../formats/files.ts";
import { type TensorToWrite, writeSafetensors } from "../formats/safetensors.ts";
import type { ParameterLayout } from "../models/parameters.ts";
import { maxPositions } from "../models/tuning.ts";
import { learningRate } from "../optim/schedule.ts";
import type { Prepared } from "../specs/prepared.ts";
import type { RunSpec, TrainSpec } from "../specs/types.ts";
import type { Job } from "../study/types.ts";
import { type BatchExample, exampleWeights } from "../train/step.ts";
import { devTasksOf, type Question } from "./engine.ts";
import type { OpenModel } from "./shared-parts.ts";

/** Of the machine that will do the work. */
export interface PreparedFor extends Pick<Prepared, "device" | "ranks" | "precision" | "load_in_4bit" | "compile"> {
  /** Tokens through the net in one forward and backward pass. */
  microBatchTokens: number;
}

/** What training takes beside the spec. */
export interface PreparedTraining {
  spec: RunSpec;
  /** Ingredients, by name. */
  tasks: ReadonlyMap<string, PreparedTask>;
  layout: ParameterLayout;
}

/**
 * Writes the folder anew.
 * @param training  undefined: there is nothing to train
 * @param ask       a task as it is asked about
 */
export async function writePreparedRun(
  folder: string,
  job: Job,
  { model, tokenizer, template }: OpenModel,
  training: PreparedTraining | undefined,
  questions: readonly Question[],
  ask: (task: string) => Promise<PreparedTask>,
  { microBatchTokens, ...machine }: PreparedFor,
): Promise<void> {
  removeQuietly(folder);
  makeFolder(folder);
  const files: Record<string, string> = {};
  const write = (file: string, tensors: readonly TensorToWrite[]): string => {
    files[file] = writeSafetensors(join(folder, file), tensors);
    return file;
  };
  let train: Prepared["train"] = null;
  if (training !== undefined) {
    const { spec, tasks, layout } = training;
    const options = packOptionsFor(spec.train, microBatchTokens);
    const splits = new Map([...tasks].map(([name, task]) => [name, task.split("train")]));
    const { tensors, numSteps } = trainingTensors(spec, splits, options);
    const dev = devTasksOf(spec, tasks).flatMap((task) => {
      const items = evaluationSubset(task, "dev", job.eval).map(({ tokens }) => tokens);
      if (items.length === 0) return [];
      const packs = packEntries(items, { ...options, packing: "isolated", sharePrefix: true });
      const { name } = task.task;
      return [[name, write(`dev.${name}.safetensors`, [...itemTensors(items), ...packTensors("", packs)])]];
    });
    train = {
      file: write("train.safetensors", tensors),
      num_steps: numSteps,
      tasks: [...splits.keys()],
      parameters: layout.parameters.map(({ name, shape, offset }) => ({
        name,
        shape: [...shape],
        decays: offset < layout.decaySize,
      })),
      dev: Object.fromEntries(dev),
    };
  }
  const asked: Prepared["questions"] = [];
  for (const { task, split } of questions) {
    const prepared = await ask(task);
    const items = evaluationSubset(prepared, split, job.eval).map(({ tokens }) => tokens);
    const { labels, gold, text } = asksOf(prepared, job.eval, { tokenizer, template });
    const layout = { sharePrefix: true, maxTokens: 2 * microBatchTokens };
    const tensors = [
      ...itemTensors(items),
      ...(labels ? listTensors("label", prepared.labels!) : []),
      ...(labels
        ? packTensors(
            "labels_",
            labelPackEntries(items, () => prepared.labels!, layout),
          )
        : []),
      ...(gold
        ? packTensors(
            "gold_",
            labelPackEntries(items, (i) => [items[i]!.answer], layout),
          )
        : []),
    ];
    asked.push({
      ...{ task, split, file: write(`${task}.${split}.safetensors`, tensors), opens_test: split === "test" },
      asks: {
        ...{ labels, gold },
        text: text === undefined ? null : { max_new_tokens: text.maxNewTokens, end_ids: [...new Set(text.endIds)] },
      },
    });
  }
  const content: Prepared = {
    format: 1,
    id: job.id,
    model_dir: job.model_dir,
    spec: job.kind === "run" ? { ...job.spec, model: { ...job.spec.model } } : null,
    threads: job.threads,
    ...machine,
    max_positions: maxPositions(model.config, job.cutoff_len),
    train,
    questions: asked,
    files,
  };
  writeWhole(join(folder, "prepared.json"), `${JSON.stringify(content, null, 1)}\n`);
}

function packOptionsFor({ packing, cutoff_len, loss_on }: TrainSpec, maxTokens: number): PackOptions {
  const isContaminated = packing === "contaminated";
  return {
    packing,
    sharePrefix: !isContaminated,
    maxTokens: isContaminated ? cutoff_len : maxTokens,
    lossOn: loss_on,
  };
}

/** Every batch of the run in order, each cut into packs; an example's tokens stand there once, however often it is shown. */
function trainingTensors(
  { mixture, train, seed }: RunSpec,
  splits: ReadonlyMap<string, PreparedSplit>,
  options: PackOptions,
): { tensors: TensorToWrite[]; numSteps: number } {
  const names = [...splits.keys()];
  const sizes = Object.fromEntries(
    [...splits].map(([name, { tokenized, numTokens }]) => [name, { num: tokenized.length, tokens: numTokens }]),
  );
  const lengths = Object.fromEntries([...splits].map(([name, split]) => [name, split.lengths]));
  const plan = planBatches(countsPerEpoch(mixture, sizes), lengths, train, seed);
  const items: BatchExample[] = [];
  const known = new Map<string, number>();
  const itemOf = (task: string, example: number): number => {
    const key = `${task} ${example}`;
    const at = known.get(key) ?? items.push({ task, tokens: splits.get(task)!.tokenized[example]! }) - 1;
    known.set(key, at);
    return at;
  };
  const packs: PackEntry[][] = [];
  const weights: number[] = [];
  const steps = [0];
  const rates: number[] = [];
  for (let step = 0; step < plan.numSteps; step++) {
    const { names: of, ingredient, example } = plan.batch(step);
    const at = Array.from(example, (index, k) => itemOf(of[ingredient[k]!]!, index));
    const batch = at.map((index) => items[index]!);
    const weightOf = exampleWeights(batch, train.loss_mean, train.loss_on);
    for (const pack of packEntries(
      batch.map(({ tokens }) => tokens),
      options,
    )) {
      packs.push(pack.map((entry) => ({ ...entry, item: at[entry.item]! })));
      for (const { item } of pack) weights.push(weightOf[item]!);
    }
    steps.push(packs.length);
    rates.push(learningRate(train, step, plan.numSteps));
  }
  return {
    numSteps: plan.numSteps,
    tensors: [
      ...itemTensors(items.map(({ tokens }) => tokens)),
      int32("item_task", items, ({ task }) => names.indexOf(task)),
      ...packTensors("", packs),
      { name: "entry_weight", dtype: "F64", shape: [weights.length], data: Float64Array.from(weights) },
      int64("step_offsets", steps),
      { name: "learning_rate", dtype: "F64", shape: [rates.length], data: Float64Array.from(rates) },
    ],
  };
}

function itemTensors(items: readonly TokenizedExample[]): TensorToWrite[] {
  return [
    ...listTensors(
      "prompt",
      items.map(({ prompt }) => prompt),
    ),
    ...listTensors(
      "answer",
      items.map(({ answer }) => answer),
    ),
  ];
}

function listTensors(name: string, lists: readonly Int32Array[]): TensorToWrite[] {
  const offsets = offsetsOf(lists);
  const ids = new Int32Array(offsets.at(-1)!);
  for (const [i, list] of lists.entries()) ids.set(list, offsets[i]!);
  return [{ name: `${name}_ids`, dtype: "I32", shape: [ids.length], data: ids }, int64(`${name}_offsets`, offsets)];
}

function packTensors(prefix: string, packs: readonly PackEntry[][]): TensorToWrite[] {
  const entries = packs.flat();
  return [
    int64(`${prefix}pack_offsets`, offsetsOf(packs)),
    int32(`${prefix}entry_item`, entries, ({ item }) => item),
    int32(`${prefix}entry_group`, entries, ({ group }) => group),
    int32(`${prefix}entry_shared`, entries, ({ shared }) => shared),
  ];
}

/** Where each list begins behind those before it, and the end of the last. */
function offsetsOf(lists: readonly { length: number }[]): number[] {
  const offsets = [0];
  for (const { length } of lists) offsets.push(offsets.at(-1)! + length);
  return offsets;
}

function int32<T>(name: string, of: readonly T[], value: (one: T) => number): TensorToWrite {
  return { name, dtype: "I32", shape: [of.length], data: Int32Array.from(of, value) };
}

function int64(name: string, values: readonly number[]): TensorToWrite {
  return { name, dtype: "I64", shape: [values.length], data: BigInt64Array.from(values, BigInt) };
}
