/** @file The check of tasks' data as a person reads it. */

import type { CheckedTask, CheckReport, Finding, Overlap, SplitFacts, TokenFacts } from "../../app/tasks/check-data.ts";
import { count } from "../../base/human-numbers.ts";
import { shortList } from "../../base/short-list.ts";
import { visible, visibleLine } from "../../base/visible.ts";
import { aligned } from "../../report/tables.ts";

/** Labels shown before the rest are only counted. */
const MAX_LABELS = 8;

/** The whole report as text; what is in it of the data cannot command the terminal. */
export function formatCheck({ tasks, overlaps, findings }: CheckReport): string {
  const blocks = tasks.map(taskBlock);
  const shared = overlaps.length === 0 ? "No text stands in two splits." : overlapBlock(overlaps);
  return visible([...blocks, shared, ...findings.map(findingLine)].join("\n\n"));
}

function taskBlock({ name, answer, metric, licence, source, splits, tokens, findings, left_out }: CheckedTask): string {
  const head =
    answer === undefined ? name : `${name}: ${answer}, ranked by ${metric}; licence: ${licence}\n  ${source}`;
  const tables = Object.entries(tokens).map(([model, facts]) => indented(tokenTable(model, facts)));
  return [
    head,
    ...(splits.length === 0 ? [] : [indented(splitTable(splits)), ...splits.flatMap(labelLine)]),
    ...tables,
    ...leftOutLine(left_out),
    ...findings.map(findingLine),
  ].join("\n");
}

/** Rows left out that are named; --json has all. */
const MAX_LEFT_OUT = 4;

function leftOutLine(rows: CheckedTask["left_out"]): string[] {
  if (rows.length === 0) return [];
  const all = rows.map(({ row, held_out }) => `${row} = ${held_out}`);
  return [`  left out by on_overlap: drop: ${shortList(all, MAX_LEFT_OUT)}`];
}

function splitTable(splits: readonly SplitFacts[]): string {
  const rows = splits.map(({ split, rows, groups, repeated, contradicting, constant }) => [
    split,
    count(rows),
    count(groups),
    count(repeated),
    count(contradicting),
    constant === undefined
      ? "-"
      : `${visibleLine(constant.answer, 24)}: accuracy ${constant.accuracy.toFixed(3)}${constant.metric === "accuracy" ? "" : `, ${constant.metric} ${Number.isNaN(constant.value) ? "-" : constant.value.toFixed(3)}`}`,
  ]);
  return aligned([["split", "rows", "groups", "repeated", "contradicting", "best constant answer"], ...rows], "left");
}

function labelLine({ split, rows, labels }: SplitFacts): string[] {
  if (labels === undefined) return [];
  const entries = Object.entries(labels);
  const shown = entries
    .slice(0, MAX_LABELS)
    .map(([label, n]) => `${label} ${count(n)} (${((100 * n) / rows).toFixed(1)} %)`);
  const rest = entries.slice(MAX_LABELS).reduce((sum, [, n]) => sum + n, 0);
  return [
    `  ${split}: ${shown.join(", ")}${entries.length > MAX_LABELS ? `, ${entries.length - MAX_LABELS} more labels ${count(rest)}` : ""}`,
  ];
}

function tokenTable(model: string, facts: readonly TokenFacts[]): string {
  const cutoff = count(facts[0]?.cutoff_len ?? 0);
  const rows = facts.map(({ split, tokens, prompt, example, over, too_long, fitted, windows, prefix }) => [
    split,
    count(tokens),
    prompt === undefined ? "-" : quantiles(prompt),
    quantiles(example),
    count(over),
    windows === undefined ? `${count(fitted.rows)} (${count(fitted.tokens)} tokens)` : `${count(windows)} windows`,
    count(too_long.length),
    prefix === undefined ? "-" : `${(100 * prefix.share).toFixed(1)} % (${count(prefix.common)} in all)`,
  ]);
  const header = [
    model,
    "tokens",
    "prompt min/median/p95/max",
    "example",
    `over ${cutoff}`,
    "fitted",
    "too long",
    "shared prefix",
  ];
  const terms = [
    ...(facts.some(({ over }) => over > 0)
      ? [
          `over ${cutoff}: rows longer than train.cutoff_len; fitted: of these, rows that the task's fit shortened; too long: rows that stay too long`,
        ]
      : []),
    ...(facts.some(({ prefix }) => prefix !== undefined)
      ? [
          "shared prefix: of all prompt tokens those that repeat how another prompt begins, which are computed once; in all: tokens that every prompt begins with",
        ]
      : []),
  ];
  return [aligned([header, ...rows], "left"), ...terms].join("\n");
}

function quantiles({ min, median, p95, max }: TokenFacts["example"]): string {
  return [min, median, p95, max].map(count).join("/");
}

function overlapBlock(overlaps: readonly Overlap[]): string {
  const rows = overlaps.map(({ sets: [a, b], equal, near, examples }) => {
    const [first] = examples;
    return [
      a,
      b,
      pair(equal),
      pair(near),
      first === undefined
        ? ""
        : `${first.ids[0]} ~ ${first.ids[1]} (${first.jaccard.toFixed(2)}): ${visibleLine(first.texts[0], 60)}`,
    ];
  });
  const header = ["texts in two places", "", "equal rows", "near-copies", "for example"];
  return `${aligned([header, ...rows], "left")}\nequal rows, near-copies: how many rows of the first place have such a text in the second / how many of the second in the first`;
}

function pair([a, b]: readonly [number, number]): string {
  return a === b ? count(a) : `${count(a)} / ${count(b)}`;
}

export function findingLine({ severity, place, expected, got, remedy }: Finding): string {
  return `  ${severity === "broken" ? "BROKEN" : "warning"}: ${place}: expected ${expected}, got ${got}.\n    ${remedy}`;
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
