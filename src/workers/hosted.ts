/**
 * @file Has a fine-tuning service train a study's runs, and scores the models that come. Jobs wait for the service and not for this machine, so
 * they go on side by side in the thread of the command. One job, exactly once: hosted-job.ts.
 */

import { MixtuneError } from "../base/errors.ts";
import type { PreparedTask } from "../data/tokens/prepare.ts";
import { CHARS_PER_TOKEN } from "../eval/hosted/estimate.ts";
import { costOf, type Purse } from "../eval/hosted/purse.ts";
import type { RemoteJob } from "../eval/hosted/tuning-endpoint.ts";
import type { Prices } from "../eval/hosted/types.ts";
import { readReceipt, readScores, writeReceipt, writeSpec } from "../runs/run-dir.ts";
import type { HostedJob, Receipt } from "../runs/types.ts";
import type { ExecuteJob, Job, RunProgress } from "../study/types.ts";
import { Interrupted } from "./engine.ts";
import { hostFacts } from "./host-facts.ts";
import type { JobPlace, Patience } from "./hosted-ask.ts";
import { followJob } from "./hosted-follow.ts";
import { type JobOrder, startJob } from "./hosted-job.ts";
import { trainingFile } from "./hosted-rows.ts";
import { outcomeOf } from "./job-outcome.ts";
import type { StatusKeeper } from "./status-keeper.ts";

type RunJob = Extract<Job, { kind: "run" }>;

export interface HostedWorkerOptions
  extends Pick<JobPlace, "baseUrl" | "hasKey" | "endpoint" | "random" | "sleep" | "note"> {
  patience: Patience;
  /** One for all jobs and answers. */
  purse: Purse;
  prices?: Prices | undefined;
  /** Name of a model at the service, by its name in the study. */
  nameAt(model: string): string;
  /** What a run trains on. */
  ingredients(job: RunJob): Readonly<Record<string, PreparedTask>>;
  /**
   * Scores a model of the service on what a job lacks scores of. Rejects when the signal fires.
   * @param isNew  it was fine-tuned just now: the service may not know it yet
   */
  score(job: Job, model: string, isNew: boolean, onProgress: (progress: RunProgress) => void): Promise<void>;
  /** How runs depart from what the study says. */
  deviations: readonly string[];
  /** Versions that go into receipts. */
  versions: Record<string, string>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Jobs that are given at once go on at once: whoever calls decides how many. */
export function createHostedWorker(options: HostedWorkerOptions): ExecuteJob {
  return (job, onProgress, signal) =>
    outcomeOf(job, options.now, async (status) => {
      try {
        const { model, isNew } =
          job.kind === "run"
            ? await tunedModel(job, options, status, onProgress, signal)
            : { model: options.nameAt(job.model), isNew: false };
        await options.score(job, model, isNew, (progress) => {
          status.beat({});
          onProgress(progress);
        });
      } catch (error) {
        // Waits and requests that the signal ends reject with reasons of their own.
        throw signal.aborted && !(error instanceof MixtuneError) ? new Interrupted() : error;
      }
    });
}

/** The model of a run, trained unless it is, and whether it may be too new to be known. */
async function tunedModel(
  job: RunJob,
  options: HostedWorkerOptions,
  status: StatusKeeper,
  onProgress: (progress: RunProgress) => void,
  signal: AbortSignal,
): Promise<{ model: string; isNew: boolean }> {
  const { patience, purse, nameAt, ingredients, note, now } = options;
  const known = readReceipt(job.dir)?.hosted?.fine_tuned_model;
  if (known !== undefined) return { model: known, isNew: Object.keys(readScores(job.dir).tasks).length === 0 };
  const { train, seed } = job.spec;
  writeSpec(job.dir, job.spec);
  const { content, rows } = trainingFile(job.spec, ingredients(job));
  const { num_train_epochs: n_epochs, train_batch_size, learning_rate_multiplier } = train;
  // No tokenizer makes more than one token of a byte.
  const most = { prompt: 0, completion: 0, trained: content.length * n_epochs };
  const order: JobOrder = {
    request: {
      ...{ model: nameAt(job.model), n_epochs, seed, suffix: `mixtune-${job.id.slice(0, 8)}` },
      ...(train_batch_size === null ? {} : { batch_size: train_batch_size }),
      ...(learning_rate_multiplier === undefined ? {} : { learning_rate_multiplier }),
    },
    ...{ content, rows, most, purse },
  };
  const place: JobPlace = { ...options, dir: job.dir, run: job.id, patience, signal };
  const { record, isNew } = await startJob(place, order);
  let said = "";
  // Roughly, until the service tells; a job that is left may still be billed.
  let trained = Math.ceil(most.trained / CHARS_PER_TOKEN);
  try {
    const ended = await followJob(place, record, ({ job: remote, lines, numSteps }) => {
      if (remote.status !== said) note(`${options.endpoint.host}: run ${job.id}: job ${remote.id} ${remote.status}.`);
      said = remote.status;
      trained = remote.trained_tokens ?? (remote.status === "failed" ? 0 : trained);
      const last = lines.at(-1);
      const done = last?.step ?? 0;
      const total = numSteps ?? 0;
      status.write(total > 0 ? { step: done, num_steps: total } : {});
      const loss = last === undefined ? {} : { loss: last.loss };
      onProgress({ id: job.id, phase: "train", done, total, unit: "steps", ...loss });
    });
    writeReceipt(job.dir, receiptOf(job, options, ended, now));
    return { model: ended.record.fine_tuned_model!, isNew: true };
  } finally {
    if (isNew) purse.settleTrained(most, trained);
  }
}

function receiptOf(
  job: RunJob,
  { baseUrl, prices, deviations, versions }: HostedWorkerOptions,
  { job: remote, record }: { job: RemoteJob; record: HostedJob },
  now: () => number,
): Receipt {
  const { trained_tokens: trained, created_at, finished_at } = remote;
  const money = costOf({ prompt: 0, completion: 0, trained: trained ?? Number.NaN }, prices);
  const seconds = created_at === null ? Number.NaN : (finished_at ?? now() / 1000) - created_at;
  const leftOut = record.left_out ?? [];
  return {
    versions,
    host: hostFacts(),
    seed: job.spec.seed,
    threads: job.threads,
    cost: { tokens: trained ?? Number.NaN, flops: Number.NaN, seconds, peak_memory_bytes: Number.NaN },
    hosted: {
      base_url: baseUrl,
      job: remote.id,
      fine_tuned_model: record.fine_tuned_model!,
      ...(trained === null ? {} : { trained_tokens: trained }),
      ...(Number.isNaN(money) ? {} : { money }),
      hyperparameters: remote.hyperparameters,
      ...(remote.seed === null || leftOut.includes("seed") ? {} : { service_seed: remote.seed }),
      deviations: [
        ...deviations,
        ...(leftOut.length === 0 ? [] : [`The service does not take ${leftOut.join(", ")} as OpenAI's does.`]),
      ],
    },
  };
}
