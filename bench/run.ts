/**
 * @file npm run bench: every workload in a process of its own, one table, compared with bench/baseline.json.
 *
 *     npm run bench [-- NAME…] [-- --save]    --save: writes the baseline of this machine
 *
 * By name only: `labels`, about 1,200 labels of one task (labels.ts), `loading`, about data (loading.ts), which wants MIXTUNE_DATA, `serve`, about
 * the server under load (serve.ts), and `study`, about the plan and the report of 220 runs (study.ts).
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Workload } from "./measure.ts";

const WORKLOADS: Record<string, Workload> = {
  "m135-lora": { shape: "m135", method: "lora", sharePrefix: false, batch: 16, steps: 7, scored: 0 },
  "m135-lora-shared": { shape: "m135", method: "lora", sharePrefix: true, batch: 32, steps: 7, scored: 64 },
  "m135-full-shared": { shape: "m135", method: "full", sharePrefix: true, batch: 32, steps: 5, scored: 0 },
  "tiny-lora-shared": { shape: "tiny", method: "lora", sharePrefix: true, batch: 32, steps: 22, scored: 256 },
  "tiny-full": { shape: "tiny", method: "full", sharePrefix: false, batch: 32, steps: 22, scored: 0 },
  "tiny-full-shared": { shape: "tiny", method: "full", sharePrefix: true, batch: 32, steps: 22, scored: 256 },
  "qwen2-lora": { shape: "qwen2", method: "lora", sharePrefix: false, batch: 16, steps: 5, scored: 0 },
  "qwen2-lora-shared": { shape: "qwen2", method: "lora", sharePrefix: true, batch: 32, steps: 5, scored: 16 },
  "phi3-lora": { shape: "phi3", method: "lora", sharePrefix: false, batch: 16, steps: 5, scored: 0 },
  "phi3-lora-shared": { shape: "phi3", method: "lora", sharePrefix: true, batch: 32, steps: 5, scored: 16 },
};

/** Programs of their own, that print one line each. */
const OTHERS = ["labels", "loading", "serve", "study"];

const words = process.argv.slice(2);
const wanted = words.filter((word) => !word.startsWith("--"));
const names = wanted.length > 0 ? wanted : Object.keys(WORKLOADS);
const measure = join(import.meta.dirname, "measure.mjs");
const baselinePath = join(process.cwd(), "bench", "baseline.json");

const load = loadavg()[0]!;
if (load > 0.5)
  console.error(
    `bench: the load is ${load.toFixed(1)}: other work runs on this machine, so read the ratios, not the speeds.`,
  );
const results: Record<string, unknown> = {};
for (const name of names) {
  const workload = WORKLOADS[name];
  if (workload === undefined && !OTHERS.includes(name)) {
    console.error(`bench: expected one of ${[...Object.keys(WORKLOADS), ...OTHERS].join(", ")}, got ${name}.`);
    process.exit(2);
  }
  const program =
    workload === undefined ? [join(import.meta.dirname, `${name}.mjs`)] : [measure, JSON.stringify(workload)];
  const line = execFileSync(process.execPath, program, { encoding: "utf8" });
  const { workload: _, ...result } = JSON.parse(line);
  results[name] = result;
  console.log(name, JSON.stringify(result, null, 1).replace(/\n\s*/g, " "));
}

const baseline = existsSync(baselinePath) ? JSON.parse(readFileSync(baselinePath, "utf8")) : undefined;
if (words.includes("--save")) {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, load };
  writeFileSync(
    baselinePath,
    `${JSON.stringify({ machine, results: { ...baseline?.results, ...results } }, null, 2)}\n`,
  );
}
for (const name of names) {
  const before = baseline?.results[name]?.training?.executedRatio;
  const now = (results[name] as { training?: { executedRatio: number } }).training?.executedRatio;
  if (before !== undefined && now !== undefined && now < 0.85 * before) {
    console.log(`bench: ${name}: ${now} of the plain product's speed, ${before} in the baseline. What changed?`);
  }
}
