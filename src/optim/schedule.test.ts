import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ScheduleConfig } from "./schedule.ts";
import { learningRate, warmupSteps } from "./schedule.ts";

interface Case {
  kind: ScheduleConfig["lr_scheduler_type"];
  steps: number;
  warmup: number;
  rates: number[];
}

const cases = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../test/golden/optim/schedules/expected.json"), "utf8"),
) as Case[];

describe("learning rates are those of transformers", () => {
  test.each(cases)("$kind, $steps steps, $warmup of warm-up", ({ kind, steps, warmup, rates }) => {
    const config = { learning_rate: 2e-4, lr_scheduler_type: kind, warmup_steps: warmup };
    rates.forEach((rate, step) => expect(learningRate(config, step, steps)).toBeCloseTo(rate, 12));
  });
});

test("a warm-up below 1 is a share of all steps, rounded up", () => {
  expect(warmupSteps(0.03, 100)).toBe(3);
  expect(warmupSteps(0.03, 101)).toBe(4);
  expect(warmupSteps(0, 100)).toBe(0);
  expect(warmupSteps(10, 100)).toBe(10);
});
