/** @file The hosted worker of a study, and the cancelling of what it left at the service. */

import { setTimeout as sleep } from "node:timers/promises";
import { Purse } from "../../../eval/hosted/purse.ts";
import { openTuningEndpoint } from "../../../eval/hosted/tuning-endpoint.ts";
import type { Spending } from "../../../eval/hosted/types.ts";
import { readHostedJob } from "../../../runs/run-dir.ts";
import { hostedDeviations } from "../../../specs/hosted-train.ts";
import { runDir } from "../../../study/scored.ts";
import type { ExecuteJob } from "../../../study/types.ts";
import { createHostedWorker } from "../../../workers/hosted.ts";
import type { JobPlace, Patience } from "../../../workers/hosted-ask.ts";
import { cancelJob } from "../../../workers/hosted-job.ts";
import type { HostedChoice } from "../../hosted/choice.ts";
import { describeSpending } from "../../hosted/describe.ts";
import { MAX_RETRIES } from "../../hosted/open-hosted.ts";
import { packageVersion } from "../../package.ts";
import type { Workspace } from "../../workspace.ts";
import type { PlannedStudy } from "../planned-study.ts";
import { budgetLeft } from "./baselines.ts";
import { firstChoice, scoredTasks } from "./hosted-study.ts";
import { jobsUnderWay } from "./jobs-under-way.ts";

/** Jobs wait in the service's own queue; more of them at once would only be looked at. */
export const JOBS_AT_A_TIME = 4;
/** Uploads are long; Node ends a request after 300 s without a byte. */
const TIMEOUT_MS = 280_000;
const PATIENCE: Patience = {
  firstPollMs: 1000,
  longestPollMs: 30_000,
  settleMs: 10_000,
  readyMs: 600_000,
  maxTries: MAX_RETRIES + 4,
};

/**
 * The worker that a service is asked through.
 * @param before  what hosted baselines have used of the budget
 * @returns `close` says what was spent
 */
export function startHosted(
  planned: PlannedStudy,
  before: readonly Spending[],
  workspace: Workspace,
): { execute: ExecuteJob; close(): Promise<void> } {
  const { hosted, input, dataOf } = planned;
  const choice = firstChoice(planned);
  const { baseUrl, budget, prices } = choice;
  const purse = new Purse(budgetLeft(budget, before), prices, new URL(baseUrl).host);
  const execute = createHostedWorker({
    ...endpointOf(choice, workspace),
    patience: PATIENCE,
    purse,
    prices,
    nameAt: (model) => hosted[model]!.model,
    ingredients: (job) => dataOf(job.spec, job.caps ?? {}),
    deviations: hostedDeviations(input.study.train),
    versions: { mixtune: packageVersion(), node: process.versions.node },
    score: async (job, model, isNew, onProgress) => {
      const { hostedWork } = await import("../../hosted/score-hosted.ts");
      const place = { dir: job.dir, numShots: job.few_shot ?? 0 };
      const report = (done: number, total: number) =>
        onProgress({ id: job.id, phase: "eval", done, total, unit: "examples" });
      const part = { purse, report, ...(isNew && { newModelMs: PATIENCE.readyMs }) };
      const asked = { ...hosted[job.model]!, model };
      const work = hostedWork(asked, scoredTasks(planned, job), job.eval, place, workspace, part);
      const opens = work.opensTest.length > 0 && { opens_test: work.opensTest };
      onProgress({ id: job.id, phase: "load", done: 0, total: work.numRows, unit: "examples", ...opens });
      await work.score();
    },
  });
  return { execute, close: async () => workspace.note(describeSpending(purse.spending)) };
}

/** What reaches the service of a choice. */
function endpointOf(choice: HostedChoice, { clock, random, note }: Workspace) {
  const { baseUrl, apiKey } = choice;
  return {
    ...{ baseUrl, hasKey: apiKey !== undefined, endpoint: openTuningEndpoint({ ...choice, timeoutMs: TIMEOUT_MS }) },
    ...{ random, now: clock, note },
    sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }),
  };
}

/** What became of a job of a run. */
export interface CancelledJob {
  run: string;
  job: string;
  status: string;
}

/**
 * Cancels the jobs of a study that go on.
 * @returns what became of each
 */
export async function cancelHosted(
  dir: string,
  ids: readonly string[],
  choice: HostedChoice,
  workspace: Workspace,
): Promise<CancelledJob[]> {
  const cancelled: CancelledJob[] = [];
  for (const { run, job } of jobsUnderWay(dir, ids)) {
    const place: JobPlace = {
      ...endpointOf(choice, workspace),
      ...{ dir: runDir(dir, run), run, patience: PATIENCE, signal: workspace.signal },
    };
    const status = await cancelJob(place);
    if (status !== undefined) cancelled.push({ run, job: readHostedJob(place.dir)?.id ?? job.id ?? "", status });
  }
  return cancelled;
}
