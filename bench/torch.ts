/**
 * @file npm run bench:torch: mixtune's PyTorch worker on a prepared run, TRL's SFTTrainer with PEFT as it comes, and TRL with packing, in turns, a
 * step each: the same model with the same random weights, the same adapter, the same examples a step in the same order, the same learning rates.
 * MIXTUNE_PYTHON names an interpreter with torch, transformers, peft, trl, accelerate and datasets. What each engine is: bench/torch/*.py.
 *
 *     npm run bench:torch [-- --shape tiny|m135|l8b] [--tasks fpb,topic,long] [--precision float32|bfloat16] [--batch N] [--steps N]
 *                         [--threads N] [--device cpu|cuda] [--engines ours,ours-compiled,trl,trl-packed]
 *
 * Unasked: bfloat16, TRL's default; on a CUDA device an 8B-shaped model (three copies: about 110 GB of its memory), else a 135M-shaped one.
 * Prompts are FPB's and those of Twitter topics where MIXTUNE_DATA is set, else made-up ones of the lengths of bench/torch/prepare.ts. `long`: 512
 * tokens, nothing shared, in packs of 4,096: for the share of the device's plain product (the best of the run) that is reached, with blocks as they are
 * and compiled (torch.compile). In the end the losses of 20 steps of the tiny shape in float32, where nothing is rounded away that sets the engines apart.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readSettings } from "../src/app/settings.ts";
import { torchEnvironment, torchPython } from "../src/app/study/start-worker.ts";
import { Engine } from "./torch/engine.ts";
import { BENCH_TASKS, type Comparison, prepareComparison } from "./torch/prepare.ts";
import { LLAMA_SHAPES, type LlamaShape } from "./workloads.ts";

const ENGINES = ["ours", "ours-compiled", "trl", "trl-packed"] as const;
type EngineName = (typeof ENGINES)[number];

/** Of one optimiser step, as bench/torch/ours.py counts it. */
interface Counts {
  examples: number;
  realTokens: number;
  executedTokens: number;
  packs: number;
  executedFlops: number;
  usefulFlops: number;
}

interface Step {
  seconds: number;
  loss: number;
  peakMemoryBytes: number;
}

interface Result {
  counts: Counts[];
  took: ReadonlyMap<EngineName, Step[]>;
  /** Operations a second of a plain product, after every round. */
  products: number[];
  /** What the engines say of themselves. */
  about: Record<string, unknown>;
}

const OPTIONS = ["shape", "tasks", "precision", "batch", "steps", "threads", "device", "engines"];
const { values: asked } = parseArgs({
  options: Object.fromEntries(OPTIONS.map((name) => [name, { type: "string" }] as const)),
});
const settings = readSettings();
const python = torchPython(settings);
const environment = { CUDA_VISIBLE_DEVICES: "0", TOKENIZERS_PARALLELISM: "false", ...torchEnvironment(settings) };
const program = join(process.cwd(), "bench", "torch", "engine.py");
const found = findPackages();
const [device] = choose("device", ["cpu", "cuda"], found.device) as ["cpu" | "cuda"];
const isGpu = device === "cuda";
const [shape] = choose("shape", Object.keys(LLAMA_SHAPES), isGpu ? "l8b" : "m135") as [LlamaShape];
const [precision] = choose("precision", ["float32", "bfloat16"], "bfloat16") as ["float32" | "bfloat16"];
const tasks = choose("tasks", BENCH_TASKS, isGpu ? "long,fpb,topic" : "fpb,topic");
const comparedWithTrl = choose("engines", ENGINES, "ours,trl,trl-packed");
const [batch, steps, threads] = [
  numberOf("batch", isGpu ? 32 : 16),
  numberOf("steps", isGpu ? 20 : 8),
  numberOf("threads", 2),
];
const warmUp = isGpu ? 5 : 2;
if (batch % 8 !== 0 || steps <= warmUp) stop(`expected --batch in eights and --steps above ${warmUp}.`);
if (!comparedWithTrl.includes("ours")) stop("expected ours among --engines: the others are compared with it.");

const load = loadavg()[0]!;
if (load > 0.5) console.error(`bench: the load is ${load.toFixed(1)}: read the ratios, not the speeds.`);
const data = settings.dataRoot === undefined ? "made up" : "real";
console.log(JSON.stringify({ device: found.name, packages: found.packages, data }));
const common = { device, threads } as const;
for (const task of tasks) await report({ ...common, shape, task, precision, batch, steps, warmUp });
const exact = { shape: "tiny", task: "fpb", precision: "float32", batch: 16, steps: 20, warmUp: 0 } as const;
console.log(`losses of 20 steps, tiny shape, float32: ${differences(await compare({ ...common, ...exact }))}`);

/** What a task is done with, unless that was asked for. */
function enginesOf(task: Comparison["task"]): EngineName[] {
  return task === "long" ? choose("engines", ENGINES, "ours,ours-compiled") : comparedWithTrl;
}

/** Compares and prints one task. */
async function report(comparison: Comparison): Promise<void> {
  const result = await compare(comparison);
  const { task, warmUp } = comparison;
  const kept = <T>(list: readonly T[]) => list.slice(warmUp);
  const counts = kept(result.counts);
  const secondsOf = (engine: EngineName) => kept(result.took.get(engine)!).map(({ seconds }) => seconds);
  const product = Math.max(...result.products);
  const rows = enginesOf(task).map((engine) => {
    const seconds = secondsOf(engine);
    const rate = (of: keyof Counts) => median(seconds.map((s, i) => counts[i]![of] / s));
    const row = {
      "ms a step": rounded(1000 * median(seconds)),
      least: rounded(1000 * Math.min(...seconds)),
      most: rounded(1000 * Math.max(...seconds)),
      "examples/s": rounded(rate("examples")),
      "real tokens/s": rounded(rate("realTokens")),
      "times ours": rounded(median(seconds.map((s, i) => s / secondsOf("ours")[i]!))),
      "executed %": engine.startsWith("ours") ? rounded((100 * rate("executedFlops")) / product) : "",
      "useful %": rounded((100 * rate("usefulFlops")) / product),
      "peak GB": rounded(result.took.get(engine)!.at(-1)!.peakMemoryBytes / 1e9),
    };
    return [engine, row] as const;
  });
  const { examples, realTokens, executedTokens, packs } = counts[0]!;
  console.log(`\n${JSON.stringify({ ...comparison, ...result.about, timed: counts.length })}`);
  console.log(
    `a step: ${examples} examples, ${realTokens} tokens; ours ${packs} packs, ${executedTokens} tokens through the net`,
  );
  console.table(Object.fromEntries(rows));
  console.log(
    `${task}: plain product ${rounded(Math.min(...result.products) / 1e9)} to ${rounded(product / 1e9)} GFLOP/s`,
  );
  console.log(`${task}: losses of ${comparison.steps} steps: ${differences(result)}`);
}

/** Starts the engines and lets each take its step in turn. */
async function compare(comparison: Comparison): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), "mixtune-bench-"));
  const engines = new Map<EngineName, Engine>();
  const engineNames = enginesOf(comparison.task);
  try {
    const file = join(dir, "settings.json");
    writeFileSync(file, JSON.stringify(await prepareComparison(comparison, dir, settings.dataRoot)));
    for (const name of engineNames) engines.set(name, new Engine(python, [program, name, file], environment));
    let counts: Counts[] = [];
    const about: Result["about"] = {};
    for (const [name, engine] of engines) {
      const { steps, ...others } = await engine.answer<{ steps?: Counts[] }>();
      if (steps !== undefined) counts = steps;
      if (Object.keys(others).length > 0) about[name] = others;
    }
    const took = new Map(engineNames.map((name) => [name, [] as Step[]]));
    const products: number[] = [];
    for (let step = 0; step < comparison.steps; step++) {
      for (const [name, engine] of engines) took.get(name)!.push(await engine.ask<Step>("step"));
      products.push((await engines.get("ours")!.ask<{ flops: number }>("product")).flops);
    }
    return { counts, took, products, about };
  } finally {
    for (const engine of engines.values()) engine.end();
    rmSync(dir, { recursive: true });
  }
}

/** The largest difference of the others' losses to ours at the same step. */
function differences({ took }: Result): string {
  const ours = took.get("ours")!.map(({ loss }) => loss);
  const most = [...took].slice(1).map(([name, steps]) => {
    const apart = steps.map(({ loss }, i) => Math.abs(loss - ours[i]!));
    return `${name} ${Math.max(...apart).toExponential(1)}`;
  });
  return `ours ${ours[0]!.toFixed(4)} to ${ours.at(-1)!.toFixed(4)}; largest difference: ${most.join(", ")}`;
}

function findPackages() {
  let text = "";
  try {
    text = execFileSync(python, [program, "check"], { encoding: "utf8", env: environment });
  } catch (error) {
    stop(`expected a Python in MIXTUNE_PYTHON, got ${python}: ${(error as Error).message}`);
  }
  const said = JSON.parse(text) as { packages: Record<string, string | null>; device: string; name: string };
  const missing = Object.keys(said.packages).filter((one) => said.packages[one] === null);
  if (missing.length > 0) {
    const install = `${python} -m pip install ${missing.join(" ")}`;
    stop(`${python} lacks ${missing.join(", ")}: ${install}, or name another interpreter in MIXTUNE_PYTHON.`);
  }
  return said;
}

/** An option's words, separated by commas, in the order of those that are allowed. */
function choose<T extends string>(option: string, allowed: readonly T[], otherwise: string): T[] {
  const given = (asked[option] ?? otherwise).split(",").filter((word) => word !== "");
  const other = given.find((word) => !allowed.some((one) => one === word));
  if (other !== undefined) stop(`expected --${option} of ${allowed.join(", ")}, got ${other}.`);
  return allowed.filter((one) => given.includes(one));
}

function numberOf(option: string, otherwise: number): number {
  const given = Number(asked[option] ?? otherwise);
  return Number.isInteger(given) && given > 0 ? given : stop(`expected --${option} N, got ${asked[option]}.`);
}

function stop(reason: string): never {
  console.error(`bench: ${reason}`);
  process.exit(2);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}
