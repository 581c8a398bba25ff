/** @file A plan as a record: its runs with estimates, their totals, what it could detect, and what would be sent and paid. */

import { type Detectable, detectableBefore } from "../../study/power.ts";
import { isComplete } from "../../study/scored.ts";
import type { PlannedRun } from "../../study/types.ts";
import type { Workspace } from "../workspace.ts";
import { diskNeeded } from "./disk.ts";
import { hostedTodo } from "./hosted/baselines.ts";
import { type HostedBill, hostedBill } from "./hosted/bill.ts";
import { jobsOf } from "./jobs.ts";
import type { PlannedStudy } from "./planned-study.ts";

/** What a study would do. */
export interface PlanSummary {
  dir: string;
  runs: PlannedEntry[];
  totals: PlanTotals;
  /** Per task, the smallest difference that the study would find. */
  detectable: Detectable[];
  /** Of fine-tuning by a service. */
  bill?: HostedBill;
  /** Hosted baselines that lack scores. */
  hosted?: HostedEntry[];
}

/** What a hosted baseline would be sent. @property money if every answer is as long as it may be; absent without prices */
export interface HostedEntry {
  baseline: string;
  base_url: string;
  /** Examples without scores. */
  rows: number;
  /** Those without an answer, equal ones once. */
  requests: number;
  prompt_tokens: number;
  max_completion_tokens: number;
  money: number;
}

/** @property unresolved the weights are still to come from the hub: what is shown follows from their headers */
export type PlannedEntry = PlannedRun & { done: boolean; unresolved: boolean };

/** Of the runs that are still to do, one after the other. */
export interface PlanTotals {
  runs: number;
  to_do: number;
  examples: number;
  tokens: number;
  steps: number;
  seconds: number;
  /** Of the largest. */
  memory_bytes: number;
  disk_bytes: number;
}

function totalsOf(runs: readonly PlannedEntry[]): PlanTotals {
  const todo = runs.filter(({ done }) => !done).map(({ estimate }) => estimate);
  const sum = (key: "examples" | "tokens" | "steps" | "seconds") => todo.reduce((total, one) => total + one[key], 0);
  return {
    runs: runs.length,
    to_do: todo.length,
    examples: sum("examples"),
    tokens: sum("tokens"),
    steps: sum("steps"),
    seconds: sum("seconds"),
    memory_bytes: Math.max(0, ...todo.map(({ memory_bytes }) => memory_bytes)),
    disk_bytes: diskNeeded(todo),
  };
}

/** Looks at what is done and what is left; sends nothing. */
export async function planSummary(planned: PlannedStudy, workspace: Workspace): Promise<PlanSummary> {
  const done = new Set(jobsOf(planned).flatMap(({ job }) => (isComplete(job) ? [job.id] : [])));
  const runs = planned.plan.map((run) => ({
    ...run,
    done: done.has(run.id),
    unresolved: !planned.models[run.model]!.isThere,
  }));
  const hosted: HostedEntry[] = [];
  for await (const { name, choice, work } of hostedTodo(planned, workspace)) {
    const { requests, promptTokens: prompt_tokens, maxCompletionTokens: max_completion_tokens, money } = work.cost;
    const cost = { requests, prompt_tokens, max_completion_tokens, money };
    hosted.push({ baseline: name, base_url: choice.baseUrl, rows: work.numRows, ...cost });
  }
  const bill = planned.lock.worker.kind === "hosted" ? await hostedBill(planned) : undefined;
  return {
    dir: planned.dir,
    runs,
    totals: totalsOf(runs),
    detectable: detectableBefore(planned.lock),
    ...(bill && { bill }),
    ...(hosted.length > 0 && { hosted }),
  };
}
