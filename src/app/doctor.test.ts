import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openModelFolder } from "../models/weights.ts";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import { doctor } from "./doctor.ts";
import { sizeOf } from "./models/base-model.ts";
import { mayFit } from "./models/memory.ts";
import { memoryOf, sumOf, trainableWeights } from "./models/memory-estimate.ts";
import { packageRoot } from "./package.ts";
import { readSettings } from "./settings.ts";
import { openWorkspace } from "./workspace.ts";

test("what ONNX Runtime's telemetry left is named, and how to delete it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-doctor-"));
  const left = join(folder, ".onnxruntime");
  const settings = { ...readSettings({ MIXTUNE_PYTHON: "/no/python" }), telemetryDir: left };
  const workspace = openWorkspace({ settings });
  const checked = async () => (await doctor(workspace)).checks.find(({ name }) => name === "telemetry");
  try {
    expect(await checked()).toMatchObject({ state: "ok" });
    mkdirSync(left);
    writeFileSync(join(left, "deviceid"), "5ad963bd-4b3a-4118-a481-401cc0211875");
    expect(await checked()).toMatchObject({
      state: "warn",
      found: expect.stringContaining(left),
      remedy: expect.stringContaining(`rm -r '${left}'`),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("models fit by the estimate that plans use", async () => {
  const { checks, models } = await doctor(openWorkspace());
  expect(checks.filter(({ state }) => state === "fail")).toEqual([]);
  const tiny = sizeOf(openModelFolder(join(packageRoot(), "assets", "tiny")).config);
  const expected = sumOf(memoryOf(tiny, trainableWeights(tiny, { ...TRAIN_DEFAULTS, method: "lora" })));
  expect(models[0]!.needs_bytes / expected).toBeCloseTo(1, 1);
  for (const { needs_bytes, fits } of models) expect(fits).toBe(mayFit(needs_bytes));
});

test("a machine may hold a little less than the estimate, which may be wrong by 15 %", () => {
  expect([mayFit(1.1e9, 1e9), mayFit(1.2e9, 1e9)]).toEqual([true, false]);
});
