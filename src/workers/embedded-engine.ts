/** @file Our own engine: graphs of ours, arithmetic by ONNX Runtime, in the thread it is called in. */

import { numElements } from "../base/shapes.ts";
import { SHOT_END } from "../data/tokens/few-shot.ts";
import type { PreparedTask } from "../data/tokens/prepare.ts";
import { evaluationSubset } from "../eval/evaluate.ts";
import { networkModel } from "../eval/network-model.ts";
import { answerLoss } from "../eval/score.ts";
import { decoderTensors } from "../models/config.ts";
import { maxPositions, tuningOf } from "../models/tuning.ts";
import type { ModelFolder } from "../models/weights.ts";
import { AdamW } from "../optim/adamw.ts";
import { readReceipt, writeReceipt } from "../runs/run-dir.ts";
import type { TrainSpec } from "../specs/types.ts";
import type { Job } from "../study/types.ts";
import { evaluatedCheckpoint, readWeights } from "../train/checkpoint.ts";
import { trainRun } from "../train/trainer.ts";
import {
  devTasksOf,
  type Engine,
  Interrupted,
  type JobContext,
  openedTests,
  type Question,
  trainingTasks,
} from "./engine.ts";
import { firstValues } from "./first-values.ts";
import { hostFacts } from "./host-facts.ts";
import type { SharedParts } from "./shared-parts.ts";

export interface EmbeddedSettings {
  /** Where converted weights are kept. */
  cacheFolder: string;
  /** Versions that go into receipts. */
  versions: Record<string, string>;
  /** Milliseconds since the epoch. */
  now(): number;
}

export function embeddedEngine(shared: SharedParts, settings: EmbeddedSettings): Engine {
  return {
    work: async (context, questions) => {
      const { job } = context;
      // note: the receipt is written when training ends; later calls only add scores
      if (job.kind === "run" && readReceipt(job.dir) === undefined) await train(shared, settings, context, job);
      if (questions.length === 0) return { ask: nothingToAsk };
      context.onProgress({
        ...{ id: job.id, phase: "load", done: 0, total: questions.length, unit: "examples" },
        ...openedTests(questions),
      });
      const model = await trainedModel(shared, settings, job);
      return { ask: async () => model };
    },
    release: () => shared.release(),
  };
}

function nothingToAsk({ task, split }: Question): never {
  throw new Error(`${task}/${split} was not among the questions`);
}

async function train(
  shared: SharedParts,
  { cacheFolder, versions, now }: EmbeddedSettings,
  context: JobContext,
  job: Extract<Job, { kind: "run" }>,
): Promise<void> {
  const { onProgress, isAborted, status } = context;
  const { spec } = job;
  const { model } = shared.model(job);
  const prepared = await trainingTasks(shared, job, spec, job.caps ?? {});
  await shared.releaseNetwork("write"); // of the job before: training is what takes most
  const network = await shared.network("train", job, tuningOf(spec.train, model, cacheFolder));
  const optimizer = await AdamW.create(spec.train, { threads: job.threads });
  const devTasks = devTasksOf(spec, prepared);
  let isFirstStep = true;
  try {
    const result = await trainRun({
      dir: job.dir,
      spec,
      network,
      optimizer,
      initialise: (parameters) => firstValues(spec, model, network.layout, parameters),
      data: Object.fromEntries([...prepared].map(([name, task]) => [name, task.split("train")])),
      ...(devTasks.length > 0 && {
        evaluateDev: (parameters) => devLosses(shared, cacheFolder, job, devTasks, parameters),
      }),
      texts: { train: spec.train, baseModel: spec.model.name, configText: model.configText },
      onStep: (step, numSteps, line) => {
        status.beat({ step, num_steps: numSteps });
        onProgress({
          id: job.id,
          phase: "train",
          done: step,
          total: numSteps,
          unit: "steps",
          loss: line.loss,
          tokens_per_second: line.tokens / Math.max(line.seconds, 1e-9),
          ...(isFirstStep ? { peak_memory_bytes: peakMemoryBytes() } : {}),
        });
        isFirstStep = false;
      },
      isAborted,
      clock: now,
    });
    if (result.state === "interrupted") throw new Interrupted();
    writeReceipt(job.dir, {
      versions,
      host: hostFacts(),
      seed: spec.seed,
      threads: job.threads,
      cost: {
        tokens: result.numTokens,
        flops: trainingFlops(model, spec.train, result.numTokens),
        seconds: result.seconds,
        peak_memory_bytes: peakMemoryBytes(),
      },
    });
  } finally {
    await optimizer.release();
    await shared.releaseNetwork("train");
  }
}

async function trainedModel(shared: SharedParts, { cacheFolder }: EmbeddedSettings, job: Job) {
  const { model, tokenizer, template } = shared.model(job);
  const train = job.kind === "run" ? job.spec.train : undefined;
  const tuning = tuningOf(train, model, cacheFolder);
  const network = await shared.network("score", job, tuning);
  const parameters = new Float32Array(network.layout.size);
  if (train !== undefined) readWeights(evaluatedCheckpoint(job.dir, train), train, network.layout, parameters);
  return networkModel({
    ...{ network, parameters, tokenizer, template },
    writer: () => shared.network("write", job, tuning),
    maxPositions: maxPositions(model.config, job.cutoff_len),
    stopStrings: job.few_shot === undefined ? [] : [SHOT_END],
  });
}

async function devLosses(
  shared: SharedParts,
  cacheFolder: string,
  job: Extract<Job, { kind: "run" }>,
  tasks: readonly PreparedTask[],
  parameters: Float32Array,
): Promise<Record<string, number>> {
  const { train } = job.spec;
  const network = await shared.network("score", job, tuningOf(train, shared.model(job).model, cacheFolder));
  const losses: Record<string, number> = {};
  for (const prepared of tasks) {
    const tokens = evaluationSubset(prepared, "dev", job.eval).map((item) => item.tokens);
    if (tokens.length > 0) losses[prepared.task.name] = await answerLoss(network, parameters, tokens, train.loss_on);
  }
  return losses;
}

/** Of the whole process since it began. */
function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/**
 * Useful work: multiply-adds count twice, 4 a frozen weight (forward, and backward to the activations), 6 a trained one; every token of every
 * example counts, shared or not. Attention and the head are left out.
 */
function trainingFlops(model: ModelFolder, train: TrainSpec, numTokens: number): number {
  const block = decoderTensors(model.config).filter(({ name }) => name.startsWith("model.layers."));
  const weights = block.reduce((sum, { shape }) => sum + numElements(shape), 0);
  return numTokens * weights * (train.method === "full" ? 6 : 4);
}
