/**
 * @file Does one job in the thread it is called in: has an engine train what is not trained and answer what is not scored, and keeps
 * the run directory's records.
 */

import { evaluateSplit, evaluationSubset } from "../eval/evaluate.ts";
import { keepCheckpoints } from "../runs/checkpoints.ts";
import {
  isScored,
  lacksConstrainedNumbers,
  readReceipt,
  readScores,
  writePredictions,
  writeScores,
  writeSpec,
} from "../runs/run-dir.ts";
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
    const scores = readScores(job.dir);
    const missing = job.eval_tasks.flatMap((task) =>
      job.eval.splits
        .filter(
          (split) =>
            !isScored(scores, task, split, job.eval.scoring) ||
            (job.eval.constrained_numbers && lacksConstrainedNumbers(scores, task, split)),
        )
        .map((split): Question => ({ task, split })),
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
      writePredictions(job.dir, task, split, result.predictions);
      scores.tasks[task] = { ...scores.tasks[task], [split]: result.scores };
      writeScores(job.dir, scores);
      before += sizes[i]!;
    }
    model.close?.();
  }
}
