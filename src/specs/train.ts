/** @file Defaults of the `train` block and the rules that tie its keys together. */

import type { TrainSpec } from "./types.ts";

/** Values of a `train` block that says nothing. Adam's are Hugging Face's; LoRA's rank and alpha LLaMA-Factory's. */
export const TRAIN_DEFAULTS: TrainSpec = {
  method: "lora",
  init: "pretrained",
  lora_rank: 8,
  lora_alpha: 16,
  lora_target: "all",
  learning_rate: 2.0e-4,
  num_train_epochs: 3,
  max_steps: null,
  batch_tokens: 4096,
  train_batch_size: null,
  lr_scheduler_type: "cosine",
  warmup_steps: 0.03,
  decay_steps: 0.2,
  weight_decay: 0.0,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  max_grad_norm: 1.0,
  cutoff_len: 1024,
  packing: "isolated",
  loss_on: "answer",
  loss_mean: "token",
  eval_steps: 100,
  save_steps: 100,
  early_stopping_patience: 0,
  evaluate: "last",
  keep: "last",
};

/** Longest training: a plan counts every epoch through, so that without a limit it would not end. */
export const MAX_EPOCHS = 10_000;
export const MAX_STEPS = 10_000_000;

/** Full fine-tuning moves every weight, so it takes smaller steps than LoRA (Hugging Face Trainer's default). */
const FULL_LEARNING_RATE = 5.0e-5;

const NUMERICS = ["bf16", "load_in_4bit"] as const;

/** In what numbers a model computes; absent: as its weights are, in float32. */
export type Numerics = Pick<TrainSpec, (typeof NUMERICS)[number]>;

/** Those of a spec. */
export function numericsOf(train: Numerics): Numerics {
  return Object.fromEntries(NUMERICS.flatMap((key) => (train[key] === true ? [[key, true]] : [])));
}

/** A `train` block as written: any subset of the keys. */
export type TrainBlock = { [K in keyof TrainSpec]?: TrainSpec[K] | undefined };

/**
 * Fills in defaults. Some follow another key: naming `train_batch_size` takes the place of the default `batch_tokens`, `method: full` has its own
 * learning rate, and what is evaluated is kept.
 */
export function resolveTrain(block: TrainBlock): TrainSpec {
  const written = Object.fromEntries(
    Object.entries(block).filter(([, value]) => value !== undefined),
  ) as Partial<TrainSpec>;
  const resolved: TrainSpec = { ...TRAIN_DEFAULTS, ...written };
  if (written.train_batch_size != null && written.batch_tokens === undefined) resolved.batch_tokens = null;
  if (written.method === "full" && written.learning_rate === undefined) resolved.learning_rate = FULL_LEARNING_RATE;
  if (written.keep === undefined) resolved.keep = resolved.evaluate;
  return tidied(resolved);
}

/** A resolved block with some keys changed, as factors do; defaults that follow a changed key follow it still. */
export function changeTrain(train: TrainSpec, changed: Partial<TrainSpec>): TrainSpec {
  const following: Partial<TrainSpec> = {};
  if (changed.train_batch_size != null) following.batch_tokens = null;
  if (changed.batch_tokens != null) following.train_batch_size = null;
  if (changed.evaluate !== undefined && train.keep === train.evaluate) following.keep = changed.evaluate;
  const defaultRate = (method: TrainSpec["method"]) => resolveTrain({ method }).learning_rate;
  if (changed.method !== undefined && train.learning_rate === defaultRate(train.method)) {
    following.learning_rate = defaultRate(changed.method);
  }
  return tidied({ ...train, ...following, ...changed });
}

/** Ids of runs are digests of a spec: what is off is not written. */
function tidied(train: TrainSpec): TrainSpec {
  const { bf16: _, load_in_4bit: __, use_dora, lora_dropout, ...others } = train;
  return { ...others, ...numericsOf(train), ...(use_dora && { use_dora }), ...(lora_dropout && { lora_dropout }) };
}

/** What is wrong with a resolved `train` block as a whole, or undefined. */
export function trainConflict(
  train: TrainSpec,
): { key: keyof TrainSpec; expected: string; got: string; remedy: string } | undefined {
  if ((train.batch_tokens === null) === (train.train_batch_size === null)) {
    const got = train.batch_tokens === null ? "neither" : "both";
    return {
      key: got === "both" ? "train_batch_size" : "batch_tokens",
      expected: "exactly one of batch_tokens and train_batch_size",
      got,
      remedy: "Keep one: batch_tokens counts tokens of an optimiser step, train_batch_size examples.",
    };
  }
  if (train.use_dora === true && train.method === "full") {
    return {
      key: "use_dora",
      expected: "method: lora with it",
      got: "method: full",
      remedy: "Leave use_dora out, or train an adapter: there are no magnitudes beside weights that all train.",
    };
  }
  if (train.lora_dropout !== undefined && train.method === "full") {
    return {
      key: "lora_dropout",
      expected: "method: lora with it",
      got: "method: full",
      remedy: "Leave lora_dropout out, or train an adapter: it leaves out parts of what adapters read.",
    };
  }
  if (train.load_in_4bit === true && train.method === "full") {
    return {
      key: "load_in_4bit",
      expected: "method lora",
      got: "method full",
      remedy: "Leave load_in_4bit out, or train an adapter: weights of 4 bits stay as they are.",
    };
  }
  if ((train.keep === "last" || train.keep === "best") && train.keep !== train.evaluate) {
    return {
      key: "keep",
      expected: `the weights that train.evaluate: ${train.evaluate} scores to be kept`,
      got: `keep: ${train.keep}`,
      remedy: `Write keep: ${train.evaluate}, keep: weights (both) or keep: none, or leave keep out.`,
    };
  }
  return undefined;
}
