/** @file What of a `train` block a fine-tuning service has: what it is asked for, what it decides itself, and what it cannot be asked at all. */

import { SpecError } from "../base/errors.ts";
import { TRAIN_DEFAULTS } from "./train.ts";
import type { StudySpec, TrainSpec } from "./types.ts";

/** Settings that a service decides itself. What a study says of them is named, and is no part of the run. */
const LEFT_TO_SERVICE = [
  "lora_rank",
  "lora_alpha",
  "lora_target",
  "learning_rate",
  "lr_scheduler_type",
  "warmup_steps",
  "decay_steps",
  "weight_decay",
  "adam_beta1",
  "adam_beta2",
  "adam_epsilon",
  "max_grad_norm",
  "batch_tokens",
  "packing",
  "eval_steps",
  "save_steps",
  "keep",
] as const satisfies (keyof TrainSpec)[];

/** @source OpenAI's API reference, fine_tuning.jobs.create */
const MAX_SEED = 2 ** 31 - 1;

/** Settings whose values a service takes, so that a factor may vary them. */
const TAKEN: readonly string[] = ["num_train_epochs", "train_batch_size", "learning_rate_multiplier", "cutoff_len"];

type Rule = { holds(train: TrainSpec): boolean; key: keyof TrainSpec; expected: string; remedy: string };

/** What decides which data is learnt, how long and from where cannot be left to somebody else. */
const RULES: readonly Rule[] = [
  rule("method", "lora", ({ method }) => method === "lora", "No service promises to train whole models; leave it out."),
  rule("init", "pretrained", ({ init }) => init === "pretrained", "Services train what they have; leave it out."),
  rule(
    "max_steps",
    "num_train_epochs: a service counts epochs",
    ({ max_steps }) => max_steps === null,
    "Write num_train_epochs.",
  ),
  rule(
    "num_train_epochs",
    "a whole number: a service shows the file so many times",
    ({ num_train_epochs }) => Number.isInteger(num_train_epochs),
    "Round it.",
  ),
  rule(
    "loss_on",
    "answer or all_answers: a service trains on the assistant's turns",
    ({ loss_on }) => loss_on !== "all",
    "Leave it out.",
  ),
  rule("loss_mean", "token", ({ loss_mean }) => loss_mean === "token", "Leave it out: a service weighs as it does."),
  rule(
    "packing",
    "isolated or none",
    ({ packing }) => packing !== "contaminated",
    "Leave it out: a service keeps examples apart.",
  ),
  rule(
    "early_stopping_patience",
    "0: a service trains to the end",
    ({ early_stopping_patience }) => early_stopping_patience === 0,
    "Leave it out.",
  ),
  rule("use_dora", "false: a service decides its adapter", ({ use_dora }) => use_dora !== true, "Leave it out."),
  rule(
    "lora_dropout",
    "0: a service decides its adapter",
    ({ lora_dropout }) => lora_dropout === undefined,
    "Leave it out.",
  ),
  rule("bf16", "false: a service decides its precision", ({ bf16 }) => bf16 !== true, "Leave it out."),
  rule(
    "load_in_4bit",
    "false: a service decides its precision",
    ({ load_in_4bit }) => load_in_4bit !== true,
    "Leave it out.",
  ),
  rule(
    "evaluate",
    "last",
    ({ evaluate }) => evaluate === "last",
    "Leave it out: the model of the last step is scored.",
  ),
];

function rule(key: keyof TrainSpec, expected: string, holds: Rule["holds"], remedy: string): Rule {
  return { key, expected, holds, remedy };
}

/**
 * A `train` block as the run of a service has it: what the service decides itself stands at its default, so that it makes no other run.
 * @throws {SpecError} what a service cannot be asked
 */
export function hostedTrain(train: TrainSpec): TrainSpec {
  const broken = RULES.find(({ holds }) => !holds(train));
  if (broken !== undefined) {
    const { key, expected, remedy } = broken;
    throw new SpecError({
      place: `train.${key}, with options.worker hosted`,
      expected,
      got: String(train[key]),
      remedy,
    });
  }
  const defaults = Object.fromEntries(LEFT_TO_SERVICE.map((key) => [key, TRAIN_DEFAULTS[key]]));
  const batch = train.train_batch_size === null ? {} : { batch_tokens: null };
  return { ...train, ...defaults, ...batch };
}

/**
 * Refuses what a study asks beyond its `train` block that no service can do.
 * @throws {SpecError} a factor that would make the same job twice, a control from random weights, a budget in steps or tokens
 */
export function refuseUnhosted({ factors, controls, budget, seeds }: StudySpec): void {
  const factor = Object.keys(factors).find((key) => key.startsWith("train.") && !TAKEN.includes(key.slice(6)));
  const place = "with options.worker hosted";
  if (factor !== undefined) {
    throw new SpecError({
      place: `factors.${factor}, ${place}`,
      expected: `one of ${TAKEN.map((key) => `train.${key}`).join(", ")}, tasks.NAME.max_train`,
      got: "a setting that a service decides itself",
      remedy: "Leave it out: each of its values would be the same job, paid for again.",
    });
  }
  const large = seeds.find((seed) => seed > MAX_SEED);
  if (large !== undefined) {
    throw new SpecError({
      place: `seeds, ${place}`,
      expected: `seeds up to ${MAX_SEED}, which services take`,
      got: `${large}`,
      remedy: "Take smaller ones.",
    });
  }
  if (controls.includes("random_init")) {
    throw new SpecError({
      place: `controls, ${place}`,
      expected: "base, few_shot:K, shuffled_labels",
      got: "random_init",
      remedy: "Leave it out: a service trains what it has.",
    });
  }
  const match = budget.match.find((one) => one === "steps" || one === "tokens");
  if (match !== undefined) {
    throw new SpecError({
      place: `budget.match, ${place}`,
      expected: "none or target_examples: a service counts epochs",
      got: match,
      remedy: "Leave budget out, or match target_examples.",
    });
  }
}

/** In words, how a service's runs depart from what a study says; one sentence each. */
export function hostedDeviations(train: TrainSpec): string[] {
  const left = LEFT_TO_SERVICE.filter((key) => train[key] !== null && !isKept(key));
  const decided = left.map((key) => `${key} (${[train[key]].flat().join(", ")} here)`);
  return [
    `The service decides itself: method (${train.method} here), ${decided.join(", ")}.`,
    "It shows the rows of the first epoch, in our order, in every epoch, and may shuffle them: here each epoch is drawn anew.",
    ...(train.train_batch_size === null ? ["batch_size is the service's: train_batch_size would set it."] : []),
    ...(train.learning_rate_multiplier === undefined
      ? ["learning_rate_multiplier is the service's: train.learning_rate_multiplier would set it."]
      : []),
    "cutoff_len and the tokens shown are counted at four characters a token: the service's tokenizer is not known here.",
    "Same bits are not promised: the seed is passed on, the rest is the service's.",
  ];
}

/** What says nothing about training. */
function isKept(key: (typeof LEFT_TO_SERVICE)[number]): boolean {
  return key === "eval_steps" || key === "save_steps" || key === "keep";
}
