import { expect, test } from "vitest";
import { AdamW } from "./adamw.ts";

// The regression: a float32 sum of the squares of a large model's gradient was 10 % too small, so that max_grad_norm clipped too little.
test("the norm of very many numbers is as exact as that of few", async () => {
  const config = { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
  const optimizer = await AdamW.create(config, { threads: 1 });
  const n = 2 ** 24;
  const steps = Float32Array.from({ length: n }, (_, i) => i / n); // each of them exact
  expect(optimizer.norm(steps) / Math.sqrt(((n - 1) * (2 * n - 1)) / (6 * n))).toBeCloseTo(1, 11);
  expect(optimizer.norm(steps.subarray(n - 7)) / Math.hypot(...steps.subarray(n - 7))).toBeCloseTo(1, 11);
  await optimizer.release();
});
