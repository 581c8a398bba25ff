import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSafetensors } from "../formats/safetensors.ts";
import { commitCheckpoint } from "../runs/checkpoints.ts";
import { appendMetrics, openRunDir, writePredictions } from "../runs/run-dir.ts";
import { parityOf } from "./parity.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-parity-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Changes {
  loss?: number;
  dev?: number;
  rate?: number;
  weight?: number;
  logprob?: number;
  output?: string;
}

let made = 0;
function runDir({ loss = 1, dev = 2, rate = 0.1, weight = 3, logprob = -0.5, output = "yes" }: Changes = {}): string {
  const dir = join(folder, String(made++));
  mkdirSync(dir);
  openRunDir(dir);
  const line = { loss_per_task: { t: loss }, grad_norm: 1, tokens: 10, seconds: 1 };
  appendMetrics(dir, { ...line, step: 1, loss: 1, learning_rate: 0.1 });
  appendMetrics(dir, { ...line, step: 2, loss, learning_rate: rate, dev_loss: { t: dev } });
  commitCheckpoint(
    dir,
    2,
    (into) => {
      const data = Float32Array.of(1, weight);
      const file = "adapter_model.safetensors";
      return { [file]: writeSafetensors(join(into, file), [{ name: "a", dtype: "F32", shape: [2], data }]) };
    },
    { best: false },
  );
  writePredictions(dir, "t", "test", [
    {
      ...{ id: "one", prompt_digest: "d", gold: "yes", output, parsed: output, group: "g" },
      ...{ label_logprobs: { yes: logprob, no: -1 }, scores: { constrained: output === "yes" ? 1 : 0 } },
    },
  ]);
  return dir;
}

const LORA = { method: "lora" } as const;

test("runs that are the same are 0 apart", () => {
  const found = parityOf(runDir(), runDir(), LORA);
  expect(found).toEqual({ steps: 2, loss: 0, dev_loss: 0, weight: 0, items: 1, logprob: 0, other_answers: [] });
});

test.each([
  ["loss", { loss: 1.25 }, 0.25],
  ["dev_loss", { dev: 2.5 }, 0.5],
  ["weight", { weight: 3.5 }, 0.5],
  ["weight", { weight: Number.NaN }, Number.POSITIVE_INFINITY],
  ["logprob", { logprob: -0.25 }, 0.25],
] as const)("a difference of %s is seen: %j", (key, changes, expected) => {
  expect(parityOf(runDir(), runDir(changes), LORA)[key]).toBe(expected);
});

test("another answer is named", () => {
  const { other_answers } = parityOf(runDir(), runDir({ output: "no" }), LORA);
  expect(other_answers).toEqual([{ task: "t", split: "test", id: "one" }]);
});

test("runs of different specs are refused", () => {
  expect(() => parityOf(runDir(), runDir({ rate: 0.2 }), LORA)).toThrow("step 2: learning_rate");
});
