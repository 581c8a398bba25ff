/** @file Writes a prepared run: all that a worker in another language needs of a job, decided to the last token (specs/prepared.ts). */

import { join } from "node:path";
import { labelPackEntries, type PackEntry, type PackOptions, packEntries } from "../data/batches/packing.ts";
import { dropoutKeysOf, packOptionsOf, runBatches } from "../data/batches/run-batches.ts";
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

/** All that a prepared run is written from. */
export interface WorkOrder {
  job: Job;
  opened: OpenModel;
  /** Absent: there is nothing to train. */
  training?: PreparedTraining;
  questions: readonly Question[];
  /** A task as it is asked about. */
  taskToAsk(name: string): Promise<PreparedTask>;
  machine: PreparedFor;
}

/** Writes a file of the folder. @returns its name */
type WriteFile = (file: string, tensors: readonly TensorToWrite[]) => string;

/** Writes the folder; what was there is removed. */
export async function writePreparedRun(folder: string, order: WorkOrder): Promise<void> {
  removeQuietly(folder);
  makeFolder(folder);
  const files: Record<string, string> = {};
  const write: WriteFile = (file, tensors) => {
    files[file] = writeSafetensors(join(folder, file), tensors);
    return file;
  };
  const { job, opened, training } = order;
  const { microBatchTokens: _, ...machine } = order.machine;
  const train = training === undefined ? null : writeTraining(order, training, write);
  const questions: Prepared["questions"] = [];
  for (const question of order.questions) questions.push(await writeQuestion(order, question, write));
  const content: Prepared = {
    format: 1,
    id: job.id,
    model_dir: job.model_dir,
    spec: job.kind === "run" ? { ...job.spec, model: { ...job.spec.model } } : null,
    threads: job.threads,
    ...machine,
    max_positions: maxPositions(opened.model.config, job.cutoff_len),
    train,
    questions,
    files,
  };
  writeWhole(join(folder, "prepared.json"), `${JSON.stringify(content, null, 1)}\n`);
}

/** Writes every batch, and the dev items that the loss is measured on. */
function writeTraining(
  { job, machine }: WorkOrder,
  { spec, tasks, layout }: PreparedTraining,
  write: WriteFile,
): Prepared["train"] {
  const options = packOptionsOf(spec.train, machine.microBatchTokens);
  const splits = Object.fromEntries([...tasks].map(([name, task]) => [name, task.split("train")]));
  const { tensors, numSteps } = trainingTensors(spec, splits, options);
  const dev = devTasksOf(spec, tasks).flatMap((task) => {
    const items = evaluationSubset(task, "dev", job.eval).map(({ tokens }) => tokens);
    if (items.length === 0) return [];
    const packs = packEntries(items, { ...options, packing: "isolated", sharePrefix: true });
    const { name } = task.task;
    return [
      [name, write(`dev.${name}.safetensors`, [...learnedTensors(items, spec.train), ...packTensors("", packs)])],
    ];
  });
  return {
    file: write("train.safetensors", tensors),
    num_steps: numSteps,
    tasks: Object.keys(splits),
    parameters: layout.parameters.map(({ name, shape, offset }) => ({
      name,
      shape: [...shape],
      decays: offset < layout.decaySize,
    })),
    dev: Object.fromEntries(dev),
  };
}

/** Writes the items of a question, packed with their labels and gold answers where it scores these. */
async function writeQuestion(
  { job, opened, taskToAsk, machine }: WorkOrder,
  { task, split }: Question,
  write: WriteFile,
): Promise<Prepared["questions"][number]> {
  const prepared = await taskToAsk(task);
  const items = evaluationSubset(prepared, split, job.eval).map(({ tokens }) => tokens);
  const { labels, gold, text } = asksOf(prepared, job.eval, opened);
  const layout = { sharePrefix: true, maxTokens: 2 * machine.microBatchTokens };
  const packed = (prefix: string, answers: (item: number) => readonly Int32Array[]) =>
    packTensors(prefix, labelPackEntries(items, answers, layout));
  const tensors = [
    ...itemTensors(items),
    ...(labels ? listTensors("label", prepared.labels!) : []),
    ...(labels ? packed("labels_", () => prepared.labels!) : []),
    ...(gold ? packed("gold_", (i) => [items[i]!.answer]) : []),
  ];
  return {
    ...{ task, split, file: write(`${task}.${split}.safetensors`, tensors), opens_test: split === "test" },
    asks: {
      ...{ labels, gold },
      text: text === undefined ? null : { max_new_tokens: text.maxNewTokens, end_ids: [...text.endIds] },
    },
  };
}

/** Every batch of the run in order, each cut into packs; an example's tokens stand there once, however often it is shown. */
function trainingTensors(
  spec: RunSpec,
  splits: Readonly<Record<string, PreparedSplit>>,
  options: PackOptions,
): { tensors: TensorToWrite[]; numSteps: number } {
  const { train } = spec;
  const names = Object.keys(splits);
  const plan = runBatches(spec, splits);
  const items: BatchExample[] = [];
  const known = new Map<string, number>();
  const itemOf = (task: string, example: number): number => {
    const key = `${task} ${example}`;
    const at = known.get(key) ?? items.push({ task, tokens: splits[task]!.tokenized[example]! }) - 1;
    known.set(key, at);
    return at;
  };
  const packs: PackEntry[][] = [];
  const weights: number[] = [];
  const keys: number[] = [];
  const steps = [0];
  const rates: number[] = [];
  for (let step = 0; step < plan.numSteps; step++) {
    const { names: of, ingredient, example } = plan.batch(step);
    const at = Array.from(example, (index, k) => itemOf(of[ingredient[k]!]!, index));
    const batch = at.map((index) => items[index]!);
    const weightOf = exampleWeights(batch, train.loss_mean, train.loss_on);
    const keyOf = dropoutKeysOf(spec, step, batch.length);
    for (const pack of packEntries(
      batch.map(({ tokens }) => tokens),
      options,
    )) {
      packs.push(pack.map((entry) => ({ ...entry, item: at[entry.item]! })));
      for (const { item } of pack) {
        weights.push(weightOf[item]!);
        if (keyOf !== undefined) keys.push(keyOf[item]!);
      }
    }
    steps.push(packs.length);
    rates.push(learningRate(train, step, plan.numSteps));
  }
  return {
    numSteps: plan.numSteps,
    tensors: [
      ...learnedTensors(
        items.map(({ tokens }) => tokens),
        train,
      ),
      int32("item_task", items, ({ task }) => names.indexOf(task)),
      ...packTensors("", packs),
      { name: "entry_weight", dtype: "F64", shape: [weights.length], data: Float64Array.from(weights) },
      ...(train.lora_dropout === undefined ? [] : [int64("entry_key", keys)]),
      int64("step_offsets", steps),
      { name: "learning_rate", dtype: "F64", shape: [rates.length], data: Float64Array.from(rates) },
    ],
  };
}

/** Items of which the loss is on earlier answers too, if the run asks for it: rising [from, to) places in the prompt. */
function learnedTensors(items: readonly TokenizedExample[], { loss_on }: TrainSpec): TensorToWrite[] {
  if (loss_on !== "all_answers") return itemTensors(items);
  const none = new Int32Array(0);
  return [
    ...itemTensors(items),
    ...listTensors(
      "span",
      items.map(({ spans }) => spans ?? none),
    ),
  ];
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
