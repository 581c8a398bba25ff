/** @file Records of a run directory, as they stand on disk (snake_case). Layout and semantics: docs/ARCHITECTURE.md. */

import type { TaskSpec } from "../specs/types.ts";
import type { PanelVerdict, Verdict } from "../specs/verdicts.ts";

/** `interrupted`: stopped at a safe point by the person who started it. */
export type RunState = "planned" | "running" | "interrupted" | "done" | "failed";

/** status.json */
export interface RunStatus {
  state: RunState;
  reason?: string;
  pid?: number;
  host?: string;
  started?: string;
  beat?: string;
  step?: number;
  num_steps?: number;
  /** Wall clock that work on the run has taken, over all calls. Absent: an earlier version wrote this. */
  seconds?: number;
}

/** One line of metrics.jsonl, written after each optimizer step. */
export interface MetricsLine {
  step: number;
  loss: number;
  loss_per_task: Record<string, number>;
  grad_norm: number;
  learning_rate: number;
  tokens: number;
  seconds: number;
  /** Mean nats per supervised token, per task; in the lines of steps with a dev evaluation. */
  dev_loss?: Record<string, number>;
  /** How many parts the PyTorch worker cut the packs into after it ran out of memory. Absent: they were whole. */
  parts?: number;
  /** Whether the PyTorch worker computed blocks twice to save memory. Absent: it did not. */
  recompute?: boolean;
}

/** One line of predictions/<task>.<split>.jsonl */
export interface Prediction {
  id: string;
  prompt_digest: string;
  gold: string;
  output: string;
  parsed: string | null;
  /** `length`: cut off at eval.max_new_tokens. Absent where nothing was generated. */
  finish_reason?: "stop" | "length";
  label_logprobs?: Record<string, number>;
  /** What was written where nothing but a number could be (eval.constrained_numbers). */
  constrained_output?: string;
  scores: Record<string, number>;
  group: string;
  prompt?: string;
}

/** One line of judgements/<task>.<split>.jsonl, in the order of the predictions. */
export interface Judgement {
  id: string;
  /** SHA-256 of the output that was judged. */
  output_digest: string;
  /** What more than half of the judges say. */
  verdict: PanelVerdict;
  /** `verdict` null: the reply, which then stands as the reason, could not be read. */
  judges: { judge: string; verdict: Verdict | null; reason: string }[];
}

/** A panel of judges beside people who judged the same answers (metrics/judged.ts). */
export interface CalibrationScores {
  n: number;
  n_groups: number;
  accuracy: MetricValue;
  /** In the order of the panel. */
  judges: MetricValue[];
  alpha?: MetricValue;
  /** Rows: human verdicts correct, incorrect, refused; columns: the panel's, and undecided last. */
  confusion: number[][];
}

/** Who judged a split. */
export interface JudgedBy {
  /** Digest of judges, endpoint, prompt and length of reply. */
  panel: string;
  judges: string[];
  /** Absent: these judges were never compared with people. */
  calibration?: CalibrationScores;
}

/** A value with its 95 % interval; absent when it does not exist. */
export interface MetricValue {
  value: number;
  low?: number;
  high?: number;
  method?: "wilson" | "bootstrap";
}

/** Scores of one task on one split. */
export interface SplitScores {
  n: number;
  n_groups: number;
  /** Of the first scoring that was asked for. */
  metrics: Record<string, MetricValue>;
  /** By how answers were read. */
  scoring: Record<string, Record<string, MetricValue>>;
  /** Of generated texts, how many of n are in the task's format, blank, cut off. */
  outputs?: { valid: number; empty: number; cut: number };
  /** Of labels: the answer given most often, how often, and how often it is right to give it. */
  top_answer?: { label: string; given: number; gold: number };
  /** Whose verdicts `scoring.judged` counts. */
  judged?: JudgedBy;
  /** SHA-256 of the predictions file that was scored. Absent: an earlier version wrote this. */
  predictions?: string;
  /** Number of the scorers that judged (SCORERS of eval/score-answers.ts). Absent: before they were numbered. */
  scorers?: number;
}

/** scores.json */
export interface Scores {
  tasks: Record<string, Partial<Record<"dev" | "test", SplitScores>>>;
  /** SHA-256 of `tasks` as they stand, in canonical form: tells a changed file. Absent: an earlier version wrote this. */
  digest?: string;
}

/**
 * subject.json of a folder that `mixtune eval` filled: whose scores these are, and on what. Baselines of a study need none, runs one for tasks that
 * their study does not describe.
 */
export interface Subject {
  /** As the person wrote it. */
  model: string;
  /** Folder of a local model, or the address of a hosted one. */
  at: string;
  /** Training examples shown before each question. */
  few_shot: number;
  /** Of every task that was scored. */
  tasks: Record<string, TaskSpec>;
  /** How many examples of each split. */
  max_dev: number | null;
  max_test: number | null;
  /** Digests of a local model's files, a hosted one's interface. Absent: an earlier version wrote this. */
  made_by?: Readonly<Record<string, unknown>>;
  /** By task and split: digests of the examples, how many of them, how long answers may be. Absent: likewise. */
  asked?: Asked;
}

/** What was asked of the splits of tasks, by task and split. */
export type Asked = Readonly<
  Record<string, Readonly<Partial<Record<"dev" | "test", Readonly<Record<string, unknown>>>>>>
>;

/** receipt.json, written when a run ends. */
export interface Receipt {
  versions: Record<string, string>;
  host: { platform: string; cpu: string; cores: number; memory_bytes: number };
  seed: number;
  threads: number;
  cost: { tokens: number; flops: number; seconds: number; peak_memory_bytes: number };
  /** What the PyTorch worker reports for people, in sentences: where it ran out of memory, what was lost. */
  notes?: string[];
  /** Of a run that was fine-tuned by a service. */
  hosted?: HostedReceipt;
}

/** What a service did and billed. */
export interface HostedReceipt {
  base_url: string;
  job: string;
  fine_tuned_model: string;
  /** As the service counts them: what is paid for. Absent: it does not tell. */
  trained_tokens?: number;
  /** At the price that was given, in its currency. */
  money?: number;
  /** As the service resolved them. */
  hyperparameters: Record<string, unknown>;
  /** As the service says it; absent: it does not take one. */
  service_seed?: number;
  /** How the run departs from what the study says, in sentences. */
  deviations: string[];
}

/** job.json of a run that a service fine-tunes: what was sent and created there, so that nothing is sent or paid for twice. */
export interface HostedJob {
  /** Where. A key goes nowhere else. */
  base_url: string;
  /** The base. */
  model: string;
  /** The training file; `id` as soon as the service has it. */
  file: { name: string; sha256: string; bytes: number; rows: number; id?: string };
  /** When the job was about to be asked for, in milliseconds since the epoch: from then on it may exist. Absent: it does not. */
  asked_at?: number;
  /** The job. */
  id?: string;
  /** In the service's words, when last asked. */
  status?: string;
  fine_tuned_model?: string;
  /** Models of earlier steps that the service kept. */
  checkpoints?: { step: number; model: string }[];
  /** Members of the request that the service does not know. */
  left_out?: string[];
  /** Jobs of this run that failed or were cancelled before. */
  earlier?: string[];
}

/** One line of ledger.jsonl. */
export interface LedgerLine {
  time: string;
  event: "planned" | "started" | "finished" | "failed" | "test_opened";
  run: string;
  detail?: Record<string, unknown>;
}
