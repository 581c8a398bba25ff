/** @file A comparison of two models as text, CSV and Markdown, and what it shows in a sentence. Pure. */

import type { LeftOut } from "../study/common-items.ts";
import type { SideComparison, TaskComparison } from "../study/compare.ts";
import type { ComparisonMethod } from "../study/pair-difference.ts";
import { amountIn, listed } from "../study/words.ts";
import { csvLines, markdownTable } from "./grid.ts";
import { aligned } from "./tables.ts";

/** Formats besides JSON, which is the comparison itself. */
export type CompareFormat = "text" | "csv" | "md";

/** Ids that are shown of items that were left out. */
const SHOWN_IDS = 5;

/** Methods in the words of the table's legend. */
const METHODS: Readonly<Record<ComparisonMethod, string>> = {
  McNemar: "McNemar: exact p of single models on independent items, t interval",
  t: "t: single models, over groups of items",
  "t over seeds":
    "t over seeds: over groups of items and over training seeds, whose spread is pooled over the study's mixtures",
};

/** @param text  makes text of data and models safe to print on one line of so many characters */
export function compareText(
  comparison: SideComparison,
  numItems: number,
  text: (value: string, length: number) => string,
): string {
  const { a, b, tasks } = comparison;
  const seeds = (side: "a" | "b") => {
    const most = Math.max(...tasks.map(({ numSeeds }) => numSeeds[side]));
    return most > 1 ? ` (${most} seeds)` : "";
  };
  const parts = [
    `A  ${a}${seeds("a")}\nB  ${b}${seeds("b")}`,
    `${aligned([HEADER, ...tasks.map(cells)])}\n\n${legend(comparison)}`,
    sentence(comparison),
    notes(comparison),
    keysText(comparison, text),
    ...(numItems > 0 ? tasks.map((task) => itemsText(task, numItems, text)) : []),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** With the sentence under it. */
export function compareMarkdown(comparison: SideComparison): string {
  const { a, b, tasks } = comparison;
  const notesText = notes(comparison);
  const head = `A: ${a}, B: ${b}\n\n${markdownTable([HEADER, ...tasks.map(cells)])}\n\n${legend(comparison)}`;
  return `${head}\n\n${sentence(comparison)}\n${notesText === "" ? "" : `\n${notesText}\n`}`;
}

/** A line a task, numbers unrounded; what does not exist is empty. */
export function compareCsv({ a, b, split, tasks, familySize }: SideComparison): string {
  const header =
    "a,b,task,split,metric,reading,n,n_groups,seeds_a,seeds_b,score_a,score_b,difference,low,high,p,p_holm,family_size,verdict,method,a_better,b_better,left_out";
  const lines = tasks.map((one) => {
    const numbers = [one.a, one.b, one.difference, one.low, one.high, one.pValue, one.pAdjusted];
    return [
      ...[a, b, one.task, split, one.metric, one.reading ?? ""],
      ...[one.n, one.groups, one.numSeeds.a, one.numSeeds.b].map(String),
      ...numbers.map((value) => (Number.isNaN(value) ? "" : String(value))),
      ...[`${familySize}`, one.verdict, one.method, `${one.aBetter}`, `${one.bBetter}`],
      `${one.leftOut.reduce((sum, { ids }) => sum + ids.length, 0)}`,
    ];
  });
  return csvLines([header.split(","), ...lines]);
}

const HEADER = [
  "task",
  "metric",
  "n",
  "groups",
  "A",
  "B",
  "A - B",
  "95 % interval",
  "p",
  "p (Holm)",
  "A better",
  "B better",
  "test",
];

function cells(one: TaskComparison): string[] {
  const amount = (value: number) => amountIn(Number.isNaN(value) ? null : value, one.metric);
  const interval = Number.isNaN(one.low) ? "-" : `${bare(amount(one.low))} to ${bare(amount(one.high))}`;
  const score = (value: number) => (Number.isNaN(value) ? "-" : value.toFixed(3));
  return [
    one.task,
    one.reading === undefined ? one.metric : `${one.metric} (${one.reading})`,
    `${one.n}`,
    `${one.groups}`,
    score(one.a),
    score(one.b),
    amount(one.difference),
    interval,
    probability(one.pValue),
    probability(one.pAdjusted),
    `${one.aBetter}`,
    `${one.bBetter}`,
    one.method,
  ];
}

/** Without the unit, which stands beside it already. */
function bare(amount: string): string {
  return amount.split(" ")[0]!;
}

function probability(p: number): string {
  return Number.isNaN(p) ? "-" : p < 0.001 ? "< 0.001" : p.toFixed(3);
}

function legend({ split, tasks, familySize }: SideComparison): string {
  const methods = [...new Set(tasks.map(({ method }) => METHODS[method]))];
  return `${split} items that both have; p corrected for ${familySize} ${familySize === 1 ? "task" : "tasks"} by Holm; better: items that score higher there. ${methods.join(". ")}.`;
}

/** What the corrected p values allow to say. */
function sentence({ a, b, tasks }: SideComparison): string {
  const named = (verdict: TaskComparison["verdict"]) => tasks.filter((one) => one.verdict === verdict);
  const shown = (one: TaskComparison) => `${one.task} (${amountIn(one.difference, one.metric)})`;
  const claims = [
    { found: named("above"), say: (names: string) => `${a} is significantly better than ${b} on ${names}` },
    { found: named("below"), say: (names: string) => `${a} is significantly worse than ${b} on ${names}` },
    { found: named("not distinguishable"), say: (names: string) => `not significantly different on ${names}` },
  ].filter(({ found }) => found.length > 0);
  const text = claims
    .map(({ found, say }, i) => {
      const isLast = i === claims.length - 1 && found[0]!.verdict === "not distinguishable";
      return say(listed(found.map(isLast ? ({ task }) => task : shown)));
    })
    .join("; ");
  return claims.length === 1 && named("not distinguishable").length > 0 ? `${a} and ${b} are ${text}.` : `${text}.`;
}

function notes({ tasks, remarks, notCompared }: SideComparison): string {
  const leftOut = tasks.flatMap((one) => one.leftOut.map((left) => `${one.task}: ${leftOutText(left)}`));
  const missing = notCompared.map(({ task, reason }) => `${task} is not compared: ${reason}`);
  return [...missing, ...leftOut, ...remarks].map((line) => `note: ${line}`).join("\n");
}

function leftOutText({ reason, ids }: LeftOut): string {
  const more = ids.length > SHOWN_IDS ? ` and ${ids.length - SHOWN_IDS} more` : "";
  return `${ids.length} ${ids.length === 1 ? "item" : "items"} ${reason} left out: ${ids.slice(0, SHOWN_IDS).join(", ")}${more}`;
}

function keysText({ differingKeys }: SideComparison, text: (value: string, length: number) => string): string {
  if (differingKeys === undefined) return "";
  const { file, keys } = differingKeys;
  if (keys.length === 0) return `Every key of ${file} is the same.`;
  const shown = (value: unknown) => (value === undefined ? "-" : text(JSON.stringify(value), 60));
  const rows = keys.map(({ key, before, after }) => [text(key, 80), shown(before), shown(after)]);
  return aligned([[`differs in ${file}`, "A", "B"], ...rows], "left");
}

function itemsText(
  { task, disagreeing }: TaskComparison,
  numItems: number,
  text: (value: string, length: number) => string,
): string {
  if (disagreeing.length === 0) return `${task}: no item on which the two differ.`;
  const shown = disagreeing.slice(0, numItems);
  const outputs = (values: readonly string[]) => values.map((value) => text(value, 200)).join(" | ");
  const lines = shown.flatMap(({ id, gold, better, a, b }) => [
    `  ${text(id, 100)}  (${better.toUpperCase()} better)`,
    `    gold  ${text(gold, 200)}`,
    `    A     ${outputs(a)}`,
    `    B     ${outputs(b)}`,
  ]);
  return [`${task}: ${shown.length} of ${disagreeing.length} items on which they differ`, ...lines].join("\n");
}
