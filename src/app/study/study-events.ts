/** @file What happens while a study runs, as values: the command's lines, a program's log and a progress bar are all made of them. */

import type { RunProgress } from "../../study/types.ts";

/** A job of this call: a run, or an untuned model. */
export interface JobSummary {
  /** The run's id, or the baseline's. */
  id: string;
  /** For people: mixture and seed, with model and factors where these differ. */
  label: string;
  /** Estimated, on this machine where it was measured. */
  seconds: number;
  /** Estimated peak; absent for an untuned model. */
  memoryBytes?: number;
}

/** What happens while a study runs. */
export type StudyEvent =
  /** Before the first job: what this call will do, and how many at a time. */
  | { kind: "planned"; jobs: JobSummary[]; concurrency: number }
  /** A classical baseline begins on a task. */
  | { kind: "baseline"; baseline: string; task: string }
  | { kind: "started"; job: JobSummary; index: number; total: number }
  /** A training step was made. */
  | { kind: "step"; job: JobSummary; progress: RunProgress }
  /** Examples were scored, or are being loaded. */
  | { kind: "scored"; job: JobSummary; progress: RunProgress }
  | { kind: "note"; job: JobSummary; text: string }
  /** `seconds`: wall clock of all calls that worked on it. */
  | { kind: "done"; job: JobSummary; seconds?: number | undefined }
  | { kind: "failed"; job: JobSummary; reason: string }
  /** It can be resumed. */
  | { kind: "interrupted"; job: JobSummary }
  /** It is still running on a cluster; a later call fetches what came of it. */
  | { kind: "left"; job: JobSummary };
