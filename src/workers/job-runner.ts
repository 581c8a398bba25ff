/**
 * @file Does one job on this machine, in the thread it is called in: trains what is not trained, scores what is not scored, keeps the run
 * directory's records.
 */

import { cpus, platform, totalmem } from "node:os";
import { MixtuneError, SpecError, WorkerError } from "../base/errors.ts";
import { Rng } from "../base/rng.ts";
import { SHOT_END } from "../data/few-shot.ts";
import type { PreparedTask } from "../data/prepare.ts";
import { type EvaluatedModel, evaluateSplit, evaluationSubset } from "../eval/evaluate.ts";
import { answerLoss } from "../eval/score.ts";
import { decoderTensors, numElements } from "../models/config.ts";
import { initLora } from "../models/lora.ts";
import { type ParameterLayout, parameterViews } from "../models/parameters.ts";
import { tuningOf } from "../models/tuning.ts";
import { initParameter, type ModelFolder, readParameters } from "../models/weights.ts";
import { AdamW } from "../optim/adamw.ts";
import { keepCheckpoints } from "../runs/checkpoints.ts";
import {
  isScored,
  lacksConstrainedNumbers,
  openRunDir,
  readReceipt,
  readScores,
  writePredictions,
  writeReceipt,
  writeScores,
  writeSpec,
} from "../runs/run-dir.ts";
import type { Caps, RunSpec, TrainSpec } from "../specs/types.ts";
import type { Job, Outcome, RunProgress } from "../study/types.ts";
import { evaluatedCheckpoint, readWeights } from "../train/checkpoint.ts";
import { trainRun } from "../train/trainer.ts";
import { SharedParts, type SharedSettings } from "./shared-parts.ts";
import { StatusKeeper } from "./status-keeper.ts";

export interface RunnerSettings extends SharedSettings {
  /** Milliseconds since the epoch. */
  now(): number;
  versions: Record<string, string>;
}

/** Thrown inside a job to leave it when the signal has fired. */
class Interrupted extends Error {}

/** Jobs run one after another. */
export class JobRunner {
  private readonly settings: RunnerSettings;
  private readonly shared: SharedParts;

  constructor(settings: RunnerSettings) {
    this.settings = settings;
    this.shared = new SharedParts(settings);
  }

  /** Runs a job to its end; whatever goes wrong is an outcome, and status.json says it. */
  async run(
    job: Job,
    onProgress: (progress: RunProgress) => void,
    isAborted: () => Promise<boolean>,
  ): Promise<Outcome> {
    const status = new StatusKeeper(job, this.settings.now);
    try {
      openRunDir(job.dir);
      status.write({ state: "running" });
      const context = { job, onProgress, isAborted, status };
      if (job.kind === "run") {
        // note: the receipt is written when training ends; later calls only add scores
        if (readReceipt(job.dir) === undefined) await this.train(context, job.spec, job.caps ?? {});
        await this.score(context, job.spec);
      } else await this.score(context, undefined);
      status.write({ state: "done" });
      if (job.kind === "run") keepCheckpoints(job.dir, job.spec.train.keep);
      return { state: "done" };
    } catch (error) {
      if (error instanceof Interrupted) {
        status.write({ state: "planned" });
        return { state: "interrupted" };
      }
      const reason = error instanceof MixtuneError ? error.message : `a fault in mixtune: ${(error as Error).message}`;
      status.tryWrite({ state: "failed", reason });
      return { state: "failed", reason, stack: (error as Error).stack ?? "" };
    }
  }

  release(): Promise<void> {
    return this.shared.release();
  }

  private async train(context: JobContext, spec: RunSpec, caps: Caps): Promise<void> {
    const { job, onProgress, isAborted, status } = context;
    const opened = this.shared.model(job);
    writeSpec(job.dir, spec);
    const prepared = await this.prepareAll(job, spec, caps);
    const network = await this.shared.network(
      "train",
      job,
      opened,
      tuningOf(spec.train, opened.model, this.settings.cacheFolder),
    );
    const optimizer = await AdamW.create(spec.train, { threads: job.threads });
    let isFirstStep = true;
    try {
      const devTasks = Object.keys(spec.mixture.ingredients).filter((name) => prepared.get(name)!.labels !== undefined);
      const result = await trainRun({
        dir: job.dir,
        spec,
        network,
        optimizer,
        initialise: (parameters) => initialise(spec, opened.model, network.layout, parameters),
        data: Object.fromEntries(
          Object.keys(spec.mixture.ingredients).map((name) => [name, prepared.get(name)!.split("train")]),
        ),
        ...(devTasks.length === 0
          ? {}
          : {
              evaluateDev: (parameters) =>
                this.devLosses(
                  context,
                  spec,
                  devTasks.map((name) => prepared.get(name)!),
                  parameters,
                ),
            }),
        texts: { train: spec.train, baseModel: spec.model.name, configText: opened.model.configText },
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
        clock: this.settings.now,
      });
      if (result.state === "interrupted") throw new Interrupted();
      writeReceipt(job.dir, {
        versions: this.settings.versions,
        host: {
          platform: platform(),
          cpu: cpus()[0]?.model ?? "unknown",
          cores: cpus().length,
          memory_bytes: totalmem(),
        },
        seed: spec.seed,
        threads: job.threads,
        cost: {
          tokens: result.numTokens,
          flops: trainingFlops(opened.model, spec.train, result.numTokens),
          seconds: result.seconds,
          peak_memory_bytes: peakMemoryBytes(),
        },
      });
    } finally {
      await optimizer.release();
    }
  }

  /** Scores every task and split that has no scores yet. */
  private async score(context: JobContext, spec: RunSpec | undefined): Promise<void> {
    const { job, onProgress, isAborted, status } = context;
    const opened = this.shared.model(job);
    const scores = readScores(job.dir);
    const missing = job.eval_tasks.flatMap((task) =>
      job.eval.splits
        .filter(
          (split) =>
            !isScored(scores, task, split, job.eval.scoring) ||
            (job.eval.constrained_numbers && lacksConstrainedNumbers(scores, task, split)),
        )
        .map((split) => ({ task, split })),
    );
    if (missing.length === 0) return;
    const opens_test = missing.flatMap(({ task, split }) => (split === "test" ? [task] : []));
    onProgress({
      id: job.id,
      phase: "load",
      done: 0,
      total: missing.length,
      unit: "examples",
      ...(opens_test.length > 0 && { opens_test }),
    });
    const tuning = tuningOf(spec?.train, opened.model, this.settings.cacheFolder);
    const network = await this.shared.network("score", job, opened, tuning);
    const parameters = new Float32Array(network.layout.size);
    if (spec !== undefined) {
      readWeights(evaluatedCheckpoint(job.dir, spec.train), spec.train, network.layout, parameters);
    }
    const { tokenizer, template } = opened;
    const writer = () => this.shared.network("write", job, opened, tuning);
    const stopStrings = job.few_shot === undefined ? [] : [SHOT_END];
    const model: EvaluatedModel = { network, writer, parameters, tokenizer, template, stopStrings };
    const sizes = await Promise.all(
      missing.map(
        async ({ task, split }) =>
          evaluationSubset(await this.shared.task(job, task, "answer"), split, job.eval).length,
      ),
    );
    const total = sizes.reduce((a, b) => a + b, 0);
    let before = 0;
    for (const [i, { task, split }] of missing.entries()) {
      const prepared = await this.shared.task(job, task, "answer");
      const report = async (done: number) => {
        status.beat({});
        onProgress({ id: job.id, phase: "eval", done: before + done, total, unit: "examples" });
        if (await isAborted()) throw new Interrupted();
      };
      const result = await evaluateSplit(model, prepared, split, job.eval, report);
      writePredictions(job.dir, task, split, result.predictions);
      scores.tasks[task] = { ...scores.tasks[task], [split]: result.scores };
      writeScores(job.dir, scores);
      before += sizes[i]!;
    }
  }

  private async devLosses(
    context: JobContext,
    spec: RunSpec,
    tasks: readonly PreparedTask[],
    parameters: Float32Array,
  ): Promise<Record<string, number>> {
    const { job } = context;
    const opened = this.shared.model(job);
    const network = await this.shared.network(
      "score",
      job,
      opened,
      tuningOf(spec.train, opened.model, this.settings.cacheFolder),
    );
    const losses: Record<string, number> = {};
    for (const prepared of tasks) {
      const tokens = evaluationSubset(prepared, "dev", job.eval).map((item) => item.tokens);
      if (tokens.length > 0)
        losses[prepared.task.name] = await answerLoss(network, parameters, tokens, spec.train.loss_on);
    }
    return losses;
  }

  /** Every ingredient of a run, its rows compared with those the run was planned for. */
  private async prepareAll(job: Job, spec: RunSpec, caps: Caps): Promise<Map<string, PreparedTask>> {
    const all = new Map<string, PreparedTask>();
    for (const name of Object.keys(spec.mixture.ingredients)) {
      const shuffleSeed = spec.mixture.shuffled_labels?.includes(name) ? spec.seed : undefined;
      const prepared = await this.shared.task(job, name, spec.train.loss_on, { cap: caps[name], shuffleSeed });
      const actual = prepared.split("train").rowsDigest;
      const planned = spec.data[name]?.rows_digest;
      if (actual !== planned) {
        throw new WorkerError({
          place: `task ${name}`,
          expected: `the training rows that the run was planned for (digest ${planned?.slice(0, 12)}…)`,
          got: `digest ${actual.slice(0, 12)}…`,
          remedy: "The data changed after the plan was made: start the study again.",
        });
      }
      all.set(name, prepared);
    }
    return all;
  }
}

interface JobContext {
  job: Job;
  onProgress(progress: RunProgress): void;
  isAborted(): Promise<boolean>;
  status: StatusKeeper;
}

/** First values of what a run trains. */
function initialise(
  { train, seed }: RunSpec,
  model: ModelFolder,
  layout: ParameterLayout,
  parameters: Float32Array,
): void {
  const rng = new Rng(seed).fork("init");
  const views = parameterViews(layout, parameters);
  if (train.method === "lora") {
    if (train.init === "random") throw loraOnRandom();
    for (const parameter of layout.parameters) initLora(parameter, views[parameter.name]!, rng);
  } else if (train.init === "random") {
    for (const parameter of layout.parameters) initParameter(model.config, parameter, views[parameter.name]!, rng);
  } else readParameters(model, layout, parameters);
}

function loraOnRandom(): SpecError {
  return new SpecError({
    place: "train.init",
    expected: "pretrained, with method: lora",
    got: "random",
    remedy: "An adapter on random weights learns next to nothing: set train.method: full.",
  });
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
