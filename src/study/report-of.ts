/** @file What a study directory shows, as plain JSON. Reads files, changes nothing, knows no clock: the same files give the same report. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../base/attempt.ts";
import { readReceipt } from "../runs/run-dir.ts";
import { isTrainedOn } from "../specs/tasks.ts";
import type { Amount } from "../specs/types.ts";
import { versusAlone, versusUntuned } from "./comparisons.ts";
import { sourcesOf } from "./items.ts";
import { learningHints } from "./learning.ts";
import type { StudyLock } from "./lock-file.ts";
import { methodsOf } from "./methods.ts";
import { comparable } from "./offer.ts";
import { detectableAfter } from "./power.ts";
import { answersOf, effectsOf } from "./report-answers.ts";
import { aggregateOf, curvesOf, expectedMaximumOf } from "./report-curves.ts";
import {
  type MixtureDifference,
  orNull,
  type Questions,
  type ReportCell,
  type ReportData,
  type ReportRow,
  type ReportTask,
} from "./report-data.ts";
import { disagreementsOf } from "./report-items.ts";
import { ledgerOf, lossesOf, runsOf } from "./report-records.ts";
import type { StudyResults } from "./results.ts";
import { runDir } from "./scored.ts";
import type { Cell, Row, StudyTable } from "./study-table.ts";
import { takenOf } from "./take.ts";

/**
 * All that the report of a study shows.
 * @param questions  of the test items, where they are known
 */
export function reportOf(results: StudyResults, questions: Questions = new Map()): ReportData {
  const { dir, lock, table, items, read } = results;
  const remarks = new Set(results.problems);
  const runs = runsOf(dir, lock, table, remarks);
  for (const remark of remarksOf(results)) remarks.add(remark);
  const costs = runs.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  const answers = answersOf(results);
  const sum = (key: "seconds" | "tokens" | "flops") => costs.reduce((total, cost) => total + cost[key], 0);
  return {
    format: 1,
    name: table.name,
    versions: versionsOf(dir, lock),
    remarks: [...remarks],
    hints: learningHints(results),
    numRuns: table.numRuns,
    numDone: table.numDone,
    seeds: lock.study.seeds,
    models: results.models,
    tasks: tasksOf(results),
    rows: table.rows.map((row, i) => rowOf(row, i, lock, table)),
    sentence: table.sentence,
    answers,
    take: takenOf(answers, table),
    differences: versusAlone(table, items, lock).map(finite),
    effects: effectsOf(lock, table, items),
    curves: curvesOf(lock, table),
    expectedMaximum: expectedMaximumOf(lock, table, items),
    retention: versusUntuned(table, items, lock).map(finite),
    aggregate: aggregateOf(lock, table),
    losses: lossesOf(dir, runs),
    disagreements: disagreementsOf(lock, table, read, questions),
    runs,
    ledger: ledgerOf(dir, table),
    cost: {
      seconds: sum("seconds"),
      tokens: sum("tokens"),
      flops: sum("flops"),
      peakMemoryBytes: Math.max(0, ...costs.map(({ peak_memory_bytes }) => peak_memory_bytes)),
    },
    methods: methodsOf(lock, table),
  };
}

function finite<T extends { low: number; high: number; pValue: number; pAdjusted: number }>(
  one: T,
): Omit<T, "low" | "high" | "pValue" | "pAdjusted"> & Pick<MixtureDifference, "low" | "high" | "pValue" | "pAdjusted"> {
  const { low, high, pValue, pAdjusted } = one;
  return { ...one, low: orNull(low), high: orNull(high), pValue: orNull(pValue), pAdjusted: orNull(pAdjusted) };
}

function versionsOf(studyDir: string, lock: StudyLock): string[] {
  const seen = new Set([`mixtune ${lock.mixtune}`]);
  for (const { id } of lock.runs) {
    const receipt = attempt(() => readReceipt(runDir(studyDir, id)));
    for (const [name, version] of Object.entries(receipt?.versions ?? {})) seen.add(`${name} ${version}`);
  }
  return [...seen].sort();
}

function remarksOf({ dir, lock, table, items, read }: StudyResults): string[] {
  const remarks: string[] = [];
  if (table.numDone < table.numRuns)
    remarks.push(`${table.numRuns - table.numDone} of ${table.numRuns} runs are not done.`);
  const known = new Set(lock.runs.map(({ id }) => id));
  const folder = join(dir, "runs");
  const others = existsSync(folder) ? readdirSync(folder).filter((name) => !known.has(name)) : [];
  if (others.length > 0) remarks.push(`Not in this study's plan, and left out: ${others.sort().join(", ")} in runs/.`);
  const sources = table.rows.flatMap((row) => sourcesOf(row, read));
  const scorers = new Set(
    sources.flatMap(({ scores }) =>
      Object.values(scores?.tasks ?? {}).flatMap((splits) => Object.values(splits).map((one) => one.scorers ?? 0)),
    ),
  );
  if (scorers.size > 1) {
    remarks.push(
      `Scores were made by scorers of different numbers (${[...scorers].sort().join(", ")}): mixtune rescore ${lock.study.name} judges all alike.`,
    );
  }
  for (const { task, metric, odd, undefinedFor, leftOut } of items) {
    for (const row of undefinedFor) {
      remarks.push(`${task}: ${metric} is not defined for ${table.rows[row]!.name}, and it is compared with none.`);
    }
    for (const row of odd) {
      remarks.push(`${task}: ${table.rows[row]!.name} has predictions of other test items, and is compared with none.`);
    }
    if (leftOut > 0)
      remarks.push(`${task}: ${leftOut} test items have no ${task} score under some row and are compared under none.`);
  }
  return remarks;
}

function tasksOf({ lock, table, items, read }: StudyResults): ReportTask[] {
  const scores = table.rows.flatMap((row) => sourcesOf(row, read).flatMap((one) => one.scores ?? []));
  return table.tasks.map(({ name, metric }): ReportTask => {
    const most = (split: "dev" | "test") => Math.max(0, ...table.rows.map((row) => row.cells[name]![split].n));
    const own = items.filter(({ task }) => task === name);
    const { licence, source } = lock.tasks[name]!;
    const groups = (split: "dev" | "test") =>
      Math.max(0, ...scores.map(({ tasks }) => tasks[name]?.[split]?.n_groups ?? 0));
    return {
      name,
      metric,
      role: isTrainedOn(lock.study.tasks[name]) ? "target" : "evaluated only",
      n: { dev: most("dev"), test: most("test") },
      groups: { dev: groups("dev"), test: groups("test") },
      unit: metric === "answer_logprob" ? "nats a token" : "points",
      licence,
      source,
      detectable: orNull(
        Math.max(...own.map((one) => detectableAfter(one, comparable(one, table.rows, lock), lock.study.seeds.length))),
      ),
    };
  });
}

function rowOf(row: Row, index: number, lock: StudyLock, table: StudyTable): ReportRow {
  const mixture = lock.runs.find(({ id }) => id === row.runs[0])?.mixture;
  const chosenFor = Object.entries(table.chosen[row.model ?? ""] ?? {}).filter(([, chosen]) => chosen === index);
  const cells = Object.entries(row.cells).map(([task, { dev, test }]) => [
    task,
    { dev: cellOf(dev), test: cellOf(test) },
  ]);
  return {
    kind: row.kind,
    name: row.name,
    model: row.model ?? null,
    factors: Object.fromEntries(Object.entries(row.factors).map(([key, value]) => [key, String(value)])),
    ingredients: Object.fromEntries(
      Object.entries(mixture?.ingredients ?? {}).map(([name, amount]) => [name, amountText(amount)]),
    ),
    runs: row.runs,
    cells: Object.fromEntries(cells),
    chosenFor: chosenFor.map(([task]) => task),
  };
}

function amountText(amount: Amount): string {
  const said = Object.entries(amount).map(([key, value]) => `${key} ${String(value)}`);
  return said.length === 0 ? "all" : said.join(", ");
}

function cellOf({ mean, sd, values, n, low, high }: Cell): ReportCell {
  return { mean: orNull(mean), sd: orNull(sd), values, n, low: orNull(low), high: orNull(high) };
}
