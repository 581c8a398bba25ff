/**
 * @file A LLaMA-Factory training file and its dataset_info.json as a study.
 * @source hiyouga/LLaMA-Factory src/llamafactory/hparams, src/llamafactory/data/parser.py and data/README.md: names, defaults, meanings
 */

import { SpecError } from "../../base/errors.ts";
import { didYouMean } from "../nearest.ts";
import type { EvalBlock } from "../schema.ts";
import type { TrainBlock } from "../train.ts";
import type { Amount } from "../types.ts";
import type { YamlFile } from "../yaml-file.ts";
import { datasetOf, hubEntry, type LlamaFactoryDataset } from "./dataset-info.ts";
import { addOwnData, type Draft, emptyDraft, freeName, modelOf, sharesOf, studyOf } from "./draft.ts";
import { LLAMA_FACTORY_KEYS } from "./llama-factory-keys.ts";
import { paperEpochs, type Recipe } from "./paper.ts";
import { type Account, type KeyReader, keyReader } from "./reader.ts";
import {
  batchOf,
  checkpointsOf,
  dropoutOf,
  lengthOf,
  optimizerOf,
  precisionOf,
  scheduleOf,
  seedsOf,
  type TrainerKeys,
} from "./training.ts";
import type { Imported, ImportOptions } from "./types.ts";

const TOOL = "LLaMA-Factory";
const KEYS: TrainerKeys = {
  scheduler: "lr_scheduler_type",
  optimizer: "optim",
  defaultScheduler: "linear",
  defaultWarmup: 0,
};

/**
 * @param config the training file
 * @param info dataset_info.json, if there is one
 * @throws {SpecError} values of the wrong kind, a stage or method without a counterpart, a dataset that is not described
 */
export function importLlamaFactory(config: YamlFile, info: YamlFile | undefined, options: ImportOptions): Imported {
  const account: Account = { carried: [], remarks: [] };
  const reader = keyReader(
    { file: config, at: [], value: config.value },
    { tool: TOOL, keys: LLAMA_FACTORY_KEYS },
    account,
  );
  const isPretraining = stageOf(reader) === "pt";
  const draft = emptyDraft();
  const epochs = options.design === undefined ? undefined : paperEpochs(reader);
  if (options.design === undefined) datasets(reader, info, draft, isPretraining, options, account);
  reader.carry("model_revision", "models");
  const recipe: Recipe = {
    model: modelOf(reader, "model_name_or_path", reader.text("model_revision"), options.rebase),
    seeds: seedsOf(reader),
    train: trainBlock(reader, { ...draft, isPretraining }, epochs, options),
  };
  const evaluation = evalBlock(reader);
  reader.finish();
  return { tool: TOOL, study: studyOf(draft, recipe, evaluation, reader.place("dataset"), options), ...account };
}

function stageOf(reader: KeyReader): "sft" | "pt" {
  const stage = reader.text("stage") ?? "sft";
  if (stage !== "sft" && stage !== "pt") {
    throw reader.refuse(
      "stage",
      "sft or pt: training on given texts",
      "Preferences and rewards have no place in a study.",
    );
  }
  reader.carry("stage", stage === "pt" ? "mixers" : "tasks");
  return stage;
}

function trainBlock(
  reader: KeyReader,
  { isPretraining, hasConversations }: { isPretraining: boolean; hasConversations: boolean },
  epochs: number | undefined,
  options: ImportOptions,
): TrainBlock {
  const method = reader.text("finetuning_type") ?? "lora";
  if (method !== "lora" && method !== "full")
    throw reader.refuse("finetuning_type", "lora or full", "Choose one: other weights would be trained.");
  if (reader.has("finetuning_type")) reader.carry("finetuning_type", "train.method");
  else reader.assume("finetuning_type", "lora, its default, is written out");
  const isFromScratch = reader.boolean("train_from_scratch") === true;
  reader.carry("train_from_scratch", "train.init");
  const rate = reader.number("learning_rate", { above: 0, atMost: 10 });
  if (rate === undefined) reader.assume("learning_rate", "5e-5, its default, is written out");
  reader.carry("learning_rate", "train.learning_rate");
  const length = epochs === undefined ? lengthOf(reader, "num_train_epochs", 3) : { num_train_epochs: epochs };
  const { packing, cutoff } = layout(reader, isPretraining);
  reader.say(
    "deviation",
    "template",
    "mixtune writes prompts by the model's own template, which may differ from this one",
  );
  precisionOf(reader, ["bf16", "fp16", "pure_bf16", "fp8", "tf32", "bf16_full_eval", "fp16_full_eval"]);
  const isLossOnAll = reader.boolean("train_on_prompt") === true || isPretraining;
  const isLastOnly = reader.boolean("mask_history") === true || !hasConversations;
  for (const key of ["train_on_prompt", "mask_history"]) reader.carry(key, "train.loss_on");
  if (hasConversations && !isLossOnAll && !reader.has("mask_history"))
    reader.assume("mask_history", "false, its default: loss_on: all_answers trains on every answer of a conversation");
  return {
    method,
    ...(isFromScratch ? { init: "random" as const } : {}),
    ...(isIn4Bits(reader, method) ? { load_in_4bit: true } : {}),
    ...(method === "lora" ? adapter(reader) : {}),
    learning_rate: rate ?? 5e-5,
    ...length,
    ...batch(reader, packing !== "none", cutoff, options.devices),
    ...scheduleOf(reader, KEYS),
    ...optimizerOf(reader, KEYS),
    cutoff_len: cutoff,
    packing,
    loss_on: isLossOnAll ? "all" : isLastOnly ? "answer" : "all_answers",
    ...checkpointsOf(reader, "early_stopping_steps"),
  };
}

/** QLoRA. */
function isIn4Bits(reader: KeyReader, method: "lora" | "full"): boolean {
  const bits = reader.number("quantization_bit", { whole: true, above: 0 });
  if (bits === 4 && method === "full")
    throw reader.refuse(
      "quantization_bit",
      "none, with finetuning_type full",
      "Train an adapter: weights of 4 bits stay as they are.",
    );
  if (bits === undefined || bits === 4) reader.carry("quantization_bit", "train.load_in_4bit");
  else
    reader.say(
      "not_carried",
      "quantization_bit",
      `would load the base model's weights in ${bits} bits; mixtune has 4 (train.load_in_4bit) or all`,
    );
  return bits === 4;
}

function adapter(reader: KeyReader): TrainBlock {
  const rank = reader.number("lora_rank", { whole: true, above: 0 });
  const alpha = reader.number("lora_alpha", { above: 0 });
  const target = reader.list("lora_target");
  reader.carry("lora_rank", "train.lora_rank");
  if (rank === undefined) reader.assume("lora_rank", "8, its default, is written out");
  if (alpha === undefined) reader.assume("lora_alpha", "twice the rank, its default, is written out");
  if (target === undefined) reader.assume("lora_target", "all, its default, is written out");
  reader.carry("lora_target", "train.lora_target");
  const r = rank ?? 8;
  const isStabilised = reader.boolean("use_rslora") === true;
  reader.carry("lora_alpha", "train.lora_alpha");
  if (isStabilised)
    reader.say(
      "deviation",
      "use_rslora",
      "scales by alpha over the root of the rank; lora_alpha times that root is written, which is the same scale at this rank",
    );
  const isDora = reader.boolean("use_dora") === true;
  reader.carry("use_dora", "train.use_dora");
  const a = alpha ?? 2 * r;
  return {
    ...dropoutOf(reader),
    lora_rank: r,
    lora_alpha: isStabilised ? a * Math.sqrt(r) : a,
    ...(isDora && { use_dora: true }),
    lora_target: target === undefined || target.includes("all") ? "all" : target,
  };
}

function layout(
  reader: KeyReader,
  isPretraining: boolean,
): { packing: NonNullable<TrainBlock["packing"]>; cutoff: number } {
  const cutoff = reader.number("cutoff_len", { whole: true, atLeast: 2 });
  reader.carry("cutoff_len", "train.cutoff_len");
  if (cutoff === undefined) reader.assume("cutoff_len", "2048, its default, is written out");
  const isNeat = reader.boolean("neat_packing") === true;
  const asked = reader.boolean("packing");
  const isPacked = isNeat || (asked ?? isPretraining);
  reader.carry("packing", "train.packing");
  reader.carry("neat_packing", "train.packing");
  if (isPacked && !isNeat)
    reader.assume(
      "packing",
      "without neat_packing the examples of a pack see each other: packing: contaminated keeps that; isolated would not",
    );
  if (asked === undefined && !isNeat)
    reader.assume("packing", `${isPacked ? "on for stage pt" : "off"}, its default, is written out`);
  return { packing: isNeat ? "isolated" : isPacked ? "contaminated" : "none", cutoff: cutoff ?? 2048 };
}

function batch(reader: KeyReader, isPacked: boolean, cutoff: number, devices: number): TrainBlock {
  const key = reader.has("per_device_train_batch_size") ? "per_device_train_batch_size" : "per_gpu_train_batch_size";
  const size = reader.number(key, { whole: true, above: 0 });
  const accumulation = reader.number("gradient_accumulation_steps", { whole: true, above: 0 });
  const to = isPacked ? "train.batch_tokens" : "train.train_batch_size";
  reader.carry(key, to);
  reader.carry("gradient_accumulation_steps", to);
  if (size === undefined) reader.assume("per_device_train_batch_size", "8, its default, is multiplied into the batch");
  if (accumulation === undefined)
    reader.assume("gradient_accumulation_steps", "1, its default, is multiplied into the batch");
  const rows = (size ?? 8) * (accumulation ?? 1) * devices;
  reader.assume(
    "devices",
    `${rows} rows in an optimiser step: ${size ?? 8} a device, ${accumulation ?? 1} times, on ${devices} ${devices === 1 ? "device" : "devices"} (options.devices)` +
      (isPacked
        ? `; packed rows of ${cutoff} tokens, so batch_tokens is their product, of which packs there are seldom quite full`
        : ""),
  );
  return batchOf(rows, isPacked, cutoff);
}

function evalBlock(reader: KeyReader): EvalBlock {
  const tokens = reader.number("max_new_tokens", { whole: true, above: 0 });
  reader.carry("max_new_tokens", "eval.max_new_tokens");
  return tokens === undefined ? {} : { max_new_tokens: tokens };
}

function datasets(
  reader: KeyReader,
  info: YamlFile | undefined,
  draft: Draft,
  isPretraining: boolean,
  options: ImportOptions,
  account: Account,
): void {
  const names = reader.list("dataset") ?? [];
  if (names.length === 0)
    throw reader.refuse(
      "dataset",
      "names of datasets",
      "Name them, or import the paper's grid with options.design paper-55.",
    );
  reader.carry("dataset", "tasks", "design");
  reader.carry("dataset_dir", "tasks");
  const cap = reader.number("max_samples", { whole: true, above: 0 });
  const shares = sharesOfMix(reader, names.length);
  const described = names.map((name) => describe(name, reader, "dataset", info, isPretraining, options, account));
  for (const [i, dataset] of described.entries()) {
    if (dataset === undefined) continue;
    const share = shares[i];
    const amount: Amount = share === undefined ? {} : { weight: share };
    const limit = Math.min(cap ?? Number.POSITIVE_INFINITY, dataset.numSamples ?? Number.POSITIVE_INFINITY);
    add(draft, dataset, Number.isFinite(limit) ? limit : undefined, amount, account);
  }
  if (cap !== undefined) {
    reader.carry("max_samples", "tasks");
    reader.say(
      "deviation",
      "max_samples",
      "the first so many rows of each dataset there; max_train draws so many here",
    );
  }
  const left = Object.values(draft.amounts);
  if (left.length === 1 && left[0]?.weight !== undefined)
    for (const name of Object.keys(draft.amounts)) draft.amounts[name] = {};
  for (const name of reader.list("eval_dataset") ?? []) {
    if (names.includes(name)) continue;
    const dataset = describe(name, reader, "eval_dataset", info, isPretraining, options, account);
    if (dataset !== undefined && !("document" in dataset.rows)) addEvaluated(draft, dataset);
  }
  reader.say(
    "deviation",
    "eval_dataset",
    "scored as tasks of their own by their test rows, a fifth of the file unless you name test files; datasets that are trained on are scored on their own test rows",
  );
  reader.say(
    "deviation",
    "val_size",
    "one part of all training rows there; mixtune carves dev and test from each task by groups of rows",
  );
  reader.assume(
    "rows",
    "longer ones than cutoff_len are cut there; here they are left out, counted and listed (on_bad_row: skip), or shortened where the task has a fit",
  );
  reader.assume(
    "split",
    "mixtune keeps a fifth of the rows of each task for test and a tenth of the rest for dev; name test files under data to train on all",
  );
}

/** Shares of the datasets, where rows are drawn by probabilities. */
function sharesOfMix(reader: KeyReader, num: number): (number | undefined)[] {
  const strategy = reader.text("mix_strategy") ?? "concat";
  const probs = reader.list("interleave_probs")?.map(Number);
  if (!["concat", "interleave_under", "interleave_over", "interleave_once"].includes(strategy))
    throw reader.refuse("mix_strategy", "concat, interleave_under, interleave_over or interleave_once", "Change it.");
  if (probs !== undefined && (probs.length !== num || !probs.every((one) => one > 0 && Number.isFinite(one))))
    throw reader.refuse("interleave_probs", `${num} numbers above 0, one for each dataset`, "Correct the list.");
  if (strategy === "concat" || strategy === "interleave_once") {
    if (strategy === "interleave_once")
      reader.say("deviation", "mix_strategy", "every row once an epoch, in another order than here");
    else reader.carry("mix_strategy", "design");
    if (!reader.has("mix_strategy"))
      reader.assume("mix_strategy", "concat, its default: every row of every dataset once an epoch");
    reader.say("not_carried", "interleave_probs", "shares without a mix_strategy that draws by them");
    return Array(num).fill(undefined);
  }
  reader.say(
    "deviation",
    "mix_strategy",
    strategy === "interleave_under"
      ? "drawn at random until one dataset is used up; mixtune's weights are exact shares of the longest epoch in which no row comes twice"
      : "drawn at random until all datasets are used up, small ones several times; mixtune's epoch with these weights is the longest in which no row comes twice, so it is shorter: raise num_train_epochs to make up for it",
  );
  reader.carry("interleave_probs", "design");
  if (probs === undefined) reader.assume("interleave_probs", "equal shares, its default, are written out");
  return sharesOf(probs ?? Array(num).fill(1));
}

function describe(
  name: string,
  reader: KeyReader,
  key: string,
  info: YamlFile | undefined,
  isPretraining: boolean,
  options: ImportOptions,
  account: Account,
): LlamaFactoryDataset | undefined {
  const described = info === undefined ? undefined : (info.value as Record<string, unknown> | null);
  if (info !== undefined && (typeof described !== "object" || described === null || Array.isArray(described))) {
    throw new SpecError({
      place: info.place([]),
      expected: "a mapping of datasets",
      got: Array.isArray(described) ? "a list" : String(described),
      remedy: "Give LLaMA-Factory's dataset_info.json.",
    });
  }
  if (described && Object.hasOwn(described, name))
    return datasetOf(name, info!, described[name], isPretraining, options, account);
  const inCatalogue = Object.hasOwn(options.catalogue, name) ? name : hubEntry(name, options);
  if (inCatalogue !== undefined) return { name, rows: { shape: "alpaca" }, catalogue: inCatalogue };
  throw new SpecError({
    place: reader.place(key),
    expected:
      info === undefined
        ? "a dataset_info.json beside the file or in dataset_dir that describes it"
        : "a dataset of dataset_info.json",
    got: name,
    remedy:
      info === undefined
        ? "Name the file with options.datasetInfo, or copy it beside the configuration."
        : didYouMean(name, Object.keys(described ?? {})),
  });
}

function add(
  draft: Draft,
  dataset: LlamaFactoryDataset,
  cap: number | undefined,
  amount: Amount,
  account: Account,
): void {
  const limit = cap === undefined ? {} : { max_train: cap };
  if (dataset.catalogue !== undefined) {
    const name = dataset.catalogue;
    if (Object.hasOwn(draft.tasks, name)) return;
    draft.tasks[name] = limit;
    draft.amounts[name] = amount;
    account.remarks.push({
      kind: "deviation",
      key: dataset.name,
      place: TOOL,
      why: `becomes the catalogue's ${name}, with its own prompts and splits`,
    });
    return;
  }
  const name = freeName(dataset.name, draft);
  if (name !== dataset.name)
    account.remarks.push({ kind: "deviation", key: dataset.name, place: TOOL, why: `is called ${name} in the study` });
  addOwnData(draft, name, dataset.train!, dataset.rows, { ...limit, on_bad_row: "skip" }, amount);
}

function addEvaluated(draft: Draft, dataset: LlamaFactoryDataset): void {
  if (dataset.catalogue !== undefined) {
    if (!Object.hasOwn(draft.tasks, dataset.catalogue)) draft.tasks[dataset.catalogue] = { evaluation_only: true };
    return;
  }
  addOwnData(
    draft,
    freeName(dataset.name, draft),
    dataset.train!,
    dataset.rows,
    { on_bad_row: "skip", evaluation_only: true },
    undefined,
  );
}
