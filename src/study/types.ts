/** @file The nouns of a study at work: a planned run, the job that a worker gets, what it reports while running, and how it ended. */

import type { Numerics } from "../specs/train.ts";
import type { Caps, EvalSpec, MixtureSpec, RunControl, RunSpec, Shown, TaskSpec } from "../specs/types.ts";

/** What a run is expected to cost, before it starts. */
export interface Estimate {
  /** Training examples shown, over all epochs. */
  examples: number;
  /** Real training tokens, over all epochs. */
  tokens: number;
  /** The same by ingredient. */
  ingredients: Record<string, Shown>;
  /** Optimiser steps; NaN where a service decides. */
  steps: number;
  /** The sum of `time`; NaN where it is somebody else's machine. */
  seconds: number;
  time: TimeParts;
  /** Peak resident memory of the process while this run alone goes on: the sum of `memory`. */
  memory_bytes: number;
  memory: MemoryParts;
  /** What the run directory keeps when it is done. */
  disk_bytes: number;
  /** What it holds beyond that while it runs: checkpoints with moments: last, best, and the one being written. */
  working_disk_bytes: number;
  /** What a fine-tuning service bills, at the price that was given; NaN without one. Absent: nobody bills anything. */
  money?: number;
}

/** Seconds of a job by what they are spent on. */
export interface TimeParts {
  /** Weights read, networks made ready. */
  start: number;
  /** Optimizer steps and dev losses. */
  train: number;
  /** Every task and split that the study scores: likelihoods and written answers. */
  score: number;
}

/** Bytes of a run by what they hold. */
export interface MemoryParts {
  /** The program itself, data and libraries: once, however many runs go on at a time. */
  process: number;
  /** Of the model: as it is read, and as the engine keeps it for fast products. */
  weights: number;
  /** What trains: values, gradients and the two moments of AdamW. */
  optimizer: number;
  /** What a forward pass keeps for its way back. */
  activations: number;
  /** Logits over the vocabulary, and their gradients. */
  logits: number;
  /** Buffers of scoring, keys and values of answers being written. */
  scoring: number;
}

/** One run of a plan: what `plan` prints and `run` turns into a job. */
export interface PlannedRun {
  /** Run id: see specs/run-id.ts. */
  id: string;
  /** Model name as the person wrote it. */
  model: string;
  mixture: MixtureSpec;
  seed: number;
  /** Values of the study's factors in this run; empty without factors. For people: `spec` has them too. `<task> rows` is the size of a task's data. */
  factors: Record<string, unknown>;
  /** Caps that a factor gives to ingredients of this run. */
  caps: Caps;
  /** Absent: a run like any other. */
  control?: RunControl;
  /** What else the study asks for that is this very run: a mixture under another budget or other factors. */
  also: Pick<PlannedRun, "mixture" | "factors" | "control">[];
  spec: RunSpec;
  estimate: Estimate;
}

interface JobCommon {
  /** Run id, or baseline id for kind `base`. */
  id: string;
  /** Absolute path of the run directory (or baselines/<id>). */
  dir: string;
  /** Model name as the person wrote it. */
  model: string;
  /** Absolute path of the Hugging Face folder that the name stands for. */
  model_dir: string;
  /** Every task that training or evaluation touches, mixers included. */
  tasks: TaskSpec[];
  /** Names of the tasks to score. */
  eval_tasks: string[];
  /** Where catalogue tasks find their local copies. */
  data_root?: string;
  /** Files of the hub, by task: of those without local copies. */
  hub_files?: Record<string, { repo: string; revision: string; splits: Readonly<Record<string, readonly string[]>> }>;
  eval: EvalSpec;
  /** Training examples shown before each question. */
  few_shot?: number;
  /** Longest example in tokens: the same in training and evaluation. */
  cutoff_len: number;
  /** Intra-op threads. */
  threads: number;
}

/**
 * What a worker gets: plain JSON that can cross a thread or a machine.
 * `run`: train unless trained, then score what is missing. `base`: score the untuned model.
 */
export type Job =
  /**
   * @property caps      of training rows, in place of those of `tasks`
   * @property numerics  those of the runs that it is compared with
   */
  (JobCommon & { kind: "run"; spec: RunSpec; caps?: Caps }) | (JobCommon & { kind: "base"; numerics: Numerics });

/** Where a job stands; sent every now and then. */
export interface RunProgress {
  id: string;
  phase: "load" | "train" | "dev" | "eval";
  done: number;
  total: number;
  unit: "steps" | "examples";
  /** Training loss of the last step. */
  loss?: number;
  tokens_per_second?: number;
  /** Peak resident memory so far; sent once, after the first training step, by when all that a run needs is held. */
  peak_memory_bytes?: number;
  /** Tasks whose test split is now opened; sent once, before the first is read. */
  opens_test?: string[];
  /** What a person may want to know of the run, worth a line of its own. */
  note?: string;
}

/** How a job ended. `interrupted` can be resumed; `left` goes on elsewhere, and a later call fetches what came of it; `failed` says why; the stack is shown with --debug only. */
export type Outcome =
  | { state: "done" }
  | { state: "interrupted" }
  | { state: "left" }
  | { state: "failed"; reason: string; stack?: string };

/** Runs one job to its end. Resolves `interrupted` soon after the signal fires; never rejects for what a person can cause. */
export type ExecuteJob = (
  job: Job,
  onProgress: (progress: RunProgress) => void,
  signal: AbortSignal,
) => Promise<Outcome>;
