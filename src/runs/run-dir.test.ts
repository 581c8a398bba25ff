import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../base/errors.ts";
import {
  appendMetrics,
  cutMetrics,
  isInterrupted,
  isPidAlive,
  lacksConstrainedNumbers,
  listPredictions,
  openRunDir,
  readMetrics,
  readPredictions,
  readReceipt,
  readScores,
  readStatus,
  runPaths,
  STALE_BEAT_MS,
  writePredictions,
  writeReceipt,
  writeScores,
  writeStatus,
} from "./run-dir.ts";
import type { MetricsLine, Prediction, Receipt, Scores } from "./types.ts";

const newRun = (): string => openRunDir(join(mkdtempSync(join(tmpdir(), "mixtune-run-")), "0123456789abcdef"));

const line = (step: number, extra: Partial<MetricsLine> = {}): MetricsLine => ({
  step,
  loss: 1 / step,
  loss_per_task: { fpb: 0.5 },
  grad_norm: 2,
  learning_rate: 1e-4,
  tokens: 100 * step,
  seconds: step,
  ...extra,
});

const prediction: Prediction = {
  id: "test#1",
  prompt_digest: "ab",
  gold: "positive",
  output: "neutral",
  parsed: null,
  label_logprobs: { positive: -1.5, neutral: -0.5 },
  scores: { accuracy: 0 },
  group: "g",
};

test("opening makes the folders and removes what a killed writer left", () => {
  const dir = newRun();
  writeFileSync(join(dir, ".status.json.123.tmp"), "{");
  openRunDir(dir);
  expect(readdirSync(dir).sort()).toEqual(["checkpoints", "predictions"]);
});

describe("metrics", () => {
  test("come back as written", () => {
    const dir = newRun();
    expect(readMetrics(dir)).toEqual([]);
    const lines = [line(1), line(2, { dev_loss: { mean: 1 } })];
    for (const one of lines) appendMetrics(dir, one);
    expect(readMetrics(dir)).toEqual(lines);
  });

  test("are cut to a checkpoint's step, whatever byte the kill stopped at", () => {
    const whole = [1, 2, 3, 4].map((step) => `${JSON.stringify(line(step))}\n`).join("");
    fc.assert(
      fc.property(fc.nat({ max: whole.length }), fc.nat({ max: 5 }), (numBytes, step) => {
        const dir = newRun();
        writeFileSync(runPaths.metrics(dir), whole.slice(0, numBytes));
        const there = whole.slice(0, numBytes).split("\n").length - 1;
        cutMetrics(dir, step);
        const kept = Math.min(step, there);
        appendMetrics(dir, line(kept + 1));
        expect(readMetrics(dir).map((one) => one.step)).toEqual(Array.from({ length: kept + 1 }, (_, i) => i + 1));
      }),
      { numRuns: 60 },
    );
  });

  test("keep a number that was not finite as NaN", () => {
    const dir = newRun();
    appendMetrics(dir, line(1, { grad_norm: Number.POSITIVE_INFINITY }));
    expect(readMetrics(dir)[0]?.grad_norm).toBeNaN();
  });

  test("that are none are named by line", () => {
    const dir = newRun();
    appendMetrics(dir, line(1));
    appendFileSync(runPaths.metrics(dir), '{"step":-1}\n');
    expect(() => readMetrics(dir)).toThrow(/metrics\.jsonl:2: .*step/);
  });
});

describe("an interrupted run", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  const beat = (ageMs: number): string => new Date(now - ageMs).toISOString();
  const machine = (alive: boolean) => ({ pidAlive: () => alive, now, host: "here" });
  const running = { state: "running", pid: 7, host: "here" } as const;

  test("is one whose process is dead or silent", () => {
    expect(isInterrupted({ ...running, beat: beat(1000) }, machine(true))).toBe(false);
    expect(isInterrupted({ ...running, beat: beat(1000) }, machine(false))).toBe(true);
    expect(isInterrupted({ ...running, beat: beat(STALE_BEAT_MS + 1) }, machine(true))).toBe(true);
    expect(isInterrupted(running, machine(true))).toBe(true);
  });

  test("on another host is judged by its beat alone", () => {
    expect(isInterrupted({ ...running, host: "there", beat: beat(1000) }, machine(false))).toBe(false);
    expect(isInterrupted({ ...running, host: "there", beat: beat(STALE_BEAT_MS + 1) }, machine(true))).toBe(true);
  });

  test("says that it runs", () => {
    for (const state of ["planned", "done", "failed"] as const)
      expect(isInterrupted({ state }, machine(false))).toBe(false);
  });

  test("is told by a process number that nobody has", () => {
    expect(isPidAlive(process.pid)).toBe(true);
    expect(isPidAlive(2 ** 22 + 1)).toBe(false);
  });
});

test("a run without a status is planned, and a status comes back", () => {
  const dir = newRun();
  expect(readStatus(dir)).toEqual({ state: "planned" });
  writeStatus(dir, { state: "failed", reason: "loss is NaN", step: 3 });
  expect(readStatus(dir)).toEqual({ state: "failed", reason: "loss is NaN", step: 3 });
});

test("predictions come back, are listed, and what is no prediction is refused by line", () => {
  const dir = newRun();
  writePredictions(dir, "our-tickets", "dev", [prediction]);
  writePredictions(dir, "fpb", "test", [prediction, { ...prediction, id: "test#2" }]);
  expect(listPredictions(dir)).toEqual([
    { task: "fpb", split: "test" },
    { task: "our-tickets", split: "dev" },
  ]);
  expect(readPredictions(dir, "our-tickets", "dev")).toEqual([prediction]);
  writeFileSync(runPaths.predictionsOf(dir, "fpb", "test"), '{"id":1}\n');
  expect(() => readPredictions(dir, "fpb", "test")).toThrow(/fpb\.test\.jsonl:1: /);
});

test("scores come back without the values that do not exist", () => {
  const dir = newRun();
  expect(readScores(dir)).toEqual({ tasks: {} });
  const accuracy = { value: 0.5, low: 0.4, high: 0.6, method: "wilson" } as const;
  const scores: Scores = {
    tasks: {
      fpb: {
        test: {
          n: 10,
          n_groups: 10,
          metrics: { accuracy, mcc: { value: Number.NaN } },
          scoring: { constrained: { accuracy, mcc: { value: Number.NaN } } },
        },
      },
    },
  };
  writeScores(dir, scores);
  expect(readScores(dir).tasks.fpb).toEqual({
    test: { n: 10, n_groups: 10, metrics: { accuracy }, scoring: { constrained: { accuracy } } },
  });
});

test("numbers lack the constrained reading where they were written freely only; other answers never do", () => {
  const value = { value: 0.5 };
  const split = (metrics: Record<string, { value: number }>) => ({ n: 2, n_groups: 2, metrics, scoring: {} });
  const scores: Scores = {
    tasks: {
      free: { test: split({ number_accuracy: value, own_strict: value }) },
      both: { test: split({ number_accuracy: value, own_strict: value, own_constrained: { value: 0 } }) },
      labels: { test: split({ accuracy: value }) },
    },
  };
  const lacking = ["free", "both", "labels", "new"].filter((task) => lacksConstrainedNumbers(scores, task, "test"));
  expect(lacking).toEqual(["free"]);
});

test("a receipt comes back", () => {
  const dir = newRun();
  expect(readReceipt(dir)).toBeUndefined();
  const receipt: Receipt = {
    versions: { node: "20" },
    host: { platform: "linux", cpu: "x", cores: 2, memory_bytes: 1 },
    seed: 1,
    threads: 2,
    cost: { tokens: 1, flops: 2, seconds: 3, peak_memory_bytes: 4 },
  };
  writeReceipt(dir, receipt);
  expect(readReceipt(dir)).toEqual(receipt);
});

test("a damaged record is refused with place and remedy", () => {
  const dir = newRun();
  writeFileSync(runPaths.status(dir), '{"state":"dancing"}');
  expect(() => readStatus(dir)).toThrow(/status\.json: expected a record as this project writes it, got state: /);
  writeFileSync(runPaths.status(dir), '{"state":');
  expect(() => readStatus(dir)).toThrow(DataError);
  expect(existsSync(runPaths.status(dir))).toBe(true);
  expect(readFileSync(runPaths.status(dir), "utf8")).toBe('{"state":');
});
