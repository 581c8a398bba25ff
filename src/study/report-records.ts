/** @file A report's records: runs with their settings, costs and losses, and the ledger. */

import { existsSync } from "node:fs";
import { attempt } from "../base/attempt.ts";
import { dotted } from "../base/dotted.ts";
import { readMetrics, readReceipt, readSpec, readStatus, runPaths } from "../runs/run-dir.ts";
import type { MetricsLine } from "../runs/types.ts";
import { mean } from "../stats/moments.ts";
import { readLedger, testOpenings } from "./ledger.ts";
import type { StudyLock } from "./lock-file.ts";
import { orNull, type ReportData, type ReportRun, type RunLosses } from "./report-data.ts";
import { runDir } from "./scored.ts";
import type { StudyTable } from "./study-table.ts";

/** Events of the ledger that are shown: the last. */
const MAX_EVENTS = 500;

/** Each run once, in the order of the plan. */
export function runsOf(studyDir: string, lock: StudyLock, table: StudyTable, remarks: Set<string>): ReportRun[] {
  const ids = [...new Set(lock.runs.map(({ id }) => id))];
  const flat = new Map(
    ids.map((id) => {
      const dir = runDir(studyDir, id);
      const spec = existsSync(runPaths.spec(dir))
        ? attempt(
            () => readSpec(dir),
            (message) => remarks.add(message),
          )
        : undefined;
      const values = Object.entries(dotted(spec ?? {})).map(([key, value]) => [key, JSON.stringify(value)]);
      return [id, Object.fromEntries(values) as Record<string, string>] as const;
    }),
  );
  const written = [...flat.values()].filter((one) => Object.keys(one).length > 0);
  const keys = [...new Set(written.flatMap(Object.keys))].filter(
    (key) => new Set(written.map((one) => one[key] ?? "")).size > 1,
  );
  return ids.map((id): ReportRun => {
    const dir = runDir(studyDir, id);
    const status = attempt(
      () => readStatus(dir),
      (message) => remarks.add(message),
    );
    const own = flat.get(id)!;
    return {
      id,
      row: table.rows.findIndex(({ runs }) => runs.includes(id)),
      seed: lock.runs.find((run) => run.id === id)!.seed,
      state: status?.state ?? "planned",
      reason: status?.reason ?? null,
      cost:
        attempt(
          () => readReceipt(dir)?.cost,
          (message) => remarks.add(message),
        ) ?? null,
      differs: Object.fromEntries(keys.sort().flatMap((key) => (own[key] === undefined ? [] : [[key, own[key]]]))),
    };
  });
}

function detailText(detail: Record<string, unknown>): string {
  const said = (value: unknown) => (Array.isArray(value) ? value.join(", ") : String(value));
  return Object.entries(detail)
    .map(([key, value]) => `${key}: ${said(value)}`)
    .join(" · ");
}

/** The last events, and how often test was opened. */
export function ledgerOf(studyDir: string, table: StudyTable): ReportData["ledger"] {
  const lines = attempt(() => readLedger(studyDir)) ?? [];
  const events = lines.map(({ time, event, run, detail }) => {
    return { time, event, run, detail: detailText(detail ?? {}) };
  });
  return {
    testOpened: testOpenings(lines).times,
    candidates: table.rows.filter(({ kind }) => kind === "mixture").length,
    events: events.slice(-MAX_EVENTS),
    leftOut: Math.max(0, events.length - MAX_EVENTS),
  };
}

/** How many points a loss curve may have: 200, and of many runs fewer, so that there are no more than 20,000 in a report of up to 1,000 runs. */
export function lossPoints(numRuns: number): number {
  return Math.max(20, Math.min(200, Math.floor(20_000 / numRuns)));
}

/** Of runs that have trained. */
export function lossesOf(studyDir: string, runs: readonly ReportRun[]): RunLosses[] {
  const maxPoints = lossPoints(runs.length);
  return runs.flatMap(({ id }) => {
    const dir = runDir(studyDir, id);
    const lines = existsSync(runPaths.metrics(dir)) ? (attempt(() => readMetrics(dir)) ?? []) : [];
    return lines.length === 0 ? [] : [thinned(id, lines, maxPoints)];
  });
}

/** Means of equal stretches of steps; of evaluations on dev the last of each. */
function thinned(run: string, lines: readonly MetricsLine[], maxPoints: number): RunLosses {
  const parts = stretches(lines, maxPoints);
  const names = [...new Set(lines.flatMap(({ loss_per_task }) => Object.keys(loss_per_task)))].sort();
  const meanOf = (part: readonly MetricsLine[], value: (line: MetricsLine) => number | undefined) => {
    const values = part.flatMap((line) => value(line) ?? []).filter(Number.isFinite);
    return orNull(rounded(mean(values)));
  };
  const evaluated = lines.flatMap(({ step, dev_loss }) => (dev_loss === undefined ? [] : [{ step, dev_loss }]));
  return {
    run,
    steps: parts.map((part) => part.at(-1)!.step),
    loss: parts.map((part) => meanOf(part, ({ loss }) => loss)),
    perTask: Object.fromEntries(
      names.map((name) => [name, parts.map((part) => meanOf(part, ({ loss_per_task }) => loss_per_task[name]))]),
    ),
    dev: stretches(evaluated, maxPoints).map((part) => {
      const { step, dev_loss } = part.at(-1)!;
      return {
        step,
        losses: Object.fromEntries(Object.entries(dev_loss).map(([name, loss]) => [name, rounded(loss)])),
      };
    }),
  };
}

/** A list in equal parts, in order, at most so many; the last may be shorter. */
function stretches<T>(list: readonly T[], maxParts: number): T[][] {
  const length = Math.max(1, Math.ceil(list.length / maxParts));
  return Array.from({ length: Math.ceil(list.length / length) }, (_, i) => list.slice(i * length, (i + 1) * length));
}

/** Losses are drawn, not read: four digits. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
