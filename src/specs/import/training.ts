/** @file What both tools mean alike, because both train by Hugging Face's Trainer: schedule, optimiser, numbers, checkpoints. */

import { MAX_EPOCHS, MAX_STEPS, type TrainBlock } from "../train.ts";
import type { KeyReader } from "./reader.ts";

/** Names of one meaning in the two tools. */
export interface TrainerKeys {
  scheduler: "lr_scheduler_type" | "lr_scheduler";
  optimizer: "optim" | "optimizer";
  /** Of the schedule, where the configuration names none. */
  defaultScheduler: "linear" | "cosine";
  /** Share of all steps, where the configuration says nothing of a warm-up. */
  defaultWarmup: number;
}

/** AdamW by its many names. */
const ADAMW = /^(adamw_(hf|torch|torch_fused|torch_xla|torch_npu_fused|apex_fused|anyprecision)|optimi_adamw)$/;
const ADAMW_OF_FEW_BITS = /adamw.*(8bit|4bit|32bit|fp8)/;

/** `lr_scheduler_type`, `warmup_steps`, `decay_steps`. */
export function scheduleOf(reader: KeyReader, keys: TrainerKeys): TrainBlock {
  const { scheduler, defaultScheduler } = keys;
  const written = reader.text(scheduler);
  const block: TrainBlock = {};
  if (written === undefined) {
    block.lr_scheduler_type = defaultScheduler;
    reader.assume(scheduler, `${defaultScheduler}, its default, is written out`);
  } else if (written === "constant_with_warmup") {
    block.lr_scheduler_type = "constant";
    reader.carry(scheduler, "train.lr_scheduler_type", "train.warmup_steps");
  } else if (["cosine", "linear", "constant", "warmup_stable_decay"].includes(written)) {
    block.lr_scheduler_type = written as NonNullable<TrainBlock["lr_scheduler_type"]>;
    reader.carry(scheduler, "train.lr_scheduler_type");
  } else {
    const near = written.startsWith("cosine") ? "cosine" : written === "polynomial" ? "linear" : "constant";
    block.lr_scheduler_type = near;
    reader.say("not_carried", scheduler, `a schedule that mixtune does not have; ${near} is written in its place`);
  }
  if (written === "constant") {
    block.warmup_steps = 0;
    for (const key of ["warmup_steps", "warmup_ratio"])
      reader.say("no_bearing", key, "the schedule constant has no warm-up there");
  } else block.warmup_steps = warmupOf(reader, keys.defaultWarmup);
  if (written === "warmup_stable_decay") block.decay_steps = decayOf(reader);
  else if (reader.has("lr_scheduler_kwargs"))
    reader.say("not_carried", "lr_scheduler_kwargs", "details of a schedule that mixtune does not have");
  return block;
}

function warmupOf(reader: KeyReader, defaultWarmup: number): number {
  const steps = reader.number("warmup_steps", { atLeast: 0 });
  const ratio = reader.number("warmup_ratio", { atLeast: 0 });
  if (steps !== undefined && steps > 0) {
    reader.carry("warmup_steps", "train.warmup_steps");
    reader.say("no_bearing", "warmup_ratio", "warmup_steps goes before it");
    return steps;
  }
  if (ratio !== undefined) {
    if (ratio >= 1) throw reader.refuse("warmup_ratio", "a share below 1", "Lower it.");
    reader.carry("warmup_ratio", "train.warmup_steps");
    reader.say("no_bearing", "warmup_steps", "0 leaves it to warmup_ratio");
    return ratio;
  }
  if (steps !== undefined) {
    reader.carry("warmup_steps", "train.warmup_steps");
    return steps;
  }
  reader.assume(
    "warmup_steps",
    `${defaultWarmup}, its default${defaultWarmup > 0 ? " (a share of all steps)" : ""}, is written out`,
  );
  return defaultWarmup;
}

function decayOf(reader: KeyReader): number {
  const kwargs = reader.mapping("lr_scheduler_kwargs") ?? {};
  const steps = kwargs.num_decay_steps;
  if (typeof steps === "number" && steps > 0) {
    const others = Object.keys(kwargs).filter((key) => key !== "num_decay_steps");
    if (others.length > 0)
      reader.say(
        "deviation",
        "lr_scheduler_kwargs",
        `num_decay_steps is carried; ${others.join(", ")} not: the decay is linear to 0`,
      );
    else reader.carry("lr_scheduler_kwargs", "train.decay_steps");
    return steps;
  }
  throw reader.refuse("lr_scheduler_kwargs", "num_decay_steps for the schedule warmup_stable_decay", "Add it.");
}

/** AdamW and its numbers, whatever the configuration asks for. */
export function optimizerOf(reader: KeyReader, { optimizer }: TrainerKeys): TrainBlock {
  const name = reader.text(optimizer)?.toLowerCase();
  if (name !== undefined && !ADAMW.test(name)) {
    const why = ADAMW_OF_FEW_BITS.test(name)
      ? "AdamW that keeps its state in few bits; mixtune's keeps it in 32"
      : "another optimiser; mixtune's is AdamW";
    reader.say(ADAMW_OF_FEW_BITS.test(name) ? "deviation" : "not_carried", optimizer, why);
  } else reader.say("no_bearing", optimizer, "AdamW, as mixtune's");
  const block: TrainBlock = {};
  const copy = (key: "weight_decay" | "adam_beta1" | "adam_beta2" | "adam_epsilon", value: number, bounds: object) => {
    const given = reader.number(key, bounds);
    reader.carry(key, `train.${key}`);
    if (given === undefined) reader.assume(key, `${value}, its default, is written out`);
    block[key] = given ?? value;
  };
  copy("weight_decay", 0, { atLeast: 0 });
  copy("adam_beta1", 0.9, { atLeast: 0, below: 1 });
  copy("adam_beta2", 0.999, { atLeast: 0, below: 1 });
  copy("adam_epsilon", 1e-8, { above: 0 });
  const norm = reader.number("max_grad_norm", { atLeast: 0 });
  block.max_grad_norm = norm === 0 ? 1e9 : (norm ?? 1);
  if (norm === undefined) reader.assume("max_grad_norm", "1, its default, is written out");
  else if (norm === 0)
    reader.say("deviation", "max_grad_norm", "0 clips nothing there; 1e9, which no gradient reaches, is written");
  else reader.carry("max_grad_norm", "train.max_grad_norm");
  return block;
}

/** Steps or epochs. */
export function lengthOf(reader: KeyReader, epochsKey: string, defaultEpochs: number): TrainBlock {
  const epochs = reader.number(epochsKey, { above: 0, atMost: MAX_EPOCHS });
  reader.carry(epochsKey, "train.num_train_epochs");
  if (epochs === undefined) reader.assume(epochsKey, `${defaultEpochs}, its default, is written out`);
  const steps = reader.number("max_steps", { whole: true, atLeast: -1, atMost: MAX_STEPS });
  if (steps !== undefined && steps > 0) reader.carry("max_steps", "train.max_steps");
  else reader.say("no_bearing", "max_steps", "no limit, as in mixtune where it is left out");
  return {
    num_train_epochs: epochs ?? defaultEpochs,
    ...(steps !== undefined && steps > 0 ? { max_steps: steps } : {}),
  };
}

/** When dev is scored and checkpoints are written, and which one counts. */
export function checkpointsOf(reader: KeyReader, patienceKey: string): TrainBlock {
  const block: TrainBlock = {};
  for (const what of ["eval", "save"] as const) {
    const key = `${what}_steps` as const;
    const steps = reader.number(key, { above: 0 });
    if (steps === undefined) continue;
    if (Number.isSafeInteger(steps)) {
      block[key] = steps;
      reader.carry(key, `train.${key}`);
    } else reader.say("not_carried", key, `a share of all steps; mixtune counts steps, and its default of 100 holds`);
  }
  for (const key of ["eval_strategy", "evaluation_strategy", "save_strategy"]) {
    const word = String(reader.raw(key) ?? "").toLowerCase();
    if (word === "steps") reader.say("no_bearing", key, "by steps, as mixtune does");
    else if (word === "no" || word === "false") {
      const why = key.startsWith("save")
        ? "mixtune keeps the last checkpoint, to resume and to score"
        : "dev is scored all the same; it costs time and changes no weight";
      reader.say("deviation", key, why);
    } else reader.say("not_carried", key, "mixtune counts in steps: train.eval_steps, train.save_steps");
  }
  const isBest = reader.boolean("load_best_model_at_end") === true;
  if (isBest) {
    block.evaluate = "best";
    reader.carry("load_best_model_at_end", "train.evaluate");
    const metric = reader.text("metric_for_best_model");
    if (metric !== undefined && !/^(eval_)?loss$/.test(metric))
      reader.say("not_carried", "metric_for_best_model", "another measure of best; mixtune's is the loss on dev");
    else reader.say("no_bearing", "metric_for_best_model", "the loss on dev, as mixtune's");
  } else reader.say("no_bearing", "load_best_model_at_end", "the last checkpoint counts, as in mixtune");
  reader.say("no_bearing", "greater_is_better", "of the loss, less is");
  const patience = reader.number(patienceKey, { whole: true, atLeast: 0 });
  if (patience !== undefined) {
    block.early_stopping_patience = patience;
    reader.carry(patienceKey, "train.early_stopping_patience");
  }
  return block;
}

/** Batch of an optimiser step: tokens where rows are packs of `cutoff` tokens, else examples. */
export function batchOf(rows: number, packing: boolean, cutoff: number): TrainBlock {
  return packing ? { batch_tokens: rows * cutoff } : { train_batch_size: rows };
}

/** Keys that ask for a kind of number. */
export function precisionOf(reader: KeyReader, keys: readonly string[]): void {
  for (const key of keys) {
    const isOff = [false, "false", "no"].includes(reader.raw(key) as never);
    reader.say(
      isOff ? "no_bearing" : "deviation",
      key,
      isOff
        ? "off"
        : "fp32, closer to exact and slower, is left to the run; with options.worker torch, train.bf16: true computes in bfloat16",
    );
  }
}

/** Dropout of adapters, off by default in both tools. */
export function dropoutOf(reader: KeyReader): TrainBlock {
  const rate = reader.number("lora_dropout", { atLeast: 0, below: 1 });
  reader.carry("lora_dropout", "train.lora_dropout");
  return rate ? { lora_dropout: rate } : {};
}

/** Seed of the one run. */
export function seedsOf(reader: KeyReader): number[] {
  const seed = reader.number("seed", { whole: true, atLeast: 0 });
  reader.carry("seed", "seeds");
  if (seed === undefined) reader.assume("seed", "42, its default, is written out; one seed says nothing of luck");
  return [seed ?? 42];
}
