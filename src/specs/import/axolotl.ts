/**
 * @file An Axolotl configuration as a study.
 * @source axolotl-ai-cloud/axolotl src/axolotl/utils/schemas and its configuration reference: names, defaults, meanings
 */

import { SpecError } from "../../base/errors.ts";
import type { TrainBlock } from "../train.ts";
import type { YamlFile } from "../yaml-file.ts";
import { addDatasets } from "./axolotl-data.ts";
import { AXOLOTL_KEYS } from "./axolotl-keys.ts";
import { emptyDraft, modelOf, studyOf } from "./draft.ts";
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

const TOOL = "Axolotl";
const KEYS: TrainerKeys = {
  scheduler: "lr_scheduler",
  optimizer: "optimizer",
  defaultScheduler: "cosine",
  defaultWarmup: 0.03,
};

/** What PEFT adapts in Llama-like models where a configuration names no modules. */
const PEFT_TARGETS = ["q_proj", "v_proj"];

/** @throws {SpecError} values of the wrong kind, training by preferences, `--design`, no dataset with answers */
export function importAxolotl(config: YamlFile, options: ImportOptions): Imported {
  const account: Account = { carried: [], remarks: [] };
  const reader = keyReader({ file: config, at: [], value: config.value }, { tool: TOOL, keys: AXOLOTL_KEYS }, account);
  if (options.design !== undefined) {
    throw new SpecError({
      place: config.place([]),
      expected: "a LLaMA-Factory configuration with options.design paper-55, as the paper's is",
      got: "an Axolotl configuration",
      remedy: "Leave options.design out, and write design into the study.",
    });
  }
  refuseRewards(reader);
  const revision = reader.text("revision_of_model") ?? reader.text("model_revision");
  for (const key of ["revision_of_model", "model_revision"]) reader.carry(key, "models");
  const draft = emptyDraft();
  const onBadRow = excessOf(reader);
  for (const key of ["datasets", "pretraining_dataset", "test_datasets"]) {
    const list = listOf(reader, key);
    if (list === undefined) continue;
    reader.carry(key, key === "pretraining_dataset" ? "mixers" : "tasks");
    addDatasets(list, key, config, draft, { onBadRow, isEvaluation: key === "test_datasets" }, options, account);
  }
  reader.say(
    "deviation",
    "val_set_size",
    "one part of all training rows there; mixtune carves dev and test from each task by groups of rows",
  );
  reader.assume(
    "split",
    "mixtune keeps a fifth of the rows of each task for test and a tenth of the rest for dev; name test files under data to train on all",
  );
  const recipe = {
    model: modelOf(reader, "base_model", revision, options.rebase),
    seeds: seedsOf(reader),
    train: trainBlock(reader, draft.hasConversations, options),
  };
  reader.finish();
  return { tool: TOOL, study: studyOf(draft, recipe, {}, reader.place("datasets"), options), ...account };
}

function refuseRewards(reader: KeyReader): void {
  for (const key of ["rl", "reward_model", "process_reward_model"]) {
    const value = reader.raw(key);
    if (value !== undefined && value !== false && value !== "")
      throw reader.refuse(key, "training on given texts", "Preferences and rewards have no place in a study.");
  }
}

function listOf(reader: KeyReader, key: string): unknown[] | undefined {
  const given = reader.raw(key);
  if (given === undefined || Array.isArray(given)) return given;
  if (typeof given === "string") return [{ path: given }];
  if (key === "pretraining_dataset" && typeof given === "object") return [given];
  throw reader.refuse(key, "a list of datasets", "Write each as - path: …");
}

function excessOf(reader: KeyReader): "skip" | "stop" {
  const strategy = reader.text("excess_length_strategy");
  if (strategy === undefined)
    reader.assume(
      "excess_length_strategy",
      "drop, its default: on_bad_row: skip leaves such rows out, counted and listed",
    );
  else if (strategy === "truncate")
    reader.say(
      "deviation",
      "excess_length_strategy",
      "cuts long rows there; here they are left out, counted and listed, or shortened where the task has a fit",
    );
  else reader.carry("excess_length_strategy", "tasks");
  return strategy === "raise" ? "stop" : "skip";
}

function trainBlock(reader: KeyReader, hasConversations: boolean, options: ImportOptions): TrainBlock {
  const adapter = reader.text("adapter");
  if (adapter !== undefined && adapter !== "lora" && adapter !== "qlora")
    throw reader.refuse("adapter", "lora, qlora or none", "Choose one: other weights would be trained.");
  if (adapter === undefined) reader.assume("adapter", "none, its default: full fine-tuning is written out");
  reader.carry("adapter", "train.method");
  const isIn4Bits = reader.boolean("load_in_4bit") === true || adapter === "qlora";
  if (isIn4Bits && adapter === undefined)
    throw reader.refuse(
      "load_in_4bit",
      "false, without an adapter",
      "Add adapter: qlora: weights of 4 bits stay as they are.",
    );
  reader.carry("load_in_4bit", "train.load_in_4bit");
  const isIn8Bits = reader.boolean("load_in_8bit") === true;
  reader.say(
    isIn8Bits ? "not_carried" : "no_bearing",
    "load_in_8bit",
    isIn8Bits ? "would load the base model's weights in 8 bits; mixtune has 4 (train.load_in_4bit) or all" : "off",
  );
  const rate = reader.number("learning_rate", { above: 0, atMost: 10 });
  if (rate === undefined) throw reader.refuse("learning_rate", "a number above 0", "Add it: Axolotl has no default.");
  reader.carry("learning_rate", "train.learning_rate");
  const isFromScratch = reader.boolean("reinit_weights") === true;
  reader.carry("reinit_weights", "train.init");
  const cutoff = reader.number("sequence_len", { whole: true, atLeast: 2 });
  reader.carry("sequence_len", "train.cutoff_len");
  if (cutoff === undefined) reader.assume("sequence_len", "512, its default, is written out");
  const length = cutoff ?? 512;
  const packing = packingOf(reader);
  for (const key of ["chat_template", "chat_template_jinja"])
    reader.say("deviation", key, "mixtune writes prompts by the model's own template, which may differ from this one");
  precisionOf(reader, ["bf16", "fp16", "fp8", "bfloat16", "float16", "float32", "tf32", "bf16_full_eval"]);
  const isLossOnAll = reader.boolean("train_on_inputs") === true;
  reader.carry("train_on_inputs", "train.loss_on");
  return {
    method: adapter === undefined ? "full" : "lora",
    ...(isIn4Bits ? { load_in_4bit: true } : {}),
    ...(isFromScratch ? { init: "random" as const } : {}),
    ...(adapter === undefined ? {} : adapterOf(reader)),
    learning_rate: rate,
    ...lengthOf(reader, "num_epochs", 1),
    ...batch(reader, packing !== "none", length, options.devices),
    ...scheduleOf(reader, KEYS),
    ...optimizerOf(reader, KEYS),
    cutoff_len: length,
    packing,
    loss_on: isLossOnAll ? "all" : hasConversations ? "all_answers" : "answer",
    ...checkpointsOf(reader, "early_stopping_patience"),
  };
}

function adapterOf(reader: KeyReader): TrainBlock {
  const rank = reader.number("lora_r", { whole: true, above: 0 });
  const alpha = reader.number("lora_alpha", { above: 0 });
  if (rank === undefined) reader.assume("lora_r", "Axolotl has no default; mixtune's 8 is written");
  if (alpha === undefined) reader.assume("lora_alpha", "Axolotl has no default; twice the rank is written");
  reader.carry("lora_r", "train.lora_rank");
  reader.carry("lora_alpha", "train.lora_alpha");
  const r = rank ?? 8;
  const isStabilised = reader.boolean("peft_use_rslora") === true;
  if (isStabilised)
    reader.say(
      "deviation",
      "peft_use_rslora",
      "scales by alpha over the root of the rank; lora_alpha times that root is written, which is the same scale at this rank",
    );
  const isAll = reader.boolean("lora_target_linear") === true || reader.raw("lora_target_modules") === "all-linear";
  const modules = reader.list("lora_target_modules");
  reader.carry("lora_target_linear", "train.lora_target");
  reader.carry("lora_target_modules", "train.lora_target");
  if (!isAll && modules === undefined)
    reader.assume(
      "lora_target_modules",
      `${PEFT_TARGETS.join(" and ")}, what PEFT adapts in Llama-like models by default, are written out`,
    );
  const isDora = reader.boolean("peft_use_dora") === true;
  reader.carry("peft_use_dora", "train.use_dora");
  const a = alpha ?? 2 * r;
  return {
    ...dropoutOf(reader),
    lora_rank: r,
    lora_alpha: isStabilised ? a * Math.sqrt(r) : a,
    ...(isDora && { use_dora: true }),
    lora_target: isAll ? "all" : (modules ?? PEFT_TARGETS),
  };
}

/** Packs are isolated by attention kernels that know where examples end; the others let them see each other. */
function packingOf(reader: KeyReader): NonNullable<TrainBlock["packing"]> {
  const isPacked = reader.boolean("sample_packing") === true;
  reader.carry("sample_packing", "train.packing");
  if (!reader.has("sample_packing")) reader.assume("sample_packing", "off, its default, is written out");
  const kernels = ["flash_attention", "sdp_attention", "flex_attention"];
  const implementation = reader.text("attn_implementation");
  const isIsolating =
    kernels.some((key) => reader.boolean(key) === true) ||
    (implementation !== undefined && /flash|sdpa|flex|sage|varlen/.test(implementation));
  for (const key of [...kernels, "attn_implementation", "xformers_attention", "sage_attention", "eager_attention"]) {
    if (isPacked) reader.carry(key, "train.packing");
    else reader.say("no_bearing", key, "speed and memory of the machine that trains");
  }
  if (isPacked && !isIsolating)
    reader.assume(
      "sample_packing",
      "without flash, sdp or flex attention Axolotl's packs may let examples see each other; isolated is written",
    );
  return isPacked ? "isolated" : "none";
}

function batch(reader: KeyReader, isPacked: boolean, cutoff: number, devices: number): TrainBlock {
  const micro = reader.number("micro_batch_size", { whole: true, above: 0 });
  const total = reader.number("batch_size", { whole: true, above: 0 });
  const accumulation = reader.number("gradient_accumulation_steps", { whole: true, above: 0 });
  const to = isPacked ? "train.batch_tokens" : "train.train_batch_size";
  for (const key of ["micro_batch_size", "batch_size", "gradient_accumulation_steps"]) reader.carry(key, to);
  const size = micro ?? 1;
  const times = accumulation ?? (total === undefined ? 1 : Math.max(1, Math.floor(total / size)));
  if (micro === undefined) reader.assume("micro_batch_size", "1, its default, is multiplied into the batch");
  if (accumulation === undefined && total === undefined)
    reader.assume("gradient_accumulation_steps", "1, its default, is multiplied into the batch");
  const rows = size * times * devices;
  reader.assume(
    "devices",
    `${rows} rows in an optimiser step: ${size} a device, ${times} times, on ${devices} ${devices === 1 ? "device" : "devices"} (options.devices)` +
      (isPacked
        ? `; packed rows of ${cutoff} tokens, so batch_tokens is their product, of which packs there are seldom quite full`
        : ""),
  );
  return batchOf(rows, isPacked, cutoff);
}
