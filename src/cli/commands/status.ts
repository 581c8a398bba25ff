/** @file mixtune status DIR: what of a study is done, running, failed, or to do. */

import { resolve } from "node:path";
import type { Command } from "commander";
import { aligned } from "../../report/tables.ts";
import { isInterrupted, isPidAlive, readStatus } from "../../runs/run-dir.ts";
import { readStudyLock } from "../../study/lock-file.ts";
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
        const planned = [...new Map(lock.runs.toReversed().map((run) => [run.id, run])).values()].reverse();
        const runs = planned.map(({ id, mixture, seed, model }) => ({
          id,
          mixture: mixture.name,
          model,
          seed,
          ...stateOf(runDir(resolve(dir), id), context),
        }));
        const numDone = runs.filter(({ state }) => state === "done").length;
        const rows = runs.map(({ id, mixture, seed, state, detail }) => [id, mixture, `${seed}`, state, detail]);
        context.result(
          { runs },
          `${aligned([["run", "mixture", "seed", "state", ""], ...rows])}\n\n${numDone} of ${runs.length} runs done.`,
        );
        return EXIT_DONE;
      }),
    );
}

function stateOf(dir: string, { clock, self }: Context): { state: string; detail: string } {
  const status = readStatus(dir);
  if (isInterrupted(status, { pidAlive: isPidAlive, now: clock(), host: self.host }))
    return { state: "interrupted", detail: steps(status) };
  return {
    state: status.state,
    detail: status.reason?.split("\n")[0] ?? (status.state === "running" ? steps(status) : ""),
  };
}

function steps({ step, num_steps }: { step?: number | undefined; num_steps?: number | undefined }): string {
  return step === undefined || num_steps === undefined ? "" : `step ${step} of ${num_steps}`;
}
