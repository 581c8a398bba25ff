/** @file What fine-tuning by a service comes to, shown before anything is sent or paid, and the consent to it. */

import { SpecError } from "../../../base/errors.ts";
import { count, counted } from "../../../base/human-numbers.ts";
import { CHARS_PER_TOKEN } from "../../../eval/hosted/estimate.ts";
import { amount } from "../../../eval/hosted/purse.ts";
import { readHostedJob, readReceipt } from "../../../runs/run-dir.ts";
import { hostedDeviations } from "../../../specs/hosted-train.ts";
import { isComplete } from "../../../study/scored.ts";
import { isUnderWay } from "../../../workers/hosted-job.ts";
import { keyText, limitsText } from "../../hosted/describe.ts";
import { sayEnding } from "../../hosted/ending.ts";
import type { Workspace } from "../../workspace.ts";
import { jobsOf } from "../jobs.ts";
import type { PlannedStudy } from "../planned-study.ts";
import { firstChoice, scoredTasks } from "./hosted-study.ts";

/** What is still to be sent and paid. */
export interface HostedBill {
  /** Runs without a job. */
  jobs: number;
  /** Rows in the files of those. */
  rows: number;
  /** Rows times epochs, in rough tokens. */
  trainedTokens: number;
  /** Models that lack scores, and what is asked of them, at most. */
  models: number;
  requests: number;
  promptTokens: number;
  maxCompletionTokens: number;
  /** NaN without the prices. */
  trainingMoney: number;
  scoringMoney: number;
}

/** Looks at what is there; sends nothing. */
export async function hostedBill(planned: PlannedStudy): Promise<HostedBill> {
  const { scoringCost } = await import("../../hosted/score-hosted.ts");
  const todo = jobsOf(planned).filter(({ job }) => !isComplete(job));
  const bill: HostedBill = {
    ...{ jobs: 0, rows: 0, trainedTokens: 0, models: 0, requests: 0, promptTokens: 0, maxCompletionTokens: 0 },
    ...{ trainingMoney: 0, scoringMoney: 0 },
  };
  for (const { job } of todo) {
    const choice = planned.hosted[job.model]!;
    const cost = scoringCost(choice, scoredTasks(planned, job), job.eval, job.few_shot ?? 0);
    bill.models++;
    bill.requests += cost.requests;
    bill.promptTokens += cost.promptTokens;
    bill.maxCompletionTokens += cost.maxCompletionTokens;
    bill.scoringMoney += cost.money;
    if (job.kind !== "run" || isBegun(job.dir)) continue;
    const { examples, tokens, money = Number.NaN } = planned.plan.find(({ id }) => id === job.id)!.estimate;
    bill.jobs++;
    bill.rows += examples / job.spec.train.num_train_epochs;
    bill.trainedTokens += tokens;
    bill.trainingMoney += money;
  }
  return bill;
}

/**
 * Says when the service ends models that jobs are still to be created of.
 * @throws {SpecError} one that it has ended, or does not have
 */
export async function sayEndings(planned: PlannedStudy, workspace: Workspace): Promise<void> {
  const todo = jobsOf(planned).filter(({ job }) => !isComplete(job) && !(job.kind === "run" && isBegun(job.dir)));
  for (const model of new Set(todo.map(({ job }) => job.model)))
    await sayEnding(planned.hosted[model]!, workspace, "refuse"); // the first thing to be sent is the file of rows
}

/** Its job will not be created. One that was about to be asked for may still have to be. */
function isBegun(dir: string): boolean {
  if (readReceipt(dir) !== undefined) return true;
  const record = readHostedJob(dir);
  return record?.id !== undefined && (record.status === "succeeded" || isUnderWay(record));
}

/** What would be sent where and paid for what, to be shown before anything is. */
export function describeBill(planned: Pick<PlannedStudy, "input" | "hosted">, bill: HostedBill): string {
  const { study } = planned.input;
  const { baseUrl, apiKey, prices, budget } = firstChoice(planned);
  const names = study.models.map((model) => planned.hosted[model]!.model);
  const { jobs, rows, trainedTokens, models, requests, promptTokens, maxCompletionTokens } = bill;
  const training = prices?.trainingPerMillion;
  const newJobs = [
    `rows      ${counted(jobs, "file")} with ${counted(rows, "training row")} in all: uploaded, and there until you delete them`,
    `training  ${counted(jobs, "job")}, about ${count(trainedTokens)} tokens with all epochs (${CHARS_PER_TOKEN} characters taken for a token)`,
    training === undefined
      ? "price     of training not known: give options.prices IN,OUT,TRAINED (money for a million tokens)"
      : `price     about ${amount(bill.trainingMoney)} for training, at ${training} for a million tokens`,
  ];
  const lines = [
    `host      ${baseUrl}, ${names.length === 1 ? "model" : "models"} ${names.join(", ")}, ${keyText(apiKey)}`,
    ...(jobs > 0 ? newJobs : ["training  no new job: all are there already"]),
    `scoring   ${counted(models, "model")}, asked at most ${counted(requests, "time")}: about ${count(promptTokens)} tokens in, at most ${count(maxCompletionTokens)} out`,
    prices === undefined
      ? "price     of scoring not known"
      : `price     about ${amount(bill.scoringMoney)} for scoring if every answer is as long as it may be, at ${prices.inputPerMillion} and ${prices.outputPerMillion}`,
    `limits    ${limitsText(budget)}`,
    ...hostedDeviations(study.train).map((sentence) => `differs   ${sentence}`),
  ];
  return lines.join("\n");
}

/**
 * Shows what would be sent and paid, which the command line must have allowed.
 * @throws {SpecError} it has not
 */
export async function mustBePaid(planned: PlannedStudy, workspace: Workspace): Promise<void> {
  const bill = await hostedBill(planned);
  const { jobs, rows, models, requests } = bill;
  if (models === 0) return;
  const { baseUrl, isAllowed, isPaid } = firstChoice(planned);
  const host = new URL(baseUrl).host;
  workspace.note(`Fine-tuning by a service:\n${describeBill(planned, bill)}`);
  if (!isAllowed) {
    throw new SpecError({
      place: "options.isAllowed",
      expected: `permission to upload ${counted(rows, "row")}, create ${counted(jobs, "job")} and send up to ${counted(requests, "request")} to ${host}`,
      got: "none",
      remedy:
        "Nothing was sent. Add options.isAllowed, and options.isPaid to pay, if rows, host and price above are what you want.",
    });
  }
  if (jobs === 0 || isPaid) return;
  throw new SpecError({
    place: "options.isPaid",
    expected: `consent to pay ${host} for ${counted(jobs, "job")}`,
    got: "none",
    remedy: "Nothing was sent. Add options.isPaid if the price above is what you want to pay.",
  });
}
