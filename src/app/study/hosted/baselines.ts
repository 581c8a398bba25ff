/** @file The hosted models among a study's baselines: what is left to send for each, and their scores where that is allowed. */

import { MixtuneError } from "../../../base/errors.ts";
import type { Budget, Spending } from "../../../eval/hosted/types.ts";
import { openRunDir, writeStatus } from "../../../runs/run-dir.ts";
import type { LedgerLine } from "../../../runs/types.ts";
import { textScorings } from "../../../specs/hosted.ts";
import { appendLedger } from "../../../study/ledger.ts";
import { baselineDir, isComplete } from "../../../study/scored.ts";
import type { HostedChoice } from "../../hosted/choice.ts";
import { describeSending } from "../../hosted/describe.ts";
import { asServed, sayEnding } from "../../hosted/ending.ts";
import type { HostedWork } from "../../hosted/score-hosted.ts";
import type { Workspace } from "../../workspace.ts";
import type { PlannedStudy } from "../planned-study.ts";

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
  interrupted: string[];
  /** What each came to. */
  spent: Spending[];
}

/**
 * The hosted baselines without all their scores, each looked at when it is asked for. Nothing is sent.
 * @param budgetOf  what may be used up for a model
 */
export async function* hostedTodo(
  { lock, dir: studyDir, input, tasks, hosted }: PlannedStudy,
  workspace: Workspace,
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
    const choice = await asServed({ ...named, budget: budgetOf(named) });
    const place = { dir, numShots: 0 };
    const loaded = names.map((name) => tasks[name]!);
    yield { name: model!, id, dir, choice, work: hostedWork(choice, loaded, spec, place, workspace) };
  }
}

/** Says of each hosted baseline what would be sent, and scores those that may be. The budget is one for all of them. */
export async function scoreHostedBaselines(planned: PlannedStudy, workspace: Workspace): Promise<HostedOutcome> {
  const record = (line: Omit<LedgerLine, "time">) => appendLedger(planned.dir, workspace.clock, line);
  const outcome: HostedOutcome = { notSent: [], failed: [], interrupted: [], spent: [] };
  const { spent } = outcome;
  const left = ({ budget }: HostedChoice) => budgetLeft(budget, spent);
  for await (const { name, id, dir, choice, work } of hostedTodo(planned, workspace, left)) {
    if (workspace.signal.aborted) {
      outcome.interrupted.push(id);
      continue;
    }
    const { requests } = work.cost;
    workspace.note(`baseline ${name}:\n${describeSending(choice, work.numRows, work.cost)}`);
    if (requests > 0 && !choice.isAllowed) {
      outcome.notSent.push({ baseline: name, requests, base_url: choice.baseUrl });
      continue;
    }
    openRunDir(dir);
    record({ event: "started", run: id });
    if (work.opensTest.length > 0) record({ event: "test_opened", run: id, detail: { tasks: work.opensTest } });
    try {
      if (requests > 0) await sayEnding(choice, workspace);
      await work.score();
      writeStatus(dir, { state: "done" });
      record({ event: "finished", run: id });
    } catch (error) {
      if (workspace.signal.aborted) outcome.interrupted.push(id);
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
