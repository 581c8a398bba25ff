/** @file A plan as tables and sentences. */

import { describeSending } from "../../app/hosted/describe.ts";
import { describeBill } from "../../app/study/hosted/bill.ts";
import type { PlannedEntry, PlanSummary, PlanTotals } from "../../app/study/plan-summary.ts";
import type { PlannedStudy } from "../../app/study/planned-study.ts";
import { bytes, count, counted, duration } from "../../base/human-numbers.ts";
import { amount } from "../../eval/hosted/purse.ts";
import { aligned } from "../../report/tables.ts";
import type { Shown } from "../../specs/types.ts";
import { hintText } from "../../study/learning.ts";
import { ASSUMED_DISCORDANCE, type Detectable } from "../../study/power.ts";
import { tellsApart } from "../../study/words.ts";
import { withFlags } from "../options/flags.ts";

/** All that mixtune plan prints. */
export function planText(
  planned: PlannedStudy,
  { dir, runs, totals, detectable, hints, bill, hosted = [] }: PlanSummary,
): string {
  const baselines = hosted.map((entry) => {
    const { baseline, rows, requests, prompt_tokens, max_completion_tokens, money } = entry;
    const cost = { requests, promptTokens: prompt_tokens, maxCompletionTokens: max_completion_tokens, money };
    const what = describeSending(planned.hosted[baseline]!, rows, cost);
    return `Baseline ${baseline}, asked by mixtune run --allow-hosted only:\n${what}`;
  });
  const paid =
    bill &&
    `Fine-tuning by a service, for mixtune run --worker hosted --allow-hosted --yes only:\n${describeBill(planned, bill)}`;
  return withFlags(
    [
      runsText(runs, totals, dir),
      ...detectableText(detectable),
      ...hints.map(hintText),
      ...baselines,
      ...(paid ? [paid] : []),
    ].join("\n\n"),
  );
}

function detectableText(found: readonly Detectable[]): string[] {
  const of = (split: "dev" | "test") =>
    found
      .filter((one) => one.split === split && one.numItems > 0)
      .map(({ task, numItems, difference }) => `${task} ${tellsApart(numItems, difference)}`);
  if (of("test").length === 0) return [];
  return [
    `Two mixtures can be told apart (in four of five studies, if one row in ${1 / ASSUMED_DISCORDANCE} is answered right by one and wrong by the other):
  on test: ${of("test").join(", ")}
  on dev, where mixtures are chosen: ${of("dev").join(", ")}
Differences between seeds make these numbers larger.`,
  ];
}

function runsText(runs: readonly PlannedEntry[], totals: PlanTotals, dir: string): string {
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
    `${counted(totals.runs, "run")}, ${count(totals.to_do)} to do: ${counted(totals.steps, "step")}, ${counted(totals.tokens, "token")}, ${bytes(totals.disk_bytes)} of disk in ${dir}.`,
    ...(Number.isNaN(totals.seconds) || totals.to_do + totals.untuned === 0
      ? []
      : [timeText(totals), memoryText(totals)]),
  ].join("\n");
}

const PACE: Record<PlanTotals["pace"], string> = {
  arithmetic: "not measured on this machine: a factor of two is possible",
  measurement: "measured on this machine",
  runs: "from the runs that are done",
};

function timeText({ seconds, concurrency, untuned, untuned_seconds, pace }: PlanTotals): string {
  const models =
    untuned === 0 ? "" : `, ${duration(untuned_seconds)} of work on ${counted(untuned, "untuned model")} included`;
  return `All done in about ${duration(seconds)} (${counted(concurrency, "job")} at a time, scoring${models}; ${PACE[pace]}).`;
}

function memoryText({ memory_bytes, memory, concurrency, to_do }: PlanTotals): string {
  const { process, weights, optimizer, activations, logits, scoring } = memory;
  const parts = [
    `the program ${bytes(process)}`,
    `weights ${bytes(weights)}`,
    `gradients and optimizer ${bytes(optimizer)}`,
    `activations ${bytes(activations)}`,
    `logits ${bytes(logits)}`,
    `scoring ${bytes(scoring)}`,
  ];
  const together = Math.min(concurrency, to_do) > 1 ? `, ${concurrency} runs side by side` : "";
  return `Memory: about ${bytes(memory_bytes)} at the peak${together}. The largest run: ${parts.join(", ")}.`;
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
