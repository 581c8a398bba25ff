import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PackOptions } from "../data/batches/packing.ts";
import { liveSessions } from "../engine/runtime/session.ts";
import { Network } from "../models/network.ts";
import { openModelFolder, readParameters } from "../models/weights.ts";
import { AdamW } from "../optim/adamw.ts";
import type { LossMean } from "../specs/types.ts";
import { type BatchExample, batchGradient } from "./step.ts";

const model = openModelFolder(join(import.meta.dirname, "../../test/golden/models/llama/model"));
let network: Network;
let optimizer: AdamW;
let parameters: Float32Array;

beforeAll(async () => {
  network = await Network.create("train", model.config, { method: "full" }, { threads: 1, maxPositions: 64 });
  const config = { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 0 };
  optimizer = await AdamW.create(config, { threads: 1 });
  parameters = new Float32Array(network.layout.size);
  readParameters(model, network.layout, parameters);
});

afterAll(async () => {
  await network.release();
  await optimizer.release();
  expect(liveSessions()).toBe(0);
});

async function gradientOf(batch: readonly BatchExample[], mean: LossMean, options: PackOptions) {
  const [total, part] = [new Float32Array(network.layout.size), new Float32Array(network.layout.size)];
  const result = await batchGradient(network, parameters, batch, mean, options, {
    total,
    part,
    accumulate: (a, b) => optimizer.accumulate(a, b),
  });
  return { ...result, gradient: total };
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.max(Math.hypot(...b), 1e-6);
}

const token = fc.integer({ min: 1, max: 96 });
/** Prompts that begin with one of a few instructions, so that prefixes are shared by chance; tasks a and b. */
const batches = fc
  .tuple(
    fc.array(fc.array(token, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
    fc.array(
      fc.record({
        instruction: fc.nat(2),
        own: fc.array(token, { minLength: 1, maxLength: 7 }),
        answer: fc.array(token, { minLength: 0, maxLength: 3 }),
        task: fc.constantFrom("a", "b"),
      }),
      { minLength: 1, maxLength: 7 },
    ),
  )
  .map(([instructions, rows]): BatchExample[] =>
    rows.map(({ instruction, own, answer, task }, i) => ({
      task,
      tokens: {
        id: `${task}#${i}`,
        prompt: Int32Array.from([...instructions[instruction % instructions.length]!, ...own]),
        answer: Int32Array.from([...answer, 0]),
      },
    })),
  );

const ALONE: PackOptions = { packing: "none", sharePrefix: false, maxTokens: 1, lossOn: "answer" };

describe("loss and gradient do not depend on the layout", () => {
  test("packed, with shared prefixes, in packs of any size = every example alone", async () => {
    const means = fc.constantFrom<LossMean>("token", "example", "task");
    const sizes = fc.integer({ min: 8, max: 200 });
    await fc.assert(
      fc.asyncProperty(
        batches,
        means,
        sizes,
        fc.boolean(),
        fc.constantFrom("answer", "all"),
        async (batch, mean, maxTokens, sharePrefix, lossOn) => {
          const alone = await gradientOf(batch, mean, { ...ALONE, lossOn });
          const packed = await gradientOf(batch, mean, { packing: "isolated", sharePrefix, maxTokens, lossOn });
          expect(Math.abs(packed.loss - alone.loss)).toBeLessThan(1e-4);
          expect(distance(packed.gradient, alone.gradient)).toBeLessThan(1e-4);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  test("contaminated packing is different, so the comparison can fail", async () => {
    const batch = fc.sample(batches, { numRuns: 20, seed: 2 }).find((rows) => rows.length > 3)!;
    const alone = await gradientOf(batch, "token", ALONE);
    const contaminated = await gradientOf(batch, "token", {
      packing: "contaminated",
      sharePrefix: false,
      maxTokens: 64,
      lossOn: "answer",
    });
    expect(distance(contaminated.gradient, alone.gradient)).toBeGreaterThan(1e-2);
  });
});

describe("what the loss is a mean over", () => {
  const example = (task: string, prompt: number[], answer: number[]): BatchExample => ({
    task,
    tokens: { id: `${task}#0`, prompt: Int32Array.from(prompt), answer: Int32Array.from(answer) },
  });
  const batch = [example("a", [5, 6], [7, 0]), example("a", [8, 9, 10], [0]), example("b", [11, 12], [13, 14, 15, 0])];
  const lossOf = async (rows: BatchExample[]) => (await gradientOf(rows, "token", ALONE)).loss;

  test("token, example and task means are those of the examples alone", async () => {
    const alone = await Promise.all(batch.map((row) => lossOf([row])));
    const [first, second, third] = alone as [number, number, number];
    const expected = {
      token: (2 * first + second + 4 * third) / 7,
      example: (first + second + third) / 3,
      task: ((2 * first + second) / 3 + third) / 2,
    };
    for (const [mean, value] of Object.entries(expected)) {
      const { loss, lossPerTask } = await gradientOf(batch, mean as LossMean, {
        ...ALONE,
        packing: "isolated",
        sharePrefix: true,
        maxTokens: 64,
      });
      expect(loss).toBeCloseTo(value, 5);
      expect(lossPerTask.a).toBeCloseTo((2 * first + second) / 3, 5);
      expect(lossPerTask.b).toBeCloseTo(third, 5);
    }
  });
});
