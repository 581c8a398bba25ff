/**
 * @file Does one job in the thread it is called in: has an engine train what is not trained and answer what is not scored, and keeps
 * the run directory's records.
 */

import { existsSync } from "node:fs";
import { attempt } from "../base/attempt.ts";
import { CheckpointError } from "../base/errors.ts";
import { evaluateSplit, evaluationSubset } from "../eval/evaluate.ts";
import { scoreStored, writeRescored } from "../eval/rescore.ts";
import { keepCheckpoints } from "../runs/checkpoints.ts";
import { damagedWeights, describeDamage, isAnswered } from "../runs/damage.ts";
import {
  lacksConstrainedNumbers,
  readIndexedPredictions,
  readReceipt,
  readScores,
  runPaths,
  writeSpec,
  writeSplit,
} from "../runs/run-dir.ts";
import type { Scores } from "../runs/types.ts";
import type { Job, Outcome, RunProgress } from "../study/types.ts";
import { type Engine, Interrupted, type JobContext, type Question } from "./engine.ts";
import { outcomeOf } from "./job-outcome.ts";
import { SharedParts, type SharedSettings } from "./shared-parts.ts";
import type { StatusKeeper } from "./status-keeper.ts";

export interface RunnerSettings extends SharedSettings {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Jobs run one after another, but for an engine that takes several at once. */
export class JobRunner {
  private readonly settings: RunnerSettings;
  private readonly shared: SharedParts;
  private readonly engine: Engine;

  constructor(settings: RunnerSettings, makeEngine: (shared: SharedParts) => Engine) {
    this.settings = settings;
    this.shared = new SharedParts(settings);
    this.engine = makeEngine(this.shared);
  }

  /** Runs a job to its end; whatever goes wrong is an outcome. */
  async run(
    job: Job,
    onProgress: (progress: RunProgress) => void,
    isAborted: () => Promise<boolean>,
  ): Promise<Outcome> {
    const tidyUp = () => {
      if (job.kind === "run") keepCheckpoints(job.dir, job.spec.train.keep);
    };
    const work = (status: StatusKeeper) => this.work({ job, onProgress, isAborted, status });
    return outcomeOf(job, this.settings.now, work, tidyUp);
  }

  async release(): Promise<void> {
    await this.engine.release();
  }

  /** Trains, then scores every task and split that has no scores yet. */
  private async work(context: JobContext): Promise<void> {
    const { job, onProgress, isAborted, status } = context;
    if (job.kind === "run" && readReceipt(job.dir) === undefined) writeSpec(job.dir, job.spec);
    const scores = await this.scoresOf(job);
    const missing = questionsOf(job).filter(
      ({ task, split }) =>
        !isAnswered(job.dir, scores, { task, split }, job.eval.scoring) ||
        (job.eval.constrained_numbers && lacksConstrainedNumbers(scores, task, split)),
    );
    const model = await this.engine.work(context, missing);
    const sizes = await Promise.all(
      missing.map(
        async ({ task, split }) =>
          evaluationSubset(await this.shared.task(job, task, "answer"), split, job.eval).length,
      ),
    );
    const total = sizes.reduce((a, b) => a + b, 0);
    let before = 0;
    for (const [i, question] of missing.entries()) {
      const { task, split } = question;
      const prepared = await this.shared.task(job, task, "answer");
      const report = async (done: number) => {
        status.beat({});
        onProgress({ id: job.id, phase: "eval", done: before + done, total, unit: "examples" });
        if (await isAborted()) throw new Interrupted();
      };
      const result = await evaluateSplit(await model.ask(question), prepared, split, job.eval, report);
      writeSplit(job.dir, scores, question, result);
      before += sizes[i]!;
    }
    model.close?.();
    refuseLostWeights(job);
  }

  /** What is scored. Where the scores are lost they are made again from predictions that are whole: no model is asked. */
  private async scoresOf(job: Job): Promise<Scores> {
    const kept = existsSync(runPaths.scores(job.dir)) ? attempt(() => readScores(job.dir)) : undefined;
    const scores = kept ?? { tasks: {} };
    for (const question of kept === undefined ? questionsOf(job) : []) {
      const { task, split } = question;
      const predictions = attempt(() => readIndexedPredictions(job.dir, task, split));
      if (predictions === undefined) continue;
      const prepared = await this.shared.task(job, task, "answer");
      const examples = evaluationSubset(prepared, split, job.eval).map(({ example }) => example);
      const result = scoreStored(predictions, prepared.task, examples, job.eval);
      if (result !== undefined) writeRescored(job.dir, scores, question, predictions, result);
    }
    return scores;
  }
}

/** Every split that a job scores. */
function questionsOf({ eval_tasks, eval: { splits } }: Job): Question[] {
  return eval_tasks.flatMap((task) => splits.map((split) => ({ task, split })));
}

/** A run whose model is gone is not done, though its scores hold: only training makes the weights again. */
function refuseLostWeights({ dir, kind }: Job): void {
  const lost = kind === "run" ? damagedWeights(dir) : [];
  if (lost.length === 0) return;
  throw new CheckpointError({
    place: dir,
    expected: "the weights that were trained",
    got: describeDamage(lost, dir),
    remedy: `Restore them, or delete ${dir} and start the study again, which trains this run again. Its scores hold.`,
  });
}
