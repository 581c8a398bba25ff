/** @file A plan as a record: its runs with estimates, their totals, what it could detect, and what would be sent and paid. */

import { MixtuneError } from "../../base/errors.ts";
import { settingHints, settingsOf } from "../../study/learning.ts";
import { type Detectable, detectableBefore } from "../../study/power.ts";
import type { LearningHint } from "../../study/report-data.ts";
import { isComplete } from "../../study/scored.ts";
import type { PlannedRun } from "../../study/types.ts";
import { sayEnding } from "../hosted/ending.ts";
import type { Workspace } from "../workspace.ts";
import { diskNeeded } from "./disk.ts";
import { hostedTodo } from "./hosted/baselines.ts";
import { type HostedBill, hostedBill, sayEndings } from "./hosted/bill.ts";
import { jobsOf } from "./jobs.ts";
import type { PlannedStudy } from "./planned-study.ts";

/** What a study would do. */
export interface PlanSummary {
  dir: string;
  runs: PlannedEntry[];
  totals: PlanTotals;
  /** Per task, the smallest difference that the study would find. */
  detectable: Detectable[];
  /** Settings that cannot learn, each with the change to try. */
  hints: LearningHint[];
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

/**
 * Looks at what is done and what is left. Of models that a service would be asked it reads what the service says of them; it sends no rows.
 * @throws {SpecError} a model to be fine-tuned that its service has closed
 */
export async function planSummary(planned: PlannedStudy, workspace: Workspace): Promise<PlanSummary> {
  const done = new Set(jobsOf(planned).flatMap(({ job }) => (isComplete(job) ? [job.id] : [])));
  const runs = planned.plan.map((run) => ({
    ...run,
    done: done.has(run.id),
    unresolved: !planned.models[run.model]!.isThere,
  }));
  /** A study is run without a baseline that its service has closed. */
  const warn = (error: unknown) => {
    if (!(error instanceof MixtuneError)) throw error;
    workspace.note(error.message);
  };
  const hosted: HostedEntry[] = [];
  for await (const { name, choice, work } of hostedTodo(planned, workspace)) {
    const { requests, promptTokens: prompt_tokens, maxCompletionTokens: max_completion_tokens, money } = work.cost;
    const cost = { requests, prompt_tokens, max_completion_tokens, money };
    if (requests > 0) await sayEnding(choice, workspace).catch(warn);
    hosted.push({ baseline: name, base_url: choice.baseUrl, rows: work.numRows, ...cost });
  }
  const isHosted = planned.lock.worker.kind === "hosted";
  if (isHosted) await sayEndings(planned, workspace);
  const bill = isHosted ? await hostedBill(planned) : undefined;
  return {
    dir: planned.dir,
    runs,
    totals: totalsOf(runs),
    detectable: detectableBefore(planned.lock),
    hints: settingHints(
      runs.flatMap(({ control, spec, estimate }) =>
        control === undefined ? settingsOf(spec, estimate.steps, planned.lock) : [],
      ),
    ),
    ...(bill && { bill }),
    ...(hosted.length > 0 && { hosted }),
  };
}
