/**
 * @file How fast a large study's report is made: 220 recorded runs (55 mixtures, two models, two seeds) on 20 tasks of 500 test items, 1,000 steps
 * each. First the per-item score indexes are made from predictions, then the report from them, each in a process of its own. Wants npm run
 * build, which makes the report's page. Prints one JSON line.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reportHtml } from "../src/report/html.ts";
import { listPredictions, readItemScores, runPaths } from "../src/runs/run-dir.ts";
import type { MixtureSpec } from "../src/specs/types.ts";
import { reportOf } from "../src/study/report-of.ts";
import { studyResults } from "../src/study/results.ts";
import { recordStudy } from "../test/support/recorded-study.ts";

const [part, folder] = process.argv.slice(2);
if (part === "index") indexAll(folder!);
else if (part === "report") report(folder!);
else bench();

function bench(): void {
  const dir = mkdtempSync(join(tmpdir(), "mixtune-bench-"));
  try {
    record(dir);
    for (const run of runsOf(dir))
      for (const { task, split } of listPredictions(run)) rmSync(runPaths.indexOf(run, task, split));
    const measured = (what: string) => {
      const program = [fileURLToPath(import.meta.url), what, dir];
      return JSON.parse(execFileSync(process.execPath, program, { encoding: "utf8" }));
    };
    const [rebuilt, made] = [measured("index"), measured("report")];
    process.stdout.write(`${JSON.stringify({ runs: 220, tasks: 20, items: 500, ...rebuilt, ...made })}\n`);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Nine targets that their own data help, and eleven tasks that are only scored. */
function record(dir: string): void {
  const names = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}-${i + 1}`);
  const chance = (task: string, mixture: MixtureSpec | undefined) => {
    const held = Object.keys(mixture?.ingredients ?? {});
    return 0.5 + (held.includes(task) ? 0.2 : 0) + 0.005 * held.length;
  };
  const sizes = { numItems: 500, numDevItems: 50, numSteps: 1000 };
  const tasks = { tasks: names("target", 9), evaluatedOnly: names("general", 11) };
  recordStudy(dir, {
    ...tasks,
    ...sizes,
    models: ["a/one", "b/two"],
    design: "[paper-55]",
    seeds: [1, 2],
    spread: 0.01,
    chance,
  });
}

function indexAll(dir: string): void {
  const known = new Map();
  const start = performance.now();
  for (const run of runsOf(dir))
    for (const { task, split } of listPredictions(run)) readItemScores(run, task, split, known);
  print({ indexSeconds: secondsSince(start) });
}

function report(dir: string): void {
  const start = performance.now();
  const results = studyResults(dir);
  const readSeconds = secondsSince(start);
  const data = reportOf(results);
  const page = (name: string) => readFileSync(join(process.cwd(), "dist", "page", name), "utf8").trim();
  writeFileSync(join(dir, "report.json"), `${JSON.stringify(data, null, 1)}\n`);
  writeFileSync(join(dir, "report.html"), reportHtml(data, { script: page("report.js"), style: page("report.css") }));
  const megabytes = (name: string) => Math.round(statSync(join(dir, name)).size / 1e4) / 100;
  print({
    reportSeconds: secondsSince(start),
    ofThatReading: readSeconds,
    htmlMegabytes: megabytes("report.html"),
    jsonMegabytes: megabytes("report.json"),
    peakMemoryGb: Math.round(process.resourceUsage().maxRSS / 1e4) / 100,
  });
}

function runsOf(dir: string): string[] {
  return readdirSync(join(dir, "runs")).map((id) => join(dir, "runs", id));
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 10) / 100;
}

function print(result: Record<string, number>): void {
  process.stdout.write(JSON.stringify(result));
}
