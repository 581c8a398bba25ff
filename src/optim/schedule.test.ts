import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ScheduleConfig } from "./schedule.ts";
import { learningRate, stepsOf } from "./schedule.ts";

interface Case {
  kind: ScheduleConfig["lr_scheduler_type"];
  steps: number;
  warmup: number;
  decay: number;
  rates: number[];
}

const cases = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../test/golden/optim/schedules/expected.json"), "utf8"),
) as Case[];

describe("learning rates are those of transformers", () => {
  test.each(cases)("$kind, $steps steps, $warmup of warm-up", ({ kind, steps, warmup, decay, rates }) => {
    const config = { learning_rate: 2e-4, lr_scheduler_type: kind, warmup_steps: warmup, decay_steps: decay };
    rates.forEach((rate, step) => expect(learningRate(config, step, steps)).toBeCloseTo(rate, 12));
  });
});

test("a number of steps below 1 is a share of all steps, rounded up", () => {
  expect(stepsOf(0.03, 100)).toBe(3);
  expect(stepsOf(0.03, 101)).toBe(4);
  expect(stepsOf(0, 100)).toBe(0);
  expect(stepsOf(10, 100)).toBe(10);
});
