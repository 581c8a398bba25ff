/**
 * @file How fast a large study is planned and reported. Plan: the 55 mixtures of nine ingredients under four models, made up, with as many examples as
 * the paper's caps come to: 40,000 of seven tasks, and mixers as large as that and half as large. Report: 220 recorded runs (two models, two seeds) on
 * 20 tasks of 500 test items, 1,000 steps each; first the per-item score indexes are made from predictions, then the report from them, each in a
 * process of its own. Wants npm run build, which makes the report's page. Prints one JSON line.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sizeOf } from "../src/app/models/base-model.ts";
import { estimateRun } from "../src/app/study/estimate.ts";
import { Rng } from "../src/base/rng.ts";
import { keptOrders } from "../src/data/batches/mixture.ts";
import { lengthOf } from "../src/data/tokens/fit.ts";
import type { PreparedTask } from "../src/data/tokens/prepare.ts";
import { reportHtml } from "../src/report/html.ts";
import { listPredictions, readItemScores, runPaths } from "../src/runs/run-dir.ts";
import { parseStudy } from "../src/specs/study-file.ts";
import type { MixtureSpec } from "../src/specs/types.ts";
import { planRuns } from "../src/study/plan.ts";
import { reportOf } from "../src/study/report-of.ts";
import { studyResults } from "../src/study/results.ts";
import { recordStudy } from "../test/support/recorded-study.ts";
import { SHAPES } from "./workloads.ts";

const [part, folder] = process.argv.slice(2);
if (part === "plan") plan();
else if (part === "index") indexAll(folder!);
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
    const [planned, indexed, reported] = [measured("plan"), measured("index"), measured("report")];
    process.stdout.write(`${JSON.stringify({ ...planned, ...indexed, ...reported })}\n`);
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

/** As mixtune plan, once data is loaded and tokenised. */
function plan(): void {
  const targets = Array.from({ length: 7 }, (_, i) => `target-${i + 1}`);
  const models = ["a", "b", "c", "d"].map((name) => `${name}/${name}`);
  const mixers =
    "general: {task: general, role: ingredient, share_of_caps: 1}, math: {task: math, role: ingredient, share_of_caps: 0.5}";
  const text = `name: bench\nmodels: [${models}]\ntasks: {${targets.map((name) => `${name}: {data: {train: x}, answer: {kind: text, field: a}, prompt: "{t}"}`)}}\nmixers: {${mixers}}\ndesign: [paper-55]\n`;
  const study = parseStudy(text, "/study.yaml", { assignments: [], cwd: "/" });
  const sizes = [
    ...targets.map((name) => [name, 5_700] as const),
    ["general", 40_000] as const,
    ["math", 20_000] as const,
  ];
  const prepared = Object.fromEntries(sizes.map(([name, num]) => [name, madeUp(name, num)]));
  const facts = sizes.map(([name, num_train]) => {
    return [name, { rows_digest: name, num_train, dev_digest: name, has_labels: true }] as const;
  });
  const identity = (name: string) => ({ name, weights_digest: name, tokenizer_digest: "t", template_digest: "t" });
  const evaluated = { examples: 10_000, seconds: 1000, devSeconds: 10 };
  const size = sizeOf(SHAPES.m135);
  const [start, used] = [performance.now(), process.cpuUsage()];
  const makeOrder = keptOrders();
  const runs = planRuns(study, {
    ingredients: () => Object.fromEntries(facts),
    models: Object.fromEntries(models.map((name) => [name, identity(name)])),
    worker: { kind: "local", threads: 1 },
    estimate: (spec) => estimateRun(spec, prepared, size, evaluated, makeOrder),
    stepsToShow: () => Number.NaN,
  });
  const { user } = process.cpuUsage(used);
  print({ planSeconds: secondsSince(start), planCpuSeconds: Math.round(user / 1e4) / 100, plannedRuns: runs.length });
}

/** Prompts of one instruction, with what planning looks at. */
function madeUp(name: string, num: number): PreparedTask {
  const rng = new Rng(name);
  const ids = (length: number) => Array.from({ length }, () => rng.int(4096));
  const instruction = ids(60);
  const tokenized = Array.from({ length: num }, (_, i) => ({
    id: `${i}`,
    prompt: Int32Array.from([...instruction, ...ids(15 + rng.int(200))]),
    answer: Int32Array.of(1, 0),
  }));
  const tokens = Int32Array.from(tokenized, lengthOf);
  const numTokens = tokens.reduce((sum, length) => sum + length, 0);
  const split = { tokenized, lengths: { tokens, supervised: tokens.map(() => 2) }, numTokens };
  return { split: () => split } as unknown as PreparedTask;
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
