import { expect, test } from "vitest";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import type { TrainSpec } from "../specs/types.ts";
import type { Job } from "../study/types.ts";
import { preparedFor } from "./prepare-job.ts";

const computer = { device: "auto", ranks: 2, compile: true, isGpu: true } as const;
const numbers = (job: object) => {
  const { precision, load_in_4bit } = preparedFor(computer, job as Job);
  return [precision, load_in_4bit];
};

test.each<[Partial<TrainSpec>, string, boolean]>([
  [{}, "float32", false],
  [{ bf16: true }, "bfloat16", false],
  [{ load_in_4bit: true }, "float32", true],
  [{ bf16: true, load_in_4bit: true }, "bfloat16", true],
])("a run, and the untuned model beside it, compute in the numbers of %j", (train, precision, in4Bits) => {
  expect(numbers({ kind: "run", spec: { train: { ...TRAIN_DEFAULTS, ...train } } })).toEqual([precision, in4Bits]);
  expect(numbers({ kind: "base", numerics: train })).toEqual([precision, in4Bits]);
});

test("a job is done on the machine that there is", () => {
  const base = { kind: "base", numerics: {} } as Job;
  expect(preparedFor(computer, base)).toMatchObject({
    device: "auto",
    ranks: 2,
    compile: true,
    microBatchTokens: 8192,
  });
  expect(preparedFor({ ...computer, isGpu: false }, base).microBatchTokens).toBe(1024);
});
