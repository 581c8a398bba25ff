/** @file mixtune status DIR: what of a study is done, running, failed, or to do. */

import { resolve } from "node:path";
import type { Command } from "commander";
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
    .action((dir: string) =>
      act((context) => {
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
        const count = (wanted: string) => runs.filter(({ state }) => state === wanted).length;
        const rows = runs.map(({ id, mixture, seed, state, detail }) => [id, mixture, `${seed}`, state, detail]);
        const lines = [
          aligned([["run", "mixture", "seed", "state", ""], ...rows]),
          "",
          `${count("done")} of ${runs.length} runs done${count("failed") > 0 ? `, ${count("failed")} failed` : ""}.`,
          ...failed_baselines.map(({ id, reason }) => `baseline ${id} failed: ${firstLine(reason)}`),
          openingsText(openings),
        ];
        context.result({ runs, failed_baselines, test_openings: openings }, lines.join("\n"));
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

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
