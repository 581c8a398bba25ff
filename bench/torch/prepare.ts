/** @file What the engines of npm run bench:torch are given: a model folder without weights, a prepared run, the first values of its adapter. */

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GPU_MICRO_BATCH_TOKENS, MICRO_BATCH_TOKENS } from "../../src/data/batches/run-batches.ts";
import { loadTask } from "../../src/data/load-task.ts";
import { openTemplate } from "../../src/data/tokens/chat-template.ts";
import { type PreparedTask, prepareTask } from "../../src/data/tokens/prepare.ts";
import { openTokenizer } from "../../src/data/tokens/tokenizers.ts";
import type { TokenizedExample } from "../../src/data/types.ts";
import { tunedLayout } from "../../src/models/network.ts";
import { readModelConfig } from "../../src/models/weights.ts";
import { EVAL_DEFAULTS } from "../../src/specs/study-file.ts";
import { TRAIN_DEFAULTS } from "../../src/specs/train.ts";
import type { RunSpec } from "../../src/specs/types.ts";
import type { Job } from "../../src/study/types.ts";
import { commitFirstValues } from "../../src/workers/prepare-job.ts";
import { type WorkOrder, writePreparedRun } from "../../src/workers/prepared-run.ts";
import { examplesLike, LLAMA_SHAPES, type LlamaShape } from "../workloads.ts";

export const BENCH_TASKS = ["fpb", "topic", "long"] as const;
export type BenchTask = (typeof BENCH_TASKS)[number];

/** What is compared in one go. */
export interface Comparison {
  shape: LlamaShape;
  task: BenchTask;
  device: "cpu" | "cuda";
  precision: "float32" | "bfloat16";
  /** Examples of an optimiser step, in eights. */
  batch: number;
  steps: number;
  /** Steps that are not timed: memory is faulted in, kernels are compiled. */
  warmUp: number;
  threads: number;
}

/** What bench/torch/engine.py reads. */
export interface EngineSettings extends Pick<Comparison, "device" | "precision" | "threads"> {
  model: string;
  prepared: string;
  runDir: string;
  /** Rows of a step in TRL's packs. */
  rows: number;
  /** Side of the plain product. */
  product: number;
}

type Opened = WorkOrder["opened"];

const CUTOFF = 1024;
const LONG_PACK_TOKENS = 4096;
/** The planner of packs rounds rows up, as the embedded engine lays them: eight examples of 511 tokens would not be held by 4,096. */
const ROUNDED_UP = 64;
/** Tokens in a row of TRL's packs: SFTConfig's max_length on a processor, whose masks are dense; what a GPU is given usually. */
const ROW_TOKENS = { cpu: 1024, cuda: 4096 };
const PRODUCT = { cpu: 1024, cuda: 8192 };
/** Named tasks of the catalogue, and the lengths of what is made up in their place. */
const CLASSIFICATION = {
  fpb: { name: "fpb", lengths: { shared: 60, least: 15, spread: 29, answer: 2 } },
  topic: { name: "twitter-topic", lengths: { shared: 130, least: 20, spread: 60, answer: 2 } },
};

/**
 * Writes all of it.
 * @param dataRoot  of the catalogue's files; undefined: examples are made up
 */
export async function prepareComparison(
  { shape, task, device, precision, batch, steps, threads }: Comparison,
  dir: string,
  dataRoot: string | undefined,
): Promise<EngineSettings> {
  const [model, runDir, prepared] = ["model", "run", "prepared"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [model, runDir]) mkdirSync(one);
  const opened = openShape(shape, model);
  const examples = await examplesOf(task, opened, batch * steps, dataRoot);
  const made = { split: () => splitOf(examples), task: { name: "bench" } } as unknown as PreparedTask;
  const spec: RunSpec = {
    ...{ format: 1, data: {}, seed: 1, worker: { kind: "torch", threads } },
    model: { name: shape, weights_digest: "", tokenizer_digest: "", template_digest: "" },
    mixture: { name: "bench", ingredients: { bench: {} } },
    train: {
      ...TRAIN_DEFAULTS,
      ...{ lora_rank: 16, lora_alpha: 32, lr_scheduler_type: "linear", warmup_steps: 0, max_steps: steps },
      ...{ batch_tokens: null, train_batch_size: batch, save_steps: steps + 1, eval_steps: steps + 1 },
    },
  };
  const { lora_rank, lora_alpha, lora_target } = spec.train;
  const layout = tunedLayout(opened.model.config, { method: "lora", lora: { lora_rank, lora_alpha, lora_target } });
  const training = { spec, tasks: new Map([["bench", made]]), layout };
  const isLong = task === "long";
  const microBatchTokens = isLong
    ? LONG_PACK_TOKENS + ROUNDED_UP
    : device === "cuda"
      ? GPU_MICRO_BATCH_TOKENS
      : MICRO_BATCH_TOKENS;
  const job: Job = {
    ...{ kind: "run", id: "bench", dir: runDir, model: shape, model_dir: model, spec, tasks: [], eval_tasks: [] },
    ...{ eval: EVAL_DEFAULTS, cutoff_len: CUTOFF, threads },
  };
  const machine = { ...{ device, precision, microBatchTokens }, ...{ ranks: 1, load_in_4bit: false, compile: false } };
  await writePreparedRun(prepared, { job, opened, training, questions: [], taskToAsk: async () => made, machine });
  commitFirstValues(runDir, training, opened);
  const rows = rowsOf(examples, batch, isLong ? LONG_PACK_TOKENS : ROW_TOKENS[device]);
  return { model, prepared, runDir, device, precision, threads, rows, product: PRODUCT[device] };
}

/** A folder that transformers reads a shape and mixtune/tiny's tokenizer from. */
function openShape(shape: LlamaShape, folder: string): Opened {
  const tiny = join(process.cwd(), "assets", "tiny");
  for (const name of ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"])
    copyFileSync(join(tiny, name), join(folder, name));
  writeFileSync(join(folder, "config.json"), JSON.stringify(LLAMA_SHAPES[shape]));
  const tokenizer = openTokenizer(tiny);
  const model = { folder, ...readModelConfig(folder), digest: "", files: new Map() };
  return { model, tokenizer, template: openTemplate(tiny, tokenizer) };
}

/** The first training examples of a task, each prompt with the instruction that names the labels. @throws {Error} too few */
async function examplesOf(
  task: BenchTask,
  { model, tokenizer, template }: Opened,
  count: number,
  dataRoot: string | undefined,
): Promise<TokenizedExample[]> {
  const vocabulary = model.config.vocab_size;
  if (task === "long") return examplesLike({ shared: 0, least: 256, spread: 1, answer: 256, vocabulary }, count);
  const { name, lengths } = CLASSIFICATION[task];
  if (dataRoot === undefined) return examplesLike({ ...lengths, vocabulary }, count);
  const loaded = await loadTask({ name, prompt_style: "labels" }, { dataRoot });
  const options = { cutoffLen: CUTOFF, lossOn: "answer", onBadRow: "skip" } as const;
  const { tokenized } = prepareTask(loaded, tokenizer, template, options).split("train");
  if (tokenized.length >= count) return tokenized.slice(0, count);
  throw new Error(`bench: expected ${count} examples of ${name}, got ${tokenized.length}. Lower --steps or --batch.`);
}

function splitOf(tokenized: TokenizedExample[]) {
  const tokens = Int32Array.from(tokenized, ({ prompt, answer }) => prompt.length + answer.length);
  const lengths = { tokens, supervised: Int32Array.from(tokenized, ({ answer }) => answer.length) };
  return { tokenized, lengths, numTokens: tokens.reduce((sum, length) => sum + length, 0) };
}

/** The fewest equal parts of a batch, halved and halved again, that have no more than a row's tokens in the mean. */
function rowsOf(examples: readonly TokenizedExample[], batch: number, rowTokens: number): number {
  const mean = examples.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0) / examples.length;
  let rows = 1;
  while (batch % (2 * rows) === 0 && (batch / rows) * mean > rowTokens) rows *= 2;
  return rows;
}
