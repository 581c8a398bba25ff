/** @file mixtune plan STUDY: every run with what it will cost; starts nothing. */

import type { Command } from "commander";
import { aligned } from "../../report/tables.ts";
import { isComplete } from "../../study/scored.ts";
import type { PlannedRun } from "../../study/types.ts";
import type { Act } from "../act.ts";
import { diskNeeded, refuseFullDisk } from "../disk.ts";
import { EXIT_DONE } from "../exit.ts";
import { bytes, count, duration } from "../numbers.ts";
import { jobsOf, prepareStudy } from "../prepare-study.ts";
import { readStudy } from "../read-study.ts";
import { assignmentsOf } from "../words.ts";

export function addPlan(program: Command, act: Act): void {
  program
    .command("plan <study> [key=value...]")
    .description("every run with examples, tokens, steps, estimated time, memory and disk; starts nothing")
    .option("--out <dir>", "where results would go (default studies/<name>)")
    .addHelpText("after", "\nExample: mixtune plan study.yaml seeds=[1,2,3]")
    .action((study: string, words: string[], options: { out?: string }) =>
      act(async (context) => {
        const prepared = await prepareStudy(readStudy(study, assignmentsOf(words)), options.out, context);
        const done = new Set(jobsOf(prepared).flatMap(({ job }) => (isComplete(job) ? [job.id] : [])));
        const runs = prepared.plan.map((run) => ({ ...run, done: done.has(run.id) }));
        context.result({ dir: prepared.dir, runs }, planText(runs, prepared.dir));
        refuseFullDisk(prepared);
        return EXIT_DONE;
      }),
    );
}

function planText(runs: readonly (PlannedRun & { done: boolean })[], dir: string): string {
  const header = ["run", "mixture", "seed", "examples", "tokens", "steps", "time", "memory", "disk", "state"];
  const rows = runs.map(({ id, mixture, seed, estimate: e, done }) => [
    id,
    mixture.name,
    `${seed}`,
    count(e.examples),
    count(e.tokens),
    count(e.steps),
    duration(e.seconds),
    bytes(e.memory_bytes),
    bytes(e.disk_bytes),
    done ? "done" : "to do",
  ]);
  const todo = runs.filter(({ done }) => !done);
  const seconds = todo.reduce((sum, { estimate }) => sum + estimate.seconds, 0);
  const disk = diskNeeded(todo.map(({ estimate }) => estimate));
  const memory = Math.max(0, ...todo.map(({ estimate }) => estimate.memory_bytes));
  return [
    aligned([header, ...rows]),
    "",
    `${runs.length} runs, ${todo.length} to do: about ${duration(seconds)} one after the other (time and memory are rough), up to ${bytes(memory)} of memory, ${bytes(disk)} of disk in ${dir}.`,
  ].join("\n");
}
