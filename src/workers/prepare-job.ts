/** @file A job to a prepared run, and recorded answers to a model that can be asked: what every engine in another language has in common. */

import { join } from "node:path";
import { SpecError } from "../base/errors.ts";
import { GPU_MICRO_BATCH_TOKENS, MICRO_BATCH_TOKENS } from "../data/batches/run-batches.ts";
import { SHOT_END } from "../data/tokens/few-shot.ts";
import { removeQuietly } from "../formats/files.ts";
import { loraOf } from "../models/lora.ts";
import { tunedLayout } from "../models/network.ts";
import { maxPositions } from "../models/tuning.ts";
import { newAdamState } from "../optim/adamw.ts";
import { commitCheckpoint, readCheckpoint } from "../runs/checkpoints.ts";
import { readReceipt } from "../runs/run-dir.ts";
import type { Job } from "../study/types.ts";
import { checkpointWriter } from "../train/checkpoint.ts";
import { type Question, type TrainedModel, trainingTasks } from "./engine.ts";
import { firstValues } from "./first-values.ts";
import { type PreparedFor, type PreparedTraining, writePreparedRun } from "./prepared-run.ts";
import { recordedModel } from "./recorded-model.ts";
import type { OpenModel, SharedParts } from "./shared-parts.ts";

/** The machine that will compute. */
export interface Computer extends Pick<PreparedFor, "device" | "ranks" | "compile"> {
  /** Whether the device is a GPU: larger packs. */
  isGpu: boolean;
}

/** Where a job's prepared run is written. */
export function preparedFolder({ dir }: Job): string {
  return join(dir, "prepared");
}

/**
 * Writes what is to be trained and asked, and the first values of what is trained as a checkpoint of step 0.
 * @param modelDir  what prepared.json calls the model's folder
 * @returns false: there is nothing to do
 * @throws {SpecError} numbers held to numbers, which our own engine alone can write
 */
export async function prepareJob(
  shared: SharedParts,
  job: Job,
  questions: readonly Question[],
  computer: Computer,
  modelDir: string,
): Promise<boolean> {
  refuseNumbers(job, questions);
  const opened = shared.model(job);
  const isUntrained = job.kind === "run" && readReceipt(job.dir) === undefined;
  const training = isUntrained ? await trainingOf(shared, job, opened) : undefined;
  if (training === undefined && questions.length === 0) return false;
  if (training !== undefined) commitFirstValues(job.dir, training, opened);
  await writePreparedRun(preparedFolder(job), {
    job: { ...job, model_dir: modelDir },
    opened,
    ...(training && { training }),
    questions,
    taskToAsk: (name) => shared.task(job, name, "answer"),
    machine: preparedFor(computer, job),
  });
  return true;
}

/** The job's model, asked through the answers that lie in its folder; closing it takes them away. */
export function answeredModel(shared: SharedParts, job: Job): TrainedModel {
  const { model, tokenizer, template } = shared.model(job);
  const answers = join(job.dir, "answers");
  const readers = {
    ...{ tokenizer, template },
    maxPositions: maxPositions(model.config, job.cutoff_len),
    stopStrings: job.few_shot === undefined ? [] : [SHOT_END],
  };
  return {
    ask: async ({ task, split }) => recordedModel(join(answers, `${task}.${split}.safetensors`), readers),
    close: () => removeQuietly(answers),
  };
}

/** What a job computes with: an untuned model in the numbers of the runs beside it. */
export function preparedFor({ device, ranks, isGpu, compile }: Computer, job: Job): PreparedFor {
  const { bf16, load_in_4bit } = job.kind === "run" ? job.spec.train : job.numerics;
  return {
    ...{ device, ranks, compile },
    precision: bf16 === true ? "bfloat16" : "float32",
    load_in_4bit: load_in_4bit === true,
    microBatchTokens: isGpu ? GPU_MICRO_BATCH_TOKENS : MICRO_BATCH_TOKENS,
  };
}

async function trainingOf(
  shared: SharedParts,
  job: Extract<Job, { kind: "run" }>,
  { model }: OpenModel,
): Promise<PreparedTraining> {
  const { spec } = job;
  const { method } = spec.train;
  const tuned = method === "full" ? ({ method } as const) : { method, lora: loraOf(spec.train) };
  return {
    spec,
    tasks: await trainingTasks(shared, job, spec, job.caps ?? {}),
    layout: tunedLayout(model.config, tuned),
  };
}

/** What both engines begin with: a checkpoint of step 0, but for a whole pretrained model, which lies in its folder. */
export function commitFirstValues(
  dir: string,
  { spec, layout }: PreparedTraining,
  { model }: Pick<OpenModel, "model">,
): void {
  const isThere = spec.train.method === "full" && spec.train.init === "pretrained";
  if (isThere || readCheckpoint(dir) !== undefined) return;
  const state = newAdamState(layout.size, layout.decaySize);
  firstValues(spec, model, layout, state.parameters);
  const texts = { train: spec.train, baseModel: spec.model.name, configText: model.configText };
  commitCheckpoint(dir, 0, checkpointWriter(layout, state, texts), { best: false });
}

function refuseNumbers(job: Job, questions: readonly Question[]): void {
  if (!job.eval.constrained_numbers || questions.length === 0) return;
  throw new SpecError({
    place: "eval.constrained_numbers",
    expected: "false, with PyTorch",
    got: "true",
    remedy:
      "Leave it out, or use the local worker: numbers held to numbers are generated by the embedded engine alone.",
  });
}
