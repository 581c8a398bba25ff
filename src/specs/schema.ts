/** @file The grammar of study and run files as zod schemas: key names, types and ranges. What ties keys together is checked in study-file.ts. */

import { z } from "zod";
import { METRIC_NAMES } from "./metrics.ts";
import { sameAs } from "./same-as.ts";
import { MAX_EPOCHS, MAX_STEPS } from "./train.ts";
import type { Amount, AnswerSpec, EvalSpec, TaskSpec, TrainSpec } from "./types.ts";

/** Names of studies, tasks and mixtures. Every JavaScript object has a `constructor`, so that nothing can be looked up by this name. */
const NAME_PATTERN = /^(?!constructor$)[a-z0-9][a-z0-9_-]{0,63}$/;

const name = z.string().regex(NAME_PATTERN, {
  error: "a name of lower-case letters, digits, _ and - (at most 64), other than constructor",
});
const positive = z.number().positive();
const count = z.int().positive();
const atLeastZero = z.number().nonnegative();
const path = z.string().min(1);
const paper = z.literal("paper");

const field = z.string().min(1).describe("Field of a row that holds the answer.");

const answer = sameAs<AnswerSpec>()(
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("label").describe("One of a few fixed answers."),
      field,
      labels: z
        .array(z.string().min(1))
        .min(2)
        .describe("Every possible answer. Where two are equally likely, the earlier one wins."),
    }),
    z.strictObject({ kind: z.literal("text").describe("Free text."), field }),
    z.strictObject({
      kind: z.literal("number").describe("A number."),
      field,
      decimal: z
        .literal(",", { error: "a comma, or the key left out" })
        .optional()
        .describe("How decimals are written in the files: , for 1.234,5. Default: a point, 1,234.5."),
    }),
    z.strictObject({ kind: z.literal("spans").describe("Entities or relations."), field }),
    z.strictObject({
      kind: z.literal("document").describe("Plain text without a prompt: every token is trained on."),
      field: field.describe("Field of a row that holds the text."),
    }),
  ]),
);

const source = {
  data: z
    .strictObject({
      train: path.describe("File with the training rows."),
      dev: path.optional().describe("File with the rows for choosing. Default: a part of the training rows."),
      test: path.optional().describe("File with the rows for the final score. Default: a part of the training rows."),
      quotes: z
        .boolean()
        .optional()
        .describe(
          "Of csv and tsv files: false if a quote is a character like any other and no cell holds a line break. Default: true.",
        ),
    })
    .optional()
    .describe(
      "Your own files: jsonl, json, csv, tsv or parquet, also as .gz. Default: the catalogue task of this name.",
    ),
  prompt: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Text of the prompt; {field} stands for that field of the row. Default: what the shape of the files says.",
    ),
  answer: answer.optional().describe("Kind and place of the answer. Default: what the shape of the files says."),
  fit: z
    .strictObject({
      field: z.string().min(1).describe("Field that is shortened."),
      keep: z.enum(["start", "end"]).describe("The end of the field that stays."),
    })
    .optional()
    .describe("How to shorten rows of your own data that exceed train.cutoff_len. Default: such rows are bad rows."),
  variant: z.string().min(1).optional().describe("Catalogue tasks: name of a form of the data. Default: the first."),
  prompt_style: z
    .string()
    .min(1)
    .optional()
    .describe("Catalogue tasks: name of a wording of the prompt. Default: the first."),
  data_dir: path.optional().describe("Catalogue tasks: folder to use in place of data_root. Default: data_root."),
  group: z
    .string()
    .min(1)
    .optional()
    .describe("Own data: field whose equal values stay in one split. Default: rows with the same text."),
  on_bad_row: z
    .enum(["stop", "skip"])
    .optional()
    .describe("What a row that cannot be used does: stop with an error, or skip the row and count it. Default: stop."),
  on_overlap: z
    .enum(["stop", "drop"])
    .optional()
    .describe(
      "What a training row does whose text or group is in a test split: stop with an error, or be left out and counted, as are those of dev splits. Default: stop.",
    ),
};

const task = sameAs<
  Omit<TaskSpec, "name" | "catalogue" | "texts_of" | "apart_from" | "max_train"> & { max_train?: number | "paper" }
>()(
  z.strictObject({
    ...source,
    max_train: z
      .union([count, paper], { error: "a whole number above 0, or paper" })
      .optional()
      .describe("Most training examples per epoch; paper: the cap of arXiv 2410.01109. Default: all examples."),
    evaluation_only: z
      .literal(true, { error: "true, or the key left out" })
      .optional()
      .describe("Score this task for every mixture and never train on it. Default: train on it too."),
    metric: z
      .enum(METRIC_NAMES)
      .optional()
      .describe("Metric that ranks models on the task. Default: by kind of answer; weighted_f1 for labels."),
  }),
);

const mixer = z.strictObject({
  ...source,
  task: name.optional().describe("Catalogue task whose data is mixed in. Give one of task, data and texts_of."),
  texts_of: z
    .array(name)
    .min(1)
    .optional()
    .describe("Tasks of the study whose training texts are mixed in as plain text: every token is trained on."),
  role: z
    .enum(["always", "ingredient"])
    .optional()
    .describe("always: part of every mixture. ingredient: combined by the design like a task. Default: always."),
  dose: z
    .union([positive, z.array(positive).min(1)], { error: "a number above 0 or a list of such" })
    .optional()
    .describe("With role always: examples per task example. A list compares several doses. Default: 1."),
  share_of_caps: z
    .union([positive, paper], { error: "a number above 0, or paper" })
    .optional()
    .describe(
      "With role ingredient: examples as a share of the sum of all task caps; paper: the share of arXiv 2410.01109. Default: all examples.",
    ),
});

const amount = sameAs<Amount>()(
  z.strictObject({
    weight: positive.lt(1).optional().describe("Share of the epoch's rows, between 0 and 1."),
    max_train: count.optional().describe("Most examples per epoch."),
    epochs: positive.optional().describe("How often all examples are shown per epoch of the mixture."),
    tokens: count.optional().describe("Tokens per epoch."),
  }),
);

const train = sameAs<TrainSpec>()(
  z.strictObject({
    method: z.enum(["lora", "full"]).describe("lora: train an adapter. full: train all weights. Default: lora."),
    init: z
      .enum(["pretrained", "random"])
      .describe("Weights to start from: the model's, or random ones. Default: pretrained."),
    lora_rank: count.describe("Rank of the adapter. Default: 8."),
    lora_alpha: positive.describe(
      "Scale of the adapter; its output is multiplied by lora_alpha / lora_rank. Default: 16.",
    ),
    lora_target: z
      .union([z.literal("all"), z.array(z.string().min(1)).min(1)], { error: "all, or a list of module names" })
      .describe("Linear layers that get an adapter: all of the blocks, or module names such as q_proj. Default: all."),
    use_dora: z
      .boolean()
      .optional()
      .describe("Train a magnitude for each output of an adapted layer too (DoRA, arXiv 2402.09353). Default: false."),
    lora_dropout: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe(
        "Share of what adapters read that is left out in training. Prompts then share no work, so steps take longer. Default: 0.",
      ),
    learning_rate: positive
      .max(10)
      .describe("Highest learning rate of the schedule. Default: 0.0002; 0.00005 with method full."),
    learning_rate_multiplier: positive
      .max(1000)
      .optional()
      .describe("Hosted fine-tuning only: factor on the service's own learning rate. Default: the service's choice."),
    num_train_epochs: positive.max(MAX_EPOCHS).describe("Passes over the mixture. Default: 3."),
    max_steps: count
      .max(MAX_STEPS)
      .nullable()
      .describe("Optimizer steps; takes the place of num_train_epochs. Default: null (not set)."),
    batch_tokens: count
      .nullable()
      .describe("Tokens per optimizer step. Exactly one of batch_tokens and train_batch_size is set. Default: 4096."),
    train_batch_size: count
      .nullable()
      .describe("Examples per optimizer step; setting it clears the default batch_tokens. Default: null (not set)."),
    lr_scheduler_type: z
      .enum(["cosine", "linear", "constant", "warmup_stable_decay"])
      .describe("How the learning rate changes after the warm-up. Default: cosine."),
    warmup_steps: atLeastZero.describe(
      "Optimizer steps in which the learning rate rises from 0; below 1: a share of all steps. Default: 0.03.",
    ),
    decay_steps: atLeastZero.describe(
      "With warmup_stable_decay: last optimizer steps, in which the rate falls to 0; below 1: a share of all steps. Default: 0.2.",
    ),
    weight_decay: atLeastZero.describe("Weight decay of AdamW. Default: 0."),
    adam_beta1: atLeastZero.lt(1).describe("AdamW's decay of the mean gradient. Default: 0.9."),
    adam_beta2: atLeastZero.lt(1).describe("AdamW's decay of the mean squared gradient. Default: 0.999."),
    adam_epsilon: positive.describe("AdamW's term against division by zero. Default: 1e-8."),
    max_grad_norm: positive.describe("Gradients with a larger norm are scaled down to this norm. Default: 1."),
    bf16: z
      .boolean()
      .optional()
      .describe("Compute both passes in bfloat16; trained weights stay float32. PyTorch worker only. Default: false."),
    load_in_4bit: z
      .boolean()
      .optional()
      .describe("Hold the frozen linear layers in 4 bits (QLoRA, NF4). PyTorch worker only. Default: false."),
    cutoff_len: z.int().min(2).describe("Longest example, in tokens. Default: 1024."),
    packing: z
      .enum(["isolated", "contaminated", "none"])
      .describe(
        "isolated: several examples in a row, each sees only itself. contaminated: plain concatenation. none: one in a row. Default: isolated.",
      ),
    loss_on: z
      .enum(["answer", "all_answers", "all"])
      .describe(
        "Tokens that are trained on: those of the answer (of a conversation, the last one), of every answer of a conversation, or all. Default: answer.",
      ),
    loss_mean: z
      .enum(["token", "example", "task"])
      .describe(
        "What counts equally in the loss of a step: every token, every example, or every task. Default: token.",
      ),
    eval_steps: count.describe(
      "Optimizer steps between two measurements of the dev loss; the last step is measured too. Default: 100.",
    ),
    save_steps: count.describe("Optimizer steps between two checkpoints. Default: 100."),
    early_stopping_patience: z
      .int()
      .nonnegative()
      .describe("Stop after this many dev evaluations without improvement; 0: never. Default: 0."),
    evaluate: z
      .enum(["last", "best"])
      .describe("Checkpoint that is scored: the last one, or the one with the lowest dev loss. Default: last."),
    keep: z
      .enum(["last", "best", "weights", "none"])
      .describe("Checkpoints that stay after the run; weights: last and best. Default: last; best with evaluate best."),
  }),
);

const evaluation = sameAs<EvalSpec>()(
  z.strictObject({
    splits: z
      .array(z.enum(["dev", "test"]))
      .min(1)
      .describe("Splits that are scored. Default: dev and test."),
    max_dev: count.nullable().describe("Most dev examples that are scored per task; null: all. Default: 1000."),
    max_test: count.nullable().describe("Most test examples that are scored per task; null: all. Default: null."),
    scoring: z
      .array(z.enum(["constrained", "strict", "lenient"]))
      .min(1)
      .describe(
        "How labels are read: constrained (the most likely label), strict (the generated text must be a label), lenient (a label found in the generated text). The table shows the first. Default: all three.",
      ),
    constrained_numbers: z
      .boolean()
      .describe("Generate answers of kind number a second time, limited to the characters of numbers. Default: false."),
    max_new_tokens: count
      .nullable()
      .describe(
        "Most tokens per generated answer; null: slightly above the longest label or training answer. Default: null.",
      ),
    baselines: z
      .array(z.string().min(1))
      .describe("Rows to compare with: majority, ngram, openai:NAME. Default: majority and ngram."),
    keep_prompts: z.boolean().describe("Store every prompt with its prediction. Default: false."),
  }),
);

const shuffledLabels = z
  .boolean()
  .optional()
  .describe(
    "A control: permute the training answers of the mixture's tasks among their rows, by the seed. Default: false.",
  );

const budgetMatch = z.enum(["none", "steps", "tokens", "target_examples"]);
const seed = z.int().nonnegative();
const temperature = z.number().min(1);

const designPart = z.union(
  [
    z.enum(["singles", "pairs", "leave-one-out", "all", "paper-55"]),
    z.strictObject({
      random: z
        .strictObject({
          runs: count.max(10_000).describe("Number of mixtures, at most 10,000."),
          seed: seed
            .optional()
            .describe("Seed of the proportions. More runs with the same seed keep the first mixtures. Default: 1."),
        })
        .describe("Mixtures of all ingredients in proportions that fill the space evenly."),
    }),
    z.strictObject({
      name: name.describe("Name of the mixture."),
      tasks: z.record(name, amount).describe("Ingredients and how much of each per epoch; {} is all of it."),
      temperature: temperature
        .optional()
        .describe("Share the mixture's rows in proportion to size^(1/temperature). Default: 1 (by size)."),
      shuffled_labels: shuffledLabels,
    }),
  ],
  { error: "singles, pairs, leave-one-out, all, paper-55, {random: {runs: N}} or {name: …, tasks: {…}}" },
);

const allowOverlap = z
  .array(z.tuple([name, name], { error: "a pair of names, such as [convfinqa, finqa]" }))
  .optional()
  .describe(
    "Pairs of tasks of which one may be trained on what the other tests; every run reports it. Default: no pair may.",
  );

const dataRoot = path
  .optional()
  .describe("Folder with local copies of catalogue data. Default: the environment variable MIXTUNE_DATA.");
const trainBlock = train.partial().optional().describe("How every run trains. Default: the defaults of its keys.");
const evalBlock = evaluation
  .partial()
  .optional()
  .describe("How every run is scored. Default: the defaults of its keys.");

/** A study file as written. */
export const studyFileSchema = z.strictObject({
  name: name.describe("Name of the study, and of its folder."),
  models: z
    .array(z.string().min(1))
    .min(1)
    .describe("Base models. mixtune/* ships with the package; ./ ../ / start a folder; all else is a Hugging Face id."),
  data_root: dataRoot,
  tasks: z.record(name, task).describe("Tasks by name: trained on and scored. {} is the catalogue task of that name."),
  mixers: z
    .record(name, mixer)
    .optional()
    .describe("Data by name that is mixed into training and never scored. Default: none."),
  allow_overlap: allowOverlap,
  design: z
    .array(designPart)
    .min(1)
    .describe(
      "Mixtures to train: singles, pairs, leave-one-out, all, paper-55 (of exactly nine ingredients), random ones, or ones written out.",
    ),
  temperature: temperature
    .optional()
    .describe(
      "Share the rows of the mixtures of singles, pairs, leave-one-out, all and paper-55 in proportion to size^(1/temperature). Default: 1 (by size).",
    ),
  budget: z
    .strictObject({
      match: z
        .union([budgetMatch, z.array(budgetMatch).min(1)], {
          error: "none, steps, tokens or target_examples, or a list of them",
        })
        .describe(
          "What all mixtures have in common: none (the epochs decide), steps, tokens, or target_examples (each task is shown equally often). A list compares them. Default: none.",
        ),
      reference: z.string().min(1).optional().describe("Mixture whose count the others are trained to. Default: all."),
    })
    .optional()
    .describe("How long mixtures train compared with each other. Default: match none."),
  seeds: z.array(seed).min(1).optional().describe("Seeds; every mixture is trained once with each. Default: [1]."),
  factors: z
    .record(z.string(), z.array(z.unknown()).min(1))
    .optional()
    .describe(
      "Values to compare, by key: train.<key>, or tasks.<name>.max_train, which cuts the task's own training data (null: all of it). Default: none.",
    ),
  controls: z
    .array(z.string().min(1))
    .optional()
    .describe(
      "Rows to compare with: base (the untuned model), few_shot:K, shuffled_labels, random_init. Default: [base].",
    ),
  train: trainBlock,
  eval: evalBlock,
});

/** A run file (`mixtune train`) as written. */
export const trainFileSchema = z.strictObject({
  name: name.optional().describe("Name of the run. Default: the file's name."),
  model: z.string().min(1).describe("Base model, as in a study file's models."),
  data_root: dataRoot,
  tasks: z
    .record(name, task)
    .optional()
    .describe("Tasks of the mixture by name, your own data above all. Default: catalogue tasks."),
  allow_overlap: allowOverlap,
  mixture: z
    .record(name, amount)
    .describe("Ingredients and how much of each per epoch; {} is all of it. Other names are catalogue tasks."),
  temperature: temperature
    .optional()
    .describe("Share the mixture's rows in proportion to size^(1/temperature). Default: 1 (by size)."),
  shuffled_labels: shuffledLabels,
  train: trainBlock,
  seed: seed.optional().describe("Seed of every random draw. Default: 1."),
  eval: evalBlock,
});

export const trainBlockSchema = train.partial();

/** A value of the factor `tasks.<name>.max_train`. */
export const sizeSchema = z.union([count, z.null()], { error: "a whole number above 0, or null for all there is" });

export type StudyFile = z.infer<typeof studyFileSchema>;
export type TaskBlock = z.infer<typeof task>;
export type MixerBlock = z.infer<typeof mixer>;
export type EvalBlock = NonNullable<StudyFile["eval"]>;
