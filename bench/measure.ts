/** @file Times one workload with a plain product beside every step, and prints one JSON line. Runs in a process of its own, so that peak memory is its own. */

import { sizeOf } from "../src/app/models/base-model.ts";
import { memoryOf, sumOf } from "../src/app/models/memory-estimate.ts";
import { secondsOf } from "../src/app/study/pass-cost.ts";
import { Rng } from "../src/base/rng.ts";
import { packExamples, packLabels, packShapes } from "../src/data/batches/packing.ts";
import { MICRO_BATCH_TOKENS } from "../src/data/batches/run-batches.ts";
import { productFlops } from "../src/engine/graph/flops.ts";
import { Graph } from "../src/engine/graph/graph.ts";
import { Session } from "../src/engine/runtime/session.ts";
import { generate } from "../src/eval/generate.ts";
import { answerLoss, scoreLabels } from "../src/eval/score.ts";
import { CachedNetwork } from "../src/models/cached-network.ts";
import { packBindings } from "../src/models/decoder.ts";
import { initAdapter } from "../src/models/lora.ts";
import { Network, networkGraph, type Tuning } from "../src/models/network.ts";
import { parameterViews } from "../src/models/parameters.ts";
import { initParameter } from "../src/models/weights.ts";
import { AdamW, newAdamState } from "../src/optim/adamw.ts";
import { batchGradient } from "../src/train/step.ts";
import { fpbLikeExamples, randomWeights, SHAPES, type ShapeName, USEFUL_FLOPS_PER_TOKEN } from "./workloads.ts";

/** What a workload is: a shape, what trains, whether prefixes are shared, examples a batch. */
export interface Workload {
  shape: ShapeName;
  method: "lora" | "full";
  sharePrefix: boolean;
  batch: number;
  steps: number;
  /** Prompts whose labels are scored too, in the same process; 0: no scoring network is made. */
  scored: number;
}

const WARM_UP = 2; // the first two steps fault memory in
const THREADS = 2;
const LORA = { lora_rank: 8, lora_alpha: 16, lora_target: "all" } as const;

const workload = JSON.parse(process.argv[2]!) as Workload;
const config = SHAPES[workload.shape];
const frozen = randomWeights(workload.shape);
const tuning: Tuning = workload.method === "lora" ? { method: "lora", lora: LORA, frozen } : { method: "full" };
const examples = fpbLikeExamples(workload.batch, config.vocab_size);
const packOptions = {
  packing: "isolated",
  sharePrefix: workload.sharePrefix,
  maxTokens: MICRO_BATCH_TOKENS,
  lossOn: "answer",
} as const;

const probe = await plainProduct();
const startedMs = performance.now();
const network = await Network.create("train", config, tuning, { threads: THREADS, maxPositions: 1024 });
const sessionStartMs = performance.now() - startedMs;
const optimizer = await AdamW.create(
  { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 },
  { threads: THREADS },
);
const { layout } = network;
const state = newAdamState(layout.size, layout.decaySize);
const views = parameterViews(layout, state.parameters);
if (workload.method === "lora") initAdapter(layout, state.parameters, new Rng(1));
else for (const parameter of layout.parameters) initParameter(config, parameter, views[parameter.name]!, new Rng(1));

const graph = networkGraph(config, tuning, 1024, true);
const packs = packExamples(examples, packOptions);
const executedFlops = packs.reduce((sum, pack) => sum + productFlops(graph, packBindings(config, pack)), 0);
const realTokens = examples.reduce((sum, { prompt, answer }) => sum + prompt.length + answer.length, 0);
const executedTokens = packs.reduce((sum, pack) => sum + pack.ids.length, 0);

const total = new Float32Array(layout.size);
const part = packs.length > 1 ? new Float32Array(layout.size) : total;
const buffers = { total, part, accumulate: optimizer.accumulate.bind(optimizer) };
const batch = examples.map((tokens) => ({ task: "bench", tokens }));
const training = await timed(workload.steps, async (i) => {
  await batchGradient(network, state.parameters, batch, "token", packOptions, buffers);
  await optimizer.step(state, total, i + 1, 1e-4, await optimizer.norm(total));
});
const scoring = workload.scored > 0 ? await scoringSpeed() : undefined;
const generation = workload.scored > 0 ? await generationSpeed() : undefined;
await network.release();
await optimizer.release();
await probe.release();

const useful = USEFUL_FLOPS_PER_TOKEN[workload.shape];
const trainingRow = {
  stepMs: rounded(training.medianMs),
  bestStepMs: rounded(training.bestMs),
  realTokensPerSecond: rounded((1000 * realTokens) / training.medianMs),
  examplesPerSecond: rounded((1000 * examples.length) / training.medianMs),
  executedGflops: rounded(executedFlops / training.medianMs / 1e6),
  productGflops: rounded(training.productGflops),
  executedRatio: training.ratio(executedFlops),
  usefulRatio: useful === undefined || workload.method === "full" ? undefined : training.ratio(useful * realTokens),
};
const size = sizeOf(config);
const shapes = packShapes(examples, packOptions);
const memory = {
  estimate: {
    realTokensPerSecond: rounded(realTokens / secondsOf(shapes, size, workload.method, THREADS)),
    peakMemoryGb: rounded(sumOf(memoryOf(size, layout.size, { tokens: executedTokens / packs.length })) / 1e9),
  },
  peakMemoryGb: Math.round(process.resourceUsage().maxRSS / 1e4) / 100,
  sessionStartMs: rounded(sessionStartMs),
};
process.stdout.write(
  `${JSON.stringify({ workload, realTokens, executedTokens, packs: packs.length, training: trainingRow, scoring, generation, ...memory })}\n`,
);

/** Scoring three labels of one token, as dev and test evaluation do, beside the same work with every prompt and label a row of its own. */
async function scoringSpeed() {
  const prompts = fpbLikeExamples(workload.scored, config.vocab_size);
  const labels = [2, 3, 4].map((id) => Int32Array.of(id, 0));
  const scorer = await Network.create("score", config, tuning, { threads: THREADS, maxPositions: 1024 });
  const apart = prompts.flatMap((prompt) => labels.map((answer) => ({ ...prompt, answer })));
  const unshared = { packing: "isolated", sharePrefix: false, maxTokens: 2048, lossOn: "answer" } as const;
  const unsharedMs: number[] = [];
  const times = await timed(
    WARM_UP + 3,
    async () => {
      await scoreLabels(scorer, state.parameters, prompts, labels);
    },
    async () => {
      const began = performance.now();
      for (const pack of packExamples(apart, unshared)) await scorer.nll(pack, state.parameters);
      unsharedMs.push(performance.now() - began);
    },
  );
  await answerLoss(scorer, state.parameters, prompts, "answer");
  const scoreGraph = networkGraph(config, tuning, 1024, false);
  const flops = packLabels(prompts, () => labels, { sharePrefix: true, maxTokens: 2048 }).reduce(
    (sum, pack) => sum + productFlops(scoreGraph, packBindings(config, pack)),
    0,
  );
  await scorer.release();
  return {
    examplesPerSecond: rounded((1000 * prompts.length) / times.medianMs),
    executedRatio: times.ratio(flops),
    timesUnshared: rounded(median(unsharedMs.slice(WARM_UP)) / times.medianMs),
  };
}

/** Greedy text of 16 prompts, 16 tokens each, reading the prompts included. */
async function generationSpeed() {
  const prompts = fpbLikeExamples(16, config.vocab_size);
  const writer = await CachedNetwork.create(config, tuning, { threads: THREADS, maxPositions: 1024 });
  const options = { endIds: [], maxNewTokens: 16, decode: () => "" };
  const times = await timed(WARM_UP + 3, async () => {
    await generate(writer, state.parameters, prompts, options);
  });
  await writer.release();
  return { tokensPerSecond: rounded((1000 * 16 * prompts.length) / times.medianMs) };
}

/** Runs a step several times, a probe before and after each, and `between` steps what else is to be timed; medians after warm-up, ratios step by step. */
async function timed(steps: number, step: (i: number) => Promise<void>, between: () => Promise<void> = async () => {}) {
  const rows: { ms: number; gflops: number }[] = [];
  let before = await probe.gflops();
  for (let i = 0; i < steps; i++) {
    const began = performance.now();
    await step(i);
    const ms = performance.now() - began;
    const after = await probe.gflops();
    rows.push({ ms, gflops: (before + after) / 2 });
    await between();
    before = await probe.gflops();
  }
  const kept = rows.slice(WARM_UP);
  return {
    medianMs: median(kept.map(({ ms }) => ms)),
    bestMs: Math.min(...kept.map(({ ms }) => ms)),
    productGflops: median(kept.map(({ gflops }) => gflops)),
    ratio: (flops: number) => Math.round(100 * median(kept.map(({ ms, gflops }) => flops / ms / 1e6 / gflops))) / 100,
  };
}

/** A plain 1024 x 576 x 1536 float32 product by the same library and threads: median GFLOP/s of a few. */
async function plainProduct() {
  const [m, k, n] = [1024, 576, 1536] as const;
  const rng = new Rng("product");
  const uniform = (length: number) => Float32Array.from({ length }, () => rng.float() - 0.5);
  const graph = new Graph();
  const a = graph.input("a", "float32", [m, k]);
  graph.output(
    "y",
    graph.add("matmul", [a, graph.constant("b", uniform(k * n), [k, n])], { transA: false, transB: false, alpha: 1 }),
  );
  const session = await Session.create(graph, { threads: THREADS });
  const feeds = { a: uniform(m * k) };
  const y = new Float32Array(m * n);
  return {
    gflops: async () => {
      const times: number[] = [];
      for (let i = 0; i < 9; i++) {
        const began = performance.now();
        await session.run(feeds, {}, { y });
        times.push(performance.now() - began);
      }
      return (2 * m * k * n) / median(times) / 1e6;
    },
    release: () => session.release(),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}
