/** @file The hosted models among a study's baselines: what is left to send for each, and their scores where that is allowed. */

import { MixtuneError } from "../../../base/errors.ts";
import type { Context } from "../../../cli/context.ts";
import { describeSending, type HostedChoice } from "../../../cli/options/hosted.ts";
import type { Budget, Spending } from "../../../eval/hosted/types.ts";
import { openRunDir, writeStatus } from "../../../runs/run-dir.ts";
import type { LedgerLine } from "../../../runs/types.ts";
import { textScorings } from "../../../specs/hosted.ts";
import { appendLedger } from "../../../study/ledger.ts";
import { baselineDir, isComplete } from "../../../study/scored.ts";
import type { HostedWork } from "../../hosted/score-hosted.ts";
import type { PreparedStudy } from "../prepare-study.ts";

/** A hosted baseline that lacks scores. */
export interface HostedTodo {
  /** As the study names it. */
  name: string;
  id: string;
  dir: string;
  choice: HostedChoice;
  work: HostedWork;
}

/** How a study's hosted baselines ended. */
export interface HostedOutcome {
  /** Those that nobody allowed to be sent. */
  notSent: { baseline: string; requests: number; base_url: string }[];
  failed: { id: string; reason: string; stack: string }[];
  interrupted: number;
  /** What each came to. */
  spent: Spending[];
}

/**
 * The hosted baselines without all their scores, each looked at when it is asked for. Nothing is sent.
 * @param budgetOf  what may be used up for a model
 */
export async function* hostedTodo(
  { lock, dir: studyDir, input, tasks, hosted }: PreparedStudy,
  context: Context,
  budgetOf = ({ budget }: HostedChoice): Budget => budget,
): AsyncGenerator<HostedTodo> {
  if (Object.keys(hosted).length === 0) return;
  const { hostedWork } = await import("../../hosted/score-hosted.ts");
  const { eval: spec } = input.study;
  const names = Object.keys(input.study.tasks);
  for (const { id, kind, model } of lock.baselines) {
    if (kind !== "hosted") continue;
    const dir = baselineDir(studyDir, id);
    if (isComplete({ dir, eval_tasks: names, eval: { ...spec, scoring: textScorings(spec) } })) continue;
    const named = hosted[model!]!;
    const choice = { ...named, budget: budgetOf(named) };
    const place = { dir, numShots: 0 };
    const loaded = names.map((name) => tasks[name]!);
    yield { name: model!, id, dir, choice, work: hostedWork(choice, loaded, spec, place, context) };
  }
}

/** Says of each hosted baseline what would be sent, and scores those that may be. The budget is one for all of them. */
export async function scoreHostedBaselines(prepared: PreparedStudy, context: Context): Promise<HostedOutcome> {
  const record = (line: Omit<LedgerLine, "time">) => appendLedger(prepared.dir, context.clock, line);
  const outcome: HostedOutcome = { notSent: [], failed: [], interrupted: 0, spent: [] };
  const { spent } = outcome;
  const left = ({ budget }: HostedChoice) => budgetLeft(budget, spent);
  for await (const { name, id, dir, choice, work } of hostedTodo(prepared, context, left)) {
    if (context.signal.aborted) {
      outcome.interrupted++;
      continue;
    }
    const { requests } = work.cost;
    context.note(`baseline ${name}:\n${describeSending(choice, work.numRows, work.cost)}`);
    if (requests > 0 && !choice.isAllowed) {
      outcome.notSent.push({ baseline: name, requests, base_url: choice.baseUrl });
      continue;
    }
    openRunDir(dir);
    record({ event: "started", run: id });
    if (work.opensTest.length > 0) record({ event: "test_opened", run: id, detail: { tasks: work.opensTest } });
    try {
      await work.score();
      writeStatus(dir, { state: "done" });
      record({ event: "finished", run: id });
    } catch (error) {
      if (context.signal.aborted) outcome.interrupted++;
      else if (!(error instanceof MixtuneError)) throw error;
      else {
        const { message: reason, stack = "" } = error;
        writeStatus(dir, { state: "failed", reason });
        record({ event: "failed", run: id, detail: { reason } });
        outcome.failed.push({ id, reason, stack });
      }
    }
    spent.push(work.spent());
  }
  return outcome;
}

/** A budget less what was used of it. */
export function budgetLeft({ requests, money }: Budget, spent: readonly Spending[]): Budget {
  const used = (key: "requests" | "money") => spent.reduce((sum, one) => sum + one[key], 0);
  return {
    ...(requests === undefined ? {} : { requests: requests - used("requests") }),
    ...(money === undefined ? {} : { money: money - used("money") }),
  };
}
