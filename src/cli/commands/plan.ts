/** @file mixtune plan STUDY: every run with what it will cost; starts nothing. */

import type { Command } from "commander";
import { diskNeeded, refuseFullDisk } from "../../app/study/disk.ts";
import { hostedTodo } from "../../app/study/hosted/baselines.ts";
import { describeBill, hostedBill } from "../../app/study/hosted/bill.ts";
import { jobsOf, prepareStudy, refuseFullMemory } from "../../app/study/prepare-study.ts";
import { readStudy } from "../../app/study/read-study.ts";
import { bytes, count, duration } from "../../base/human-numbers.ts";
import { amount } from "../../eval/hosted/purse.ts";
import { aligned } from "../../report/tables.ts";
import type { Shown } from "../../specs/types.ts";
import { ASSUMED_DISCORDANCE, type Detectable, detectableBefore } from "../../study/power.ts";
import { isComplete } from "../../study/scored.ts";
import type { PlannedRun } from "../../study/types.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { assignmentsOf } from "../options/assignments.ts";
import { describeSending } from "../options/hosted.ts";
import { addStudyOptions, type StudyFlags } from "../options/study.ts";

export function addPlan(program: Command, act: Act): void {
  const command = program
    .command("plan <study> [key=value...]")
    .description("every run with examples, tokens, steps, estimated time, memory and disk; starts nothing")
    .option("--out <dir>", "where results would go (default studies/<name>)")
    .addHelpText("after", "\nExample: mixtune plan study.yaml seeds=[1,2,3]")
    .action((study: string, words: string[], { out, ...flags }: { out?: string } & StudyFlags) =>
      act(async (context) => {
        const prepared = await prepareStudy(readStudy(study, assignmentsOf(words)), out, context, flags);
        const done = new Set(jobsOf(prepared).flatMap(({ job }) => (isComplete(job) ? [job.id] : [])));
        const runs = prepared.plan.map((run) => ({
          ...run,
          done: done.has(run.id),
          unresolved: !prepared.models[run.model]!.isThere,
        }));
        const totals = totalsOf(runs);
        const hosted: HostedEntry[] = [];
        const detectable = detectableBefore(prepared.lock);
        let text = [planText(runs, totals, prepared.dir), ...detectableText(detectable)].join("\n\n");
        for await (const { name, choice, work } of hostedTodo(prepared, context)) {
          const {
            requests,
            promptTokens: prompt_tokens,
            maxCompletionTokens: max_completion_tokens,
            money,
          } = work.cost;
          const cost = { requests, prompt_tokens, max_completion_tokens, money };
          hosted.push({ baseline: name, base_url: choice.baseUrl, rows: work.numRows, ...cost });
          const what = describeSending(choice, work.numRows, work.cost);
          text += `\n\nBaseline ${name}, asked by mixtune run --allow-hosted only:\n${what}`;
        }
        const bill = prepared.lock.worker.kind === "hosted" ? await hostedBill(prepared) : undefined;
        if (bill !== undefined) {
          text += `\n\nFine-tuning by a service, for mixtune run --worker hosted --allow-hosted --yes only:\n${describeBill(prepared, bill)}`;
        }
        const machine = { dir: prepared.dir, runs, totals, detectable, ...(bill && { bill }) };
        context.result({ ...machine, ...(hosted.length > 0 && { hosted }) }, text);
        refuseFullDisk(prepared);
        if ((flags.worker ?? "local") === "local") refuseFullMemory(prepared); // others know what they compute with when they run
        return EXIT_DONE;
      }),
    );
  addStudyOptions(command);
}

function detectableText(found: readonly Detectable[]): string[] {
  if (found.length === 0) return [];
  const tasks = found.map(({ task, numItems, difference }) => {
    return `${task} ${(100 * difference).toFixed(1)} points (${count(numItems)} test examples)`;
  });
  const share = `${100 * ASSUMED_DISCORDANCE} %`;
  return [
    `Smallest difference between two mixtures that is found in four of five cases, if they answer ${share} of the examples differently and seeds add nothing: ${tasks.join(", ")}.`,
  ];
}

/** What a hosted baseline would be sent. @property money if every answer is as long as it may be; absent without prices */
interface HostedEntry {
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
type PlannedEntry = PlannedRun & { done: boolean; unresolved: boolean };

/** Of the runs that are still to do, one after the other. */
interface Totals {
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

function totalsOf(runs: readonly PlannedEntry[]): Totals {
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

function planText(runs: readonly PlannedEntry[], totals: Totals, dir: string): string {
  const isPaid = runs.some(({ estimate }) => estimate.money !== undefined);
  const priced = (cell: string) => (isPaid ? [cell] : []);
  const header = [
    ...["run", "mixture", "seed", "examples", "tokens", "steps", "time", "memory", "disk"],
    ...priced("money"),
    "state",
  ];
  const rows = runs.map((run) => [
    run.id,
    labelsOf(run, runs).join(" = "),
    `${run.seed}`,
    count(run.estimate.examples),
    count(run.estimate.tokens),
    count(run.estimate.steps),
    duration(run.estimate.seconds),
    bytes(run.estimate.memory_bytes),
    bytes(run.estimate.disk_bytes),
    ...priced(moneyCell(run.estimate.money)),
    run.done ? "done" : run.unresolved ? "unresolved" : "to do",
  ]);
  return [
    aligned([header, ...rows]),
    "",
    "What each mixture shows over a whole run (of its first seed; shares are of the mixture):",
    aligned(compositionCells(runs)),
    "",
    `${totals.runs} runs, ${totals.to_do} to do: ${count(totals.steps)} steps, ${count(totals.tokens)} tokens, about ${duration(totals.seconds)} one after the other (time and memory are rough), up to ${bytes(totals.memory_bytes)} of memory, ${bytes(totals.disk_bytes)} of disk in ${dir}.`,
  ].join("\n");
}

function moneyCell(money = Number.NaN): string {
  return Number.isNaN(money) ? "?" : amount(money);
}

/** One row per ingredient of a mixture. Seeds draw different rows, so their tokens differ a little. */
function compositionCells(runs: readonly PlannedEntry[]): string[][] {
  const labelled = runs.flatMap((run) => labelsOf(run, runs).map((label) => [label, run] as const));
  const first = new Map(labelled.reverse());
  const header = [
    "mixture",
    "ingredient",
    "examples",
    "share",
    "distinct",
    "times each",
    "tokens",
    "share",
    "supervised",
    "share",
  ];
  const rows = [...first].reverse().flatMap(([label, { estimate }]) => {
    const all = Object.entries(estimate.ingredients);
    const share = (key: keyof Shown, one: Shown) =>
      percent(one[key] / all.reduce((total, [, other]) => total + other[key], 0));
    return all.map(([name, one], i) => [
      i === 0 ? label : "",
      name,
      count(one.examples),
      share("examples", one),
      count(one.distinct_examples),
      (one.examples / one.distinct_examples).toFixed(2),
      count(one.tokens),
      share("tokens", one),
      count(one.supervised_tokens),
      share("supervised_tokens", one),
    ]);
  });
  return [header, ...rows];
}

/** A run as it was asked for, once or more: its mixture, and model and factors where these differ between runs. */
function labelsOf({ model, mixture, factors, also }: PlannedEntry, runs: readonly PlannedEntry[]): string[] {
  const isOneModel = runs.every((other) => other.model === model);
  return [{ mixture, factors }, ...also].map((one) => {
    const values = Object.entries(one.factors).map(
      ([key, value]) => ` ${key.replace(/^train\./, "")}=${String(value)}`,
    );
    return `${isOneModel ? "" : `${model} `}${one.mixture.name}${values.join("")}`;
  });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
