/** @file mixtune status DIR: what of a study is done, running, failed, or to do. */

import { resolve } from "node:path";
import type { Command } from "commander";
import { hostedChoice } from "../../app/hosted/choice.ts";
import { describeUnderWay, jobNames, jobsUnderWay } from "../../app/study/hosted/jobs-under-way.ts";
import { SpecError } from "../../base/errors.ts";
import { aligned } from "../../report/tables.ts";
import { failures, readLedger, type TestOpenings, testOpenings } from "../../study/ledger.ts";
import { readStudyLock } from "../../study/lock-file.ts";
import { jobProgress } from "../../study/progress.ts";
import { runDir } from "../../study/scored.ts";
import type { Act } from "../act.ts";
import type { Context } from "../context.ts";
import { EXIT_DONE } from "../exit.ts";

export function addStatus(program: Command, act: Act): void {
  program
    .command("status <dir>")
    .description("what of a study is done")
    .addHelpText("after", "\nExample: mixtune status studies/demo")
    .option("--cancel-hosted", "cancel the jobs that a fine-tuning service still works on for this study")
    .option("--base-url <url>", "of --cancel-hosted: the service (default: OPENAI_BASE_URL, else OpenAI's)")
    .action((dir: string, { cancelHosted: isCancelled, ...flags }: StatusOptions) =>
      act(async (context) => {
        if (isCancelled) return cancelJobs(resolve(dir), flags, context);
        if (flags.baseUrl !== undefined) throw baseUrlAlone();
        const lock = readStudyLock(resolve(dir));
        const ledger = readLedger(resolve(dir));
        const reasons = failures(ledger);
        const planned = [...new Map(lock.runs.toReversed().map((run) => [run.id, run])).values()].reverse();
        const runs = planned.map(({ id, mixture, seed, model }) => ({
          id,
          mixture: mixture.name,
          model,
          seed,
          ...stateOf(runDir(resolve(dir), id), reasons.get(id), context),
        }));
        const failed_baselines = lock.baselines.flatMap(({ id }) =>
          reasons.has(id) ? [{ id, reason: reasons.get(id)! }] : [],
        );
        const openings = testOpenings(ledger);
        const goingOn = jobsUnderWay(
          resolve(dir),
          planned.map(({ id }) => id),
        );
        const count = (wanted: string) => runs.filter(({ state }) => state === wanted).length;
        const rows = runs.map(({ id, mixture, seed, state, detail }) => [id, mixture, `${seed}`, state, detail]);
        const lines = [
          aligned([["run", "mixture", "seed", "state", ""], ...rows]),
          "",
          `${count("done")} of ${runs.length} runs done${count("failed") > 0 ? `, ${count("failed")} failed` : ""}.`,
          ...failed_baselines.map(({ id, reason }) => `baseline ${id} failed: ${firstLine(reason)}`),
          openingsText(openings),
          ...describeUnderWay(dir, goingOn),
        ];
        const more = goingOn.length > 0 && { going_on: jobNames(goingOn) };
        context.result({ runs, failed_baselines, test_openings: openings, ...more }, lines.join("\n"));
        return EXIT_DONE;
      }),
    );
}

/** How often test was looked at, in a sentence. */
function openingsText({ times, runs, tasks }: TestOpenings): string {
  if (times === 0) return "No test split was opened yet.";
  return `Test splits of ${tasks} tasks were opened ${times} times, by ${runs} runs and baselines.`;
}

function stateOf(dir: string, reason: string | undefined, { clock, self }: Context): { state: string; detail: string } {
  const { state, reason: why, step, numSteps } = jobProgress(dir, reason, { now: clock(), host: self.host });
  return { state, detail: why ?? (step === undefined ? "" : `step ${step} of ${numSteps}`) };
}

interface StatusOptions {
  cancelHosted?: boolean;
  baseUrl?: string;
}

/** Cancels what a service still works on; what it has billed for that it keeps. */
async function cancelJobs(dir: string, flags: { baseUrl?: string }, context: Context): Promise<number> {
  const { cancelHosted } = await import("../../app/study/hosted/start.ts");
  const ids = [...new Set(readStudyLock(dir).runs.map(({ id }) => id))];
  const [first] = jobsUnderWay(dir, ids);
  if (first === undefined) {
    context.result({ cancelled: [] }, "No service works on a job of this study.");
    return EXIT_DONE;
  }
  const choice = hostedChoice(`openai:${first.job.model}`, { ...flags, isAllowed: true }, context.settings.openai)!;
  const cancelled = await cancelHosted(dir, ids, choice, context);
  const lines = cancelled.map(({ run, job, status }) => `run ${run}: job ${job} ${status}`);
  const end = "What was trained until then may be billed. mixtune run begins anew.";
  context.result({ cancelled }, [...lines, end].join("\n"));
  return EXIT_DONE;
}

function baseUrlAlone(): SpecError {
  return new SpecError({
    place: "--base-url",
    expected: "--cancel-hosted beside it",
    got: "none",
    remedy: "Leave it out: status asks no service.",
  });
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
