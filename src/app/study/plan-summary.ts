/** @file A plan as a record: its runs with estimates, their totals, what it could detect, and what would be sent and paid. */

import { MixtuneError } from "../../base/errors.ts";
import { settingHints, settingsOf } from "../../study/learning.ts";
import { type Detectable, detectableBefore } from "../../study/power.ts";
import type { LearningHint } from "../../study/report-data.ts";
import { inOrder, wallSeconds } from "../../study/schedule.ts";
import { isComplete } from "../../study/scored.ts";
import type { MemoryParts, PlannedRun } from "../../study/types.ts";
import { sayEnding } from "../hosted/ending.ts";
import type { Workspace } from "../workspace.ts";
import { diskNeeded } from "./disk.ts";
import { hostedTodo } from "./hosted/baselines.ts";
import { type HostedBill, hostedBill, sayEndings } from "./hosted/bill.ts";
import { jobsOf } from "./jobs.ts";
import { atPace, knownPace, type Pace, queueAt } from "./pace.ts";
import { memoryTogether, placesOf } from "./places.ts";
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

/** Of what is still to do; the numbers of examples, tokens and steps are of runs. */
export interface PlanTotals {
  runs: number;
  to_do: number;
  examples: number;
  tokens: number;
  steps: number;
  /** Until all is done, untuned models and all scoring included, so many jobs at a time. */
  seconds: number;
  concurrency: number;
  /** Untuned models that are still to be scored, and the seconds of these. */
  untuned: number;
  untuned_seconds: number;
  /** Where the seconds are from: arithmetic alone, a measurement on this machine, or runs of this study. */
  pace: Pace["from"];
  /** Of the process, with the largest runs side by side. */
  memory_bytes: number;
  /** Of the largest run, by part. */
  memory: MemoryParts;
  disk_bytes: number;
}

function totalsOf(planned: PlannedStudy, runs: readonly PlannedEntry[], pace: Pace): PlanTotals {
  const places = placesOf(planned);
  const jobs = queueAt(
    jobsOf(planned).filter(({ job }) => !isComplete(job)),
    pace,
  );
  const untuned = jobs.filter(({ job }) => job.kind === "base");
  const todo = runs.filter(({ done }) => !done).map(({ estimate }) => estimate);
  const sum = (key: "examples" | "tokens" | "steps") => todo.reduce((total, one) => total + one[key], 0);
  return {
    runs: runs.length,
    to_do: todo.length,
    examples: sum("examples"),
    tokens: sum("tokens"),
    steps: sum("steps"),
    seconds: wallSeconds(
      inOrder(jobs, places).map(({ seconds }) => seconds),
      places,
    ),
    concurrency: places,
    untuned: untuned.length,
    untuned_seconds: untuned.reduce((total, { seconds }) => total + seconds, 0),
    pace: pace.from,
    ...memoryTogether(todo, places),
    disk_bytes: diskNeeded(todo),
  };
}

/**
 * Looks at what is done and what is left. Of models that a service would be asked it reads what the service says of them; it sends no rows.
 * @throws {SpecError} a model to be fine-tuned that its service has closed
 * @param pace  of this machine, as {@link measurePace} measures it. Default: what is known without measuring
 */
export async function planSummary(
  planned: PlannedStudy,
  workspace: Workspace,
  pace: Pace = knownPace(planned, workspace),
): Promise<PlanSummary> {
  const done = new Set(jobsOf(planned).flatMap(({ job }) => (isComplete(job) ? [job.id] : [])));
  const runs = planned.plan.map((run) => ({
    ...run,
    estimate: { ...run.estimate, seconds: atPace(run.estimate.time, pace) },
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
    totals: totalsOf(planned, runs, pace),
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
