/** @file What does the arithmetic of a job: our own engine in this thread, or a PyTorch process beside it. */

import { WorkerError } from "../base/errors.ts";
import type { PreparedTask } from "../data/tokens/prepare.ts";
import type { AskedModel } from "../eval/evaluate.ts";
import type { Caps, RunSpec } from "../specs/types.ts";
import type { Job, RunProgress } from "../study/types.ts";
import type { SharedParts } from "./shared-parts.ts";
import type { StatusKeeper } from "./status-keeper.ts";

/** A split of a task that a job's model has no scores on yet. */
export interface Question {
  task: string;
  split: "dev" | "test";
}

/** What a job is worked on with. */
export interface JobContext {
  job: Job;
  onProgress(progress: RunProgress): void;
  isAborted(): Promise<boolean>;
  status: StatusKeeper;
}

/** Thrown inside a job to leave it when the signal has fired. */
export class Interrupted extends Error {}

/** Thrown inside a job that goes on elsewhere, and that nobody waits for. */
export class LeftToOthers extends Error {}

/** A job's model, trained. */
export interface TrainedModel {
  ask(question: Question): Promise<AskedModel>;
  /** When everything was asked. */
  close?(): void;
}

export interface Engine {
  /**
   * Trains what a job says unless that is done, and makes its model ready to be asked.
   * @param questions  all that will be asked
   * @throws {Interrupted} the job's signal has fired
   */
  work(context: JobContext, questions: readonly Question[]): Promise<TrainedModel>;
  release(): Promise<void>;
}

/** Said once, before a question on test is answered. */
export function openedTests(questions: readonly Question[]): Pick<RunProgress, "opens_test"> {
  const opens_test = questions.flatMap(({ task, split }) => (split === "test" ? [task] : []));
  return opens_test.length > 0 ? { opens_test } : {};
}

/**
 * Every ingredient of a run, by name.
 * @throws {WorkerError} rows that are not those the run was planned for
 */
export async function trainingTasks(
  shared: SharedParts,
  job: Job,
  spec: RunSpec,
  caps: Caps,
): Promise<Map<string, PreparedTask>> {
  const all = new Map<string, PreparedTask>();
  for (const name of Object.keys(spec.mixture.ingredients)) {
    const shuffleSeed = spec.mixture.shuffled_labels?.includes(name) ? spec.seed : undefined;
    const prepared = await shared.task(job, name, spec.train.loss_on, { cap: caps[name], shuffleSeed });
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

/** Tasks of a mixture that dev losses are measured on: those with labels. */
export function devTasksOf(spec: RunSpec, prepared: ReadonlyMap<string, PreparedTask>): PreparedTask[] {
  return Object.keys(spec.mixture.ingredients)
    .map((name) => prepared.get(name)!)
    .filter(({ labels }) => labels !== undefined);
}
