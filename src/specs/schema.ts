/** @file The grammar of study and run files as zod schemas: key names, types and ranges. What ties keys together is checked in study-file.ts. */

import { z } from "zod";
import { METRIC_NAMES } from "./metrics.ts";

/** Names of studies, tasks and mixtures. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,63}$/;

const name = z.string().regex(NAME_PATTERN, { error: "a name of lower-case letters, digits, _ and - (at most 64)" });
const positive = z.number().positive();
const count = z.int().positive();
const atLeastZero = z.number().nonnegative();
const path = z.string().min(1);
const paper = z.literal("paper");

const answer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("label"),
    field: z.string().min(1),
    labels: z.array(z.string().min(1)).min(2).describe("Every answer that may be given; their order breaks ties."),
  }),
  z.strictObject({ kind: z.literal("text"), field: z.string().min(1) }),
  z.strictObject({ kind: z.literal("number"), field: z.string().min(1) }),
  z.strictObject({ kind: z.literal("spans"), field: z.string().min(1) }),
  z.strictObject({ kind: z.literal("document"), field: z.string().min(1) }),
]);

const source = {
  data: z
    .strictObject({ train: path, dev: path.optional(), test: path.optional() })
    .optional()
    .describe(
      "Your own files: jsonl, json, csv, tsv, parquet, also .gz. dev (and test, where there is none) is carved by group.",
    ),
  prompt: z
    .string()
    .min(1)
    .optional()
    .describe("{field} is replaced by the row's field. May be left out where the files have a known shape."),
  answer: answer.optional().describe("May be left out where the files have a known shape."),
  fit: z
    .strictObject({ field: z.string().min(1), keep: z.enum(["start", "end"]) })
    .optional()
    .describe(
      "Own data: the field that is shortened where an example is longer than cutoff_len, and the end that stays.",
    ),
  variant: z.string().min(1).optional().describe("Catalogue tasks: a form of the data, by name."),
  prompt_style: z.string().min(1).optional().describe("Catalogue tasks: a wording of the prompt, by name."),
  data_dir: path.optional().describe("Folder with the task's local copy, instead of <data_root>/<its usual folder>."),
  group: z.string().min(1).optional().describe("Field whose equal values stay in one split."),
  on_bad_row: z.enum(["stop", "skip"]).optional().describe("stop (default), or skip: counted and listed."),
};

const task = z.strictObject({
  ...source,
  max_train: z
    .union([count, paper], { error: "a whole number above 0, or paper" })
    .optional()
    .describe("At most this many training examples per epoch. paper: the cap of arXiv 2410.01109."),
  evaluation_only: z
    .literal(true, { error: "true, or the key left out" })
    .optional()
    .describe("Scored for every mixture, an ingredient of none: what mixtures do to another ability."),
  metric: z
    .enum(METRIC_NAMES)
    .optional()
    .describe("What ranks models on the task; the default is that of the kind of answer (weighted_f1 of labels)."),
});

const mixer = z.strictObject({
  ...source,
  task: name.optional().describe("Catalogue task whose data is mixed in."),
  texts_of: z
    .array(name)
    .min(1)
    .optional()
    .describe("Tasks of the study whose training texts are mixed in as plain text, every token trained on."),
  role: z
    .enum(["always", "ingredient"])
    .optional()
    .describe("always: added to every mixture. ingredient: counted like a task."),
  dose: z
    .union([positive, z.array(positive).min(1)], { error: "a number above 0 or a list of such" })
    .optional()
    .describe("role always: examples per task example; a list is a factor."),
  share_of_caps: z
    .union([positive, paper], { error: "a number above 0, or paper" })
    .optional()
    .describe("role ingredient: size as a share of the sum of all task caps. paper: the share of arXiv 2410.01109."),
});

const amount = z.strictObject({
  weight: positive.lt(1).optional().describe("Share of the epoch."),
  max_train: count.optional(),
  epochs: positive.optional(),
  tokens: count.optional(),
});

const train = z.strictObject({
  method: z.enum(["lora", "full"]),
  init: z.enum(["pretrained", "random"]),
  lora_rank: count,
  lora_alpha: positive,
  lora_target: z.union([z.literal("all"), z.array(z.string().min(1)).min(1)], {
    error: "all, or a list of module names",
  }),
  use_dora: z.boolean().optional().describe("Adapters with a magnitude for each output (DoRA, arXiv 2402.09353)."),
  learning_rate: positive.max(10),
  learning_rate_multiplier: positive
    .max(1000)
    .optional()
    .describe("Of hosted fine-tuning, which knows no learning_rate. Left out: the service's."),
  num_train_epochs: positive,
  max_steps: count.nullable(),
  batch_tokens: count.nullable(),
  train_batch_size: count.nullable(),
  lr_scheduler_type: z.enum(["cosine", "linear", "constant", "warmup_stable_decay"]),
  warmup_steps: atLeastZero.describe("Below 1: a share of all steps."),
  decay_steps: atLeastZero.describe("Of warmup_stable_decay. Below 1: a share of all steps."),
  weight_decay: atLeastZero,
  adam_beta1: atLeastZero.lt(1),
  adam_beta2: atLeastZero.lt(1),
  adam_epsilon: positive,
  max_grad_norm: positive,
  bf16: z.boolean().optional().describe("Both passes in bfloat16, what is trained in float32: the torch worker alone."),
  load_in_4bit: z
    .boolean()
    .optional()
    .describe("QLoRA: the frozen linear layers in 4 bits (NF4, by bitsandbytes): the torch worker alone."),
  cutoff_len: z.int().min(2),
  packing: z.enum(["isolated", "contaminated", "none"]),
  loss_on: z.enum(["answer", "all"]),
  loss_mean: z.enum(["token", "example", "task"]),
  eval_steps: count,
  save_steps: count,
  early_stopping_patience: z.int().nonnegative(),
  evaluate: z.enum(["last", "best"]),
  keep: z.enum(["last", "best", "weights", "none"]),
});

const evaluation = z.strictObject({
  splits: z.array(z.enum(["dev", "test"])).min(1),
  max_dev: count.nullable(),
  max_test: count.nullable(),
  scoring: z.array(z.enum(["constrained", "strict", "lenient"])).min(1),
  constrained_numbers: z.boolean(),
  max_new_tokens: count.nullable(),
  baselines: z.array(z.string().min(1)),
  keep_prompts: z.boolean(),
});

const shuffledLabels = z
  .boolean()
  .optional()
  .describe("A control: the training answers of the mixture's tasks are permuted among their rows, by the seed.");

const budgetMatch = z.enum(["none", "steps", "tokens", "target_examples"]);
const seed = z.int().nonnegative();
const temperature = z.number().min(1);

const designPart = z.union(
  [
    z.enum(["singles", "pairs", "leave-one-out", "all", "paper-55"]),
    z.strictObject({
      random: z.strictObject({
        runs: count,
        seed: seed
          .optional()
          .describe("Of the proportions (default 1); the first mixtures of more runs are those of fewer."),
      }),
    }),
    z.strictObject({
      name,
      tasks: z.record(name, amount),
      temperature: temperature.optional().describe("Shares in proportion to size^(1/temperature); the total stays."),
      shuffled_labels: shuffledLabels,
    }),
  ],
  { error: "singles, pairs, leave-one-out, all, paper-55, {random: {runs: N}} or {name: …, tasks: {…}}" },
);

const allowOverlap = z
  .array(z.tuple([name, name], { error: "a pair of names, such as [convfinqa, finqa]" }))
  .optional()
  .describe("Pairs of tasks of which either may be trained on what the other tests; said with every run.");

/** A study file as written. */
export const studyFileSchema = z.strictObject({
  name,
  models: z
    .array(z.string().min(1))
    .min(1)
    .describe("mixtune/* ships; ./ ../ / start a folder; else a Hugging Face id."),
  data_root: path.optional().describe("Folder of local copies of catalogue data; also the MIXTUNE_DATA variable."),
  tasks: z.record(name, task).describe("Ingredients that are also evaluated."),
  mixers: z.record(name, mixer).optional().describe("Data that is only mixed in, never a target."),
  allow_overlap: allowOverlap,
  design: z.array(designPart).min(1),
  temperature: temperature
    .optional()
    .describe(
      "Of the mixtures of singles, pairs and so on: shares in proportion to size^(1/temperature); the total stays.",
    ),
  budget: z
    .strictObject({
      match: z.union([budgetMatch, z.array(budgetMatch).min(1)], {
        error: "none, steps, tokens or target_examples, or a list of them",
      }),
      reference: z.string().min(1).optional().describe("A mixture's name (default all)."),
    })
    .optional(),
  seeds: z.array(seed).min(1).optional(),
  factors: z
    .record(z.string(), z.array(z.unknown()).min(1))
    .optional()
    .describe("Values of train.<key>, or of tasks.<name>.max_train: how many of the task's own examples; null is all."),
  controls: z.array(z.string().min(1)).optional(),
  train: train.partial().optional(),
  eval: evaluation.partial().optional(),
});

/** A run file (`mixtune train`) as written. */
export const trainFileSchema = z.strictObject({
  name: name.optional().describe("Default: the file's name."),
  model: z.string().min(1),
  data_root: path.optional(),
  tasks: z.record(name, task).optional().describe("Options of the mixture's tasks, own data above all."),
  allow_overlap: allowOverlap,
  mixture: z
    .record(name, amount)
    .describe("Per ingredient how much of it; {} is all. A name not under tasks is one of the catalogue."),
  temperature: temperature.optional().describe("Shares in proportion to size^(1/temperature); the total stays."),
  shuffled_labels: shuffledLabels,
  train: train.partial().optional(),
  seed: seed.optional(),
  eval: evaluation.partial().optional(),
});

export const trainBlockSchema = train.partial();

/** A value of the factor `tasks.<name>.max_train`. */
export const sizeSchema = z.union([count, z.null()], { error: "a whole number above 0, or null for all there is" });

export type StudyFile = z.infer<typeof studyFileSchema>;
export type TrainFile = z.infer<typeof trainFileSchema>;
export type TaskBlock = z.infer<typeof task>;
export type MixerBlock = z.infer<typeof mixer>;
export type EvalBlock = NonNullable<StudyFile["eval"]>;
