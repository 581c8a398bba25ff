/** @file Estimates of time and memory against what the bench measured (bench/baseline.json, docs/LOG.md). */

import { describe, expect, test } from "vitest";
import baseline from "../bench/baseline.json" with { type: "json" };
import { fpbLikeExamples, SHAPES } from "../bench/workloads.ts";
import { sizeOf } from "../src/app/models/base-model.ts";
import { memoryOf, memoryOfTorch, sumOf } from "../src/app/models/memory-estimate.ts";
import { secondsOf } from "../src/app/study/pass-cost.ts";
import { packShapes } from "../src/data/batches/packing.ts";
import { MICRO_BATCH_TOKENS } from "../src/data/batches/run-batches.ts";
import { TRAIN_DEFAULTS } from "../src/specs/train.ts";

const { results } = baseline;

describe("seconds of a training step are within 30 % of what was measured:", () => {
  test.each([
    ["m135-lora", "m135", "lora", 16, false],
    ["m135-lora-shared", "m135", "lora", 32, true],
    ["m135-full-shared", "m135", "full", 32, true],
    ["tiny-lora-shared", "tiny", "lora", 32, true],
    ["tiny-full", "tiny", "full", 32, false],
    ["tiny-full-shared", "tiny", "full", 32, true],
  ] as const)("%s", (name, shape, method, numExamples, sharePrefix) => {
    const examples = fpbLikeExamples(numExamples, SHAPES[shape].vocab_size);
    const packs = packShapes(examples, {
      packing: "isolated",
      sharePrefix,
      maxTokens: MICRO_BATCH_TOKENS,
      lossOn: "answer",
    });
    const ratio = secondsOf(packs, sizeOf(SHAPES[shape]), method, 2) / (results[name].training.stepMs / 1000);
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.3);
  });
});

describe("peak memory with training and scoring is at most two fifths above what was measured, and at most a tenth below:", () => {
  test.each([
    // Weights that train: LoRA of rank 8 on every linear layer.
    ["m135", 2_442_240, results["m135-lora-shared"].peakMemoryGb],
    ["tiny", 196_608, results["tiny-lora-shared"].peakMemoryGb],
    ["tiny", 4_590_848, results["tiny-full-shared"].peakMemoryGb],
    ["qwen2", 4_399_104, 10.55],
    ["phi3", 1_572_864, 9.24],
  ] as const)("%s with %i trainable weights", (shape, trainable, measuredGb) => {
    const ratio = sumOf(memoryOf(sizeOf(SHAPES[shape]), trainable)) / (measuredGb * 1e9);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.4);
  });
});

describe("memory in PyTorch", () => {
  test("is above the peaks of receipts, by at most two fifths", () => {
    const peaks = [
      [sumOf(memoryOfTorch(sizeOf(SHAPES.tiny), 196_608, TRAIN_DEFAULTS)), 0.95e9],
      [sumOf(memoryOfTorch(sizeOf(SHAPES.m135), 2_442_240, { ...TRAIN_DEFAULTS, bf16: true })), 1.8e9],
    ] as const;
    for (const [estimate, measured] of peaks) {
      expect(estimate / measured).toBeGreaterThan(1);
      expect(estimate / measured).toBeLessThan(1.4);
    }
  });

  test("of a larger vocabulary has its embedding, and logits with their gradients of 1,024 tokens, all of 4 bytes", () => {
    const size = sizeOf(SHAPES.tiny);
    const larger = {
      ...size,
      vocabulary: size.vocabulary + 1000,
      parameters: size.parameters + 1000 * size.hidden,
    };
    const more = sumOf(memoryOfTorch(larger, 0, TRAIN_DEFAULTS)) - sumOf(memoryOfTorch(size, 0, TRAIN_DEFAULTS));
    expect(more).toBe(1000 * 256 * 4 + 1024 * 1000 * (4 + 4));
  });
});
