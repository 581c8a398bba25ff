/** @file PyTorch in a process of its own: gets a prepared run, leaves a run directory and recorded answers. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SpecError, WorkerError } from "../base/errors.ts";
import { SHOT_END } from "../data/few-shot.ts";
import { removeQuietly } from "../formats/files.ts";
import { tunedLayout } from "../models/network.ts";
import { maxPositions } from "../models/tuning.ts";
import { newAdamState } from "../optim/adamw.ts";
import { commitCheckpoint, readCheckpoint } from "../runs/checkpoints.ts";
import { readReceipt } from "../runs/run-dir.ts";
import { type WorkerMessage, workerMessageSchema } from "../specs/prepared.ts";
import type { Job } from "../study/types.ts";
import { checkpointWriter } from "../train/checkpoint.ts";
import { type Engine, Interrupted, type JobContext, type Question, trainingTasks } from "./engine.ts";
import { firstValues } from "./first-values.ts";
import { type PreparedFor, type PreparedTraining, writePreparedRun } from "./prepared-run.ts";
import { recordedModel } from "./recorded-model.ts";
import type { OpenModel, SharedParts } from "./shared-parts.ts";

export interface TorchSettings extends Pick<PreparedFor, "device"> {
  /** The interpreter. */
  python: string;
  /** Everything that it sees of the environment. */
  environment: Record<string, string>;
  /** Whether the device is a GPU: larger packs. */
  isGpu: boolean;
}

/** Tokens in a pass: a processor's masks are dense, a GPU wants work. */
const MICRO_BATCH_TOKENS = { cpu: 1024, gpu: 8192 };
/** How often the signal is looked at. */
const POLL_MS = 200;
/** Lines of the worker's complaints that are shown when it ends without a word. */
const LAST_LINES = 8;

export function torchEngine(shared: SharedParts, settings: TorchSettings): Engine {
  return {
    work: async (context, questions) => {
      const { job } = context;
      refuseNumbers(job, questions);
      const opened = shared.model(job);
      const training =
        job.kind === "run" && readReceipt(job.dir) === undefined ? await trainingOf(shared, job, opened) : undefined;
      const folder = join(job.dir, "prepared");
      const answers = join(job.dir, "answers");
      if (training !== undefined || questions.length > 0) {
        if (training !== undefined) commitFirstValues(job.dir, training, opened);
        await writePreparedRun(
          folder,
          job,
          opened,
          training,
          questions,
          (task) => shared.task(job, task, "answer"),
          preparedFor(settings, job),
        );
        await runWorker(["run", folder, job.dir], settings, context);
        removeQuietly(folder);
      }
      const readers = {
        tokenizer: opened.tokenizer,
        template: opened.template,
        maxPositions: maxPositions(opened.model.config, job.cutoff_len),
        stopStrings: job.few_shot === undefined ? [] : [SHOT_END],
      };
      return {
        ask: async ({ task, split }) => recordedModel(join(answers, `${task}.${split}.safetensors`), readers),
        close: () => removeQuietly(answers),
      };
    },
    release: () => shared.release(),
  };
}

function preparedFor({ device, isGpu }: TorchSettings, job: Job): PreparedFor {
  const isHalf = job.kind === "run" && job.spec.train.bf16 === true;
  return {
    device,
    precision: isHalf ? "bfloat16" : "float32",
    microBatchTokens: isGpu ? MICRO_BATCH_TOKENS.gpu : MICRO_BATCH_TOKENS.cpu,
  };
}

async function trainingOf(
  shared: SharedParts,
  job: Extract<Job, { kind: "run" }>,
  { model }: OpenModel,
): Promise<PreparedTraining> {
  const { spec } = job;
  const { method, lora_rank, lora_alpha, lora_target } = spec.train;
  const tuned = method === "full" ? ({ method } as const) : { method, lora: { lora_rank, lora_alpha, lora_target } };
  return {
    spec,
    tasks: await trainingTasks(shared, job, spec, job.caps ?? {}),
    layout: tunedLayout(model.config, tuned),
  };
}

/** What both engines begin with: a checkpoint of step 0, but for a whole pretrained model, which lies in its folder. */
function commitFirstValues(dir: string, { spec, layout }: PreparedTraining, { model }: OpenModel): void {
  const isThere = spec.train.method === "full" && spec.train.init === "pretrained";
  if (isThere || readCheckpoint(dir) !== undefined) return;
  const state = newAdamState(layout.size, layout.decaySize);
  firstValues(spec, model, layout, state.parameters);
  const texts = { train: spec.train, baseModel: spec.model.name, configText: model.configText };
  commitCheckpoint(dir, 0, checkpointWriter(layout, state, texts), { best: false });
}

/** Starts the worker and follows it to its end. */
async function runWorker(args: readonly string[], settings: TorchSettings, context: JobContext): Promise<void> {
  const { job, onProgress, isAborted } = context;
  const child = spawn(settings.python, ["-m", "mixtune_worker", ...args], {
    env: settings.environment,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    complaints.push(line);
    if (complaints.length > LAST_LINES) complaints.shift();
  });
  let outcome: Extract<WorkerMessage, { kind: "outcome" }> | undefined;
  const listening = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const message = messageOf(line);
      if (message.kind === "outcome") outcome = message;
      else if (message.kind === "progress") {
        const { kind: _, ...progress } = message;
        onProgress({ id: job.id, ...withoutUndefined(progress) });
      }
    }
  })();
  const poll = setInterval(async () => {
    if (await isAborted()) child.kill("SIGINT");
  }, POLL_MS);
  try {
    const status = await new Promise<number | string>((resolve, reject) => {
      child.once("error", (error) => reject(notStarted(settings.python, error)));
      child.once("close", (code, signal) => resolve(code ?? signal!));
    });
    await listening;
    if (outcome === undefined) throw endedWithoutWord(status, complaints);
  } finally {
    clearInterval(poll);
  }
  if (outcome.state === "interrupted") throw new Interrupted();
  if (outcome.state === "failed") {
    const { place, expected, got, remedy, stack } = outcome;
    throw new WorkerError({ place, expected, got, remedy, ...(stack !== undefined && { cause: new Error(stack) }) });
  }
}

function messageOf(line: string): WorkerMessage {
  try {
    return workerMessageSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new WorkerError({
      place: "the PyTorch worker's output",
      expected: "a message of this version's protocol",
      got: line.slice(0, 200),
      remedy: "Use the worker that came with this mixtune: unset PYTHONPATH, or run mixtune setup torch again.",
      cause,
    });
  }
}

function withoutUndefined<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never;
}

function refuseNumbers(job: Job, questions: readonly Question[]): void {
  if (!job.eval.constrained_numbers || questions.length === 0) return;
  throw new SpecError({
    place: "eval.constrained_numbers",
    expected: "false, with --worker torch",
    got: "true",
    remedy:
      "Leave it out, or use the local worker: numbers held to numbers are generated by the embedded engine alone.",
  });
}

function notStarted(python: string, cause: Error): WorkerError {
  return new WorkerError({
    place: python,
    expected: "a Python that can be started",
    got: cause.message,
    remedy: "Run mixtune setup torch, or name an interpreter with PyTorch in MIXTUNE_PYTHON.",
    cause,
  });
}

function endedWithoutWord(status: number | string, complaints: readonly string[]): WorkerError {
  const killed = status === "SIGKILL" ? " (killed: often for want of memory)" : "";
  return new WorkerError({
    place: "the PyTorch worker",
    expected: "an outcome before its end",
    got: `status ${status}${killed}${complaints.length > 0 ? `; its last lines: ${complaints.join(" / ")}` : ""}`,
    remedy: "The same command goes on from the last checkpoint.",
  });
}
