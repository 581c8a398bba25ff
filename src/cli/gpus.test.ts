import { describe, expect, test } from "vitest";
import type { RunSpec } from "../specs/types.ts";
import { gpusOfRuns, refuseDivided } from "./gpus.ts";

describe("--gpus", () => {
  test("says how many runs go on side by side", () => {
    expect(gpusOfRuns(undefined, 3, {})).toEqual([["0"], ["1"], ["2"]]);
    expect(gpusOfRuns(2, 5, {})).toEqual([
      ["0", "1"],
      ["2", "3"],
    ]);
    expect(gpusOfRuns(undefined, 0, {})).toEqual([]);
    expect(gpusOfRuns(0, 3, {})).toEqual([]);
    expect(gpusOfRuns(1, 1, { CUDA_VISIBLE_DEVICES: "MIG-a,MIG-b" })).toEqual([["MIG-a"], ["MIG-b"]]);
  });

  test("of two is not for frozen layers in 4 bits", () => {
    const planned = (load_in_4bit: boolean) => [{ spec: { train: { load_in_4bit } } as RunSpec }];
    expect(() => refuseDivided(2, planned(true))).toThrow(
      "train.load_in_4bit: expected false, with --gpus 2, got true.",
    );
    expect(() => refuseDivided(2, planned(false))).not.toThrow();
    expect(() => refuseDivided(1, planned(true))).not.toThrow();
  });

  test.each([
    [3, 2, {}, "--gpus: expected at most 2, as many as PyTorch sees on this machine, got 3."],
    [1, 0, {}, "expected at most 0"],
    [2, 1, { CUDA_VISIBLE_DEVICES: "MIG-a,MIG-b" }, "expected at most 1, as a process sees one MIG instance, got 2."],
  ])("is at most what is there: %i of %i", (asked, count, environment, message) => {
    expect(() => gpusOfRuns(asked, count, environment)).toThrow(message);
  });
});
