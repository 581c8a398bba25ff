/**
 * @file A prepared run: what a worker in another language is given. Token ids, order, packs, weights of the loss and learning rates are all decided;
 * nothing is tokenised, templated or shuffled again. Tensors lie beside prepared.json: docs/decisions/0012.
 */

import { z } from "zod";
import { trainBlockSchema } from "./schema.ts";

const file = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors$/);
const task = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/);
const count = z.int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Content of prepared.json. */
export const preparedSchema = z.strictObject({
  format: z.literal(1),
  id: z.string().describe("Run id, or a baseline's."),
  model_dir: z.string().min(1).describe("Absolute: a Hugging Face folder, config.json and safetensors."),
  spec: z
    .nullable(
      z.looseObject({
        model: z.looseObject({ name: z.string() }),
        train: trainBlockSchema.omit({ learning_rate_multiplier: true }).required().extend({
          bf16: z.boolean().optional(),
          load_in_4bit: z.boolean().optional(),
          use_dora: z.boolean().optional(),
          lora_dropout: z.number().optional(),
        }),
        seed: count,
      }),
    )
    .describe("The run's spec; null: the untuned model."),
  threads: z.int().positive(),
  device: z.enum(["auto", "cpu", "cuda"]),
  ranks: z.int().positive().describe("Processes that share the run, each with a GPU of its own; 1: one alone."),
  precision: z
    .enum(["float32", "bfloat16"])
    .describe("Of both passes; what is trained and its moments are float32 always."),
  load_in_4bit: z
    .boolean()
    .describe("The frozen linear layers of the blocks in 4 bits: NF4, its constants quantised too."),
  compile: z.boolean().describe("Whether packs go through compiled blocks (torch.compile)."),
  max_positions: z.int().positive().describe("Longest sequence: longrope models choose their factors by it."),
  train: z.nullable(
    z.strictObject({
      file,
      num_steps: z.int().positive(),
      tasks: z.array(task).describe("What item_task indexes."),
      parameters: z
        .array(z.strictObject({ name: z.string().min(1), shape: z.array(z.int().positive()), decays: z.boolean() }))
        .describe("Trained tensors as checkpoints name them, in the order of the flat vector."),
      dev: z.record(task, file).describe("Tasks whose dev loss is measured."),
    }),
  ),
  questions: z.array(
    z.strictObject({
      task,
      split: z.enum(["dev", "test"]),
      file,
      opens_test: z.boolean(),
      asks: z.strictObject({
        labels: z.boolean(),
        gold: z.boolean(),
        text: z.nullable(z.strictObject({ max_new_tokens: z.int().positive(), end_ids: z.array(count).min(1) })),
      }),
    }),
  ),
  files: z.record(file, digest).describe("SHA-256 of every other file of the folder."),
});

export type Prepared = z.infer<typeof preparedSchema>;

/** One line of a worker's standard output. */
export const workerMessageSchema = z.union([
  z.strictObject({
    kind: z.literal("progress"),
    phase: z.enum(["load", "train", "dev", "eval"]),
    done: count,
    total: count,
    unit: z.enum(["steps", "examples"]),
    loss: z.number().optional(),
    tokens_per_second: z.number().optional(),
    peak_memory_bytes: z.number().optional().describe("Sent once, after the first step."),
    opens_test: z.array(task).optional().describe("Sent once, before test items are read."),
  }),
  z.strictObject({ kind: z.literal("note"), text: z.string() }),
  z.strictObject({ kind: z.literal("outcome"), state: z.enum(["done", "interrupted"]) }),
  z.strictObject({
    kind: z.literal("outcome"),
    state: z.literal("failed"),
    place: z.string(),
    expected: z.string(),
    got: z.string(),
    remedy: z.string(),
    stack: z.string().optional().describe("Of faults, not of bad input."),
  }),
]);

export type WorkerMessage = z.infer<typeof workerMessageSchema>;
