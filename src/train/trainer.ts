/** @file The training loop of one run, as one story: resume, step, log, dev evaluation, checkpoint, until done, stopped early or interrupted. */

import { WorkerError } from "../base/errors.ts";
import { dropoutKeysOf, packOptionsOf, runBatches } from "../data/batches/run-batches.ts";
import type { PreparedSplit } from "../data/tokens/prepare.ts";
import type { Network } from "../models/network.ts";
import { type AdamW, newAdamState } from "../optim/adamw.ts";
import { learningRate } from "../optim/schedule.ts";
import { commitCheckpoint, readCheckpoint } from "../runs/checkpoints.ts";
import { appendMetrics, cutMetrics, readMetrics } from "../runs/run-dir.ts";
import type { MetricsLine } from "../runs/types.ts";
import type { RunSpec } from "../specs/types.ts";
import { type CheckpointTexts, checkpointWriter, readState } from "./checkpoint.ts";
import { hasStopped, isBest } from "./early-stopping.ts";
import { type BatchExample, batchGradient } from "./step.ts";

export interface Training {
  dir: string;
  spec: RunSpec;
  network: Network;
  optimizer: AdamW;
  /** Fills a flat vector with the first values of the trainable tensors. */
  initialise(parameters: Float32Array): void;
  /** Training split of each ingredient of the mixture. */
  data: Readonly<Record<string, PreparedSplit>>;
  /** Mean nats a supervised token on dev, per task of the mixture that has one; none: no dev evaluation. */
  evaluateDev?(parameters: Float32Array): Promise<Record<string, number>>;
  texts: CheckpointTexts;
  onStep(step: number, numSteps: number, line: MetricsLine): void;
  /** Asked after every step: true saves and leaves. */
  isAborted(): Promise<boolean>;
  /** Milliseconds from any fixed point. */
  clock(): number;
}

/** How training ended, and what it cost in all, calls before this one included. */
export interface TrainingResult {
  state: "done" | "interrupted";
  numTokens: number;
  seconds: number;
}

/** Trains a run to its end, from its last checkpoint if there is one. Resuming gives the same bits as never having stopped. */
export async function trainRun(training: Training): Promise<TrainingResult> {
  const { dir, spec, network, optimizer, data, texts, clock } = training;
  const { train } = spec;
  const { layout } = network;

  const plan = runBatches(spec, data);
  const packOptions = packOptionsOf(train);

  const state = newAdamState(layout.size, layout.decaySize);
  const saved = readCheckpoint(dir);
  if (saved === undefined) training.initialise(state.parameters);
  else readState(saved.path, train, layout, state);
  cutMetrics(dir, saved?.step ?? 0);
  const history = readMetrics(dir);
  const evaluations = history.flatMap(({ dev_loss }) => (dev_loss === undefined ? [] : [meanOf(dev_loss)]));
  let numTokens = history.reduce((sum, line) => sum + line.tokens, 0);
  let seconds = history.reduce((sum, line) => sum + line.seconds, 0);
  let step = saved?.step ?? 0;

  const total = new Float32Array(layout.size);
  const part = new Float32Array(layout.size);
  const buffers = {
    total,
    part,
    accumulate: (sum: Float32Array, more: Float32Array) => optimizer.accumulate(sum, more),
  };
  const isOver = () => step >= plan.numSteps || hasStopped(evaluations, train.early_stopping_patience);

  while (!isOver()) {
    const began = clock();
    const batch = examplesOf(plan.batch(step), data);
    const keys = dropoutKeysOf(spec, step, batch.length);
    const result = await batchGradient(network, state.parameters, batch, train.loss_mean, packOptions, buffers, keys);
    const norm = optimizer.norm(total);
    if (!Number.isFinite(result.loss) || !Number.isFinite(norm)) throw notFinite(step + 1, result.loss, norm, batch);
    const rate = learningRate(train, step, plan.numSteps);
    await optimizer.step(state, total, step + 1, rate, norm);
    step++;

    const line: MetricsLine = {
      step,
      loss: result.loss,
      loss_per_task: result.lossPerTask,
      grad_norm: norm,
      learning_rate: rate,
      tokens: result.numTokens,
      seconds: (clock() - began) / 1000,
    };
    let best = false;
    if (training.evaluateDev !== undefined && (step % train.eval_steps === 0 || step === plan.numSteps)) {
      const devLoss = await training.evaluateDev(state.parameters);
      line.dev_loss = devLoss;
      best = isBest(evaluations, meanOf(devLoss));
      evaluations.push(meanOf(devLoss));
    }
    numTokens += line.tokens;
    seconds += line.seconds;
    appendMetrics(dir, line);
    training.onStep(step, plan.numSteps, line);
    const aborted = await training.isAborted();
    if (best || step % train.save_steps === 0 || isOver() || aborted) {
      const devLoss = line.dev_loss === undefined ? {} : { devLoss: meanOf(line.dev_loss) };
      commitCheckpoint(dir, step, checkpointWriter(layout, state, texts), { best, ...devLoss });
    }
    if (aborted && !isOver()) return { state: "interrupted", numTokens, seconds };
  }
  return { state: "done", numTokens, seconds };
}

function examplesOf(
  batch: { names: readonly string[]; ingredient: Uint16Array; example: Int32Array },
  data: Training["data"],
): BatchExample[] {
  return Array.from(batch.example, (index, k) => {
    const task = batch.names[batch.ingredient[k]!]!;
    return { task, tokens: data[task]!.tokenized[index]! };
  });
}

function meanOf(losses: Record<string, number>): number {
  const values = Object.values(losses);
  return values.reduce((sum, loss) => sum + loss, 0) / values.length;
}

function notFinite(step: number, loss: number, norm: number, batch: readonly BatchExample[]): WorkerError {
  const names = batch.slice(0, 20).map(({ task, tokens }) => `${task}/${tokens.id}`);
  const more = batch.length > names.length ? ` and ${batch.length - names.length} more` : "";
  return new WorkerError({
    place: `training step ${step}, examples ${names.join(" ")}${more}`,
    expected: "a finite loss and gradient",
    got: `loss ${loss}, gradient norm ${norm}`,
    remedy: "Lower train.learning_rate or train.max_grad_norm, or look at these examples; the last checkpoint is kept.",
  });
}
