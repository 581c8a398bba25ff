import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rng } from "../base/rng.ts";
import type { PreparedSplit } from "../data/tokens/prepare.ts";
import { Network } from "../models/network.ts";
import { tuningOf } from "../models/tuning.ts";
import { openModelFolder, readParameters } from "../models/weights.ts";
import { AdamW } from "../optim/adamw.ts";
import { readCheckpoint } from "../runs/checkpoints.ts";
import { openRunDir, readMetrics } from "../runs/run-dir.ts";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import type { RunSpec, TrainSpec } from "../specs/types.ts";
import { MODEL_FILE } from "./checkpoint.ts";
import { type Training, trainRun } from "./trainer.ts";

const model = openModelFolder(join(import.meta.dirname, "../../test/golden/models/llama/model"));
const temp = mkdtempSync(join(tmpdir(), "mixtune-trainer-"));
let network: Network;
let optimizer: AdamW;

const STEPS = 7;
const TRAIN: TrainSpec = {
  ...TRAIN_DEFAULTS,
  method: "full",
  max_steps: STEPS,
  train_batch_size: 4,
  batch_tokens: null,
  learning_rate: 1e-2,
  cutoff_len: 32,
  eval_steps: 2,
  save_steps: 3,
};

beforeAll(async () => {
  network = await Network.create("train", model.config, { method: "full" }, { threads: 1, maxPositions: 64 });
  optimizer = await AdamW.create(TRAIN, { threads: 1 });
});
afterAll(async () => {
  await network.release();
  await optimizer.release();
  rmSync(temp, { recursive: true });
});

function toyData(task: string, count: number): PreparedSplit {
  const rng = new Rng(task);
  const ids = (length: number) => Int32Array.from({ length }, () => 1 + rng.int(96));
  const tokenized = Array.from({ length: count }, (_, i) => ({
    id: `train#${i}`,
    prompt: ids(3 + rng.int(5)),
    answer: Int32Array.of(1 + rng.int(3), 0),
  }));
  const tokens = Int32Array.from(tokenized, ({ prompt, answer }) => prompt.length + answer.length);
  const examples = tokenized.map(({ id }) => ({ id, prompt: "", answer: "", group: id }));
  return {
    examples,
    tokenized,
    lengths: { tokens, supervised: tokens.map(() => 2) },
    numTokens: tokens.reduce((a, b) => a + b, 0),
    rowsDigest: "",
    fitted: { rows: 0, tokens: 0 },
    notes: [],
  };
}

let numDirs = 0;
function training(change: Partial<Omit<Training, "spec">> & { train?: Partial<TrainSpec> } = {}): Training {
  const { train, ...rest } = change;
  const spec: RunSpec = {
    format: 1,
    model: { name: "toy", weights_digest: "", tokenizer_digest: "", template_digest: "" },
    mixture: { name: "both", ingredients: { a: {}, b: {} } },
    data: {},
    train: { ...TRAIN, ...train },
    seed: 5,
    worker: { kind: "local", threads: 1 },
  };
  let ticks = 0;
  return {
    dir: openRunDir(join(temp, `run${numDirs++}`)),
    spec,
    network,
    optimizer,
    initialise: (parameters) => readParameters(model, network.layout, parameters),
    data: { a: toyData("a", 9), b: toyData("b", 5) },
    texts: { train: spec.train, baseModel: "toy", configText: model.configText },
    onStep: () => {},
    isAborted: async () => false,
    clock: () => ticks++,
    ...rest,
  };
}

function lastWeights(dir: string): Buffer {
  return readFileSync(join(readCheckpoint(dir)!.path, MODEL_FILE));
}

describe("a run", () => {
  test("interrupted after any steps and resumed ends as one that never stopped, bit for bit", async () => {
    const straight = training();
    expect((await trainRun(straight)).state).toBe("done");
    const expected = lastWeights(straight.dir);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: STEPS - 1 }), { maxLength: 3 }), async (stops) => {
        const { dir } = training();
        for (const stop of stops.sort((a, b) => a - b)) {
          let step = 0;
          const part = training({
            dir,
            onStep: (now) => {
              step = now;
            },
            isAborted: async () => step === stop,
          });
          expect((await trainRun(part)).state).toBe("interrupted");
        }
        expect((await trainRun(training({ dir }))).state).toBe("done");
        expect(lastWeights(dir).equals(expected)).toBe(true);
        expect(readMetrics(dir).map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
      }),
      { numRuns: 8, seed: 1 },
    );
  });

  test("with dropout leaves out the same numbers when it is resumed, and others in each step", async () => {
    const train = {
      method: "lora",
      lora_rank: 2,
      lora_dropout: 0.4,
      max_steps: 4,
      train_batch_size: 14,
      learning_rate: 0,
    } as const;
    const tuning = tuningOf({ ...TRAIN, ...train }, model, temp);
    const lora = await Network.create("train", model.config, tuning, { threads: 1, maxPositions: 64 });
    const initialise = (parameters: Float32Array) => parameters.fill(0.1);
    const run = (change: Partial<Training> = {}) => training({ train, network: lora, initialise, ...change });
    const whole = run();
    await trainRun(whole);
    const part = run();
    await trainRun({ ...part, isAborted: async () => readMetrics(part.dir).length === 2 });
    await trainRun({ ...part });
    const losses = readMetrics(whole.dir).map(({ loss }) => loss);
    expect(readMetrics(part.dir).map(({ loss }) => loss)).toEqual(losses);
    await lora.release();
    // One batch an epoch: with weights that do not move, its loss would be the same without dropout.
    const spread = (all: readonly number[]) => Math.max(...all) - Math.min(...all);
    expect(spread(losses)).toBeGreaterThan(1e-3);
  });

  test("that dies between log and checkpoint logs no step twice and ends the same", async () => {
    const straight = training();
    await trainRun(straight);
    for (const death of [1, 4, 5]) {
      const { dir } = training();
      const onStep = (step: number) => {
        if (step === death) throw new Error("killed");
      };
      await expect(trainRun(training({ dir, onStep }))).rejects.toThrow("killed");
      await trainRun(training({ dir }));
      expect(readMetrics(dir).map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
      expect(lastWeights(dir).equals(lastWeights(straight.dir))).toBe(true);
    }
  });

  test("logs the loss of each task and lowers it", async () => {
    const run = training({ train: { max_steps: 30 } });
    await trainRun(run);
    const lines = readMetrics(run.dir);
    expect(new Set(lines.flatMap(({ loss_per_task }) => Object.keys(loss_per_task)))).toEqual(new Set(["a", "b"]));
    const meanLoss = (from: number, to: number) =>
      lines.slice(from, to).reduce((sum, { loss }) => sum + loss, 0) / (to - from);
    expect(meanLoss(25, 30)).toBeLessThan(0.5 * meanLoss(0, 5));
  });

  test("another seed gives other weights", async () => {
    const [first, second] = [training(), training()];
    second.spec.seed = 6;
    await trainRun(first);
    await trainRun(second);
    expect(lastWeights(first.dir).equals(lastWeights(second.dir))).toBe(false);
  });

  test("keeps the best checkpoint by mean dev loss, and stops when patience runs out", async () => {
    const losses = [3, 1, 2, 2, 2];
    const run = training({
      train: { max_steps: 100, eval_steps: 2, save_steps: 50, early_stopping_patience: 2 },
      evaluateDev: async () => ({ a: losses.shift()! }),
    });
    await trainRun(run);
    expect(readMetrics(run.dir).length).toBe(8);
    expect(readCheckpoint(run.dir, "best")?.step).toBe(4);
    expect(readCheckpoint(run.dir)?.step).toBe(8);
  });

  test("stops at a loss that is not finite, with the step and its examples", async () => {
    const run = training({ train: { learning_rate: 1e30, warmup_steps: 0, max_grad_norm: 0 } });
    await expect(trainRun(run)).rejects.toThrow(
      /training step \d+, examples (a|b)\/train#\d+.*\n? *.*expected a finite loss/s,
    );
  });
});
