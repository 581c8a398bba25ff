import { describe, expect, test } from "vitest";
import type { RunSpec } from "../specs/types.ts";
import { environmentOfSlot, gpuGroups, gpusOfRuns, refuseDivided, visibleGpus } from "./gpus.ts";

describe("the GPUs that runs are given", () => {
  test.each([
    ["all, where nobody chose", 3, undefined, ["0", "1", "2"]],
    ["none, where PyTorch sees none", 0, undefined, []],
    ["none, where a person hid them", 0, "", []],
    ["indices in a person's order", 2, "3, 1", ["3", "1"]],
    ["UUIDs", 2, "GPU-8932f937,GPU-1acb1e2f", ["GPU-8932f937", "GPU-1acb1e2f"]],
    ["those before the first name that is none", 1, "2,-1,0", ["2"]],
    ["all MIG instances, of which a process sees one", 1, "MIG-a,MIG-b", ["MIG-a", "MIG-b"]],
  ])("are %s", (_, count, visible, expected) => {
    expect(visibleGpus(count, visible === undefined ? {} : { CUDA_VISIBLE_DEVICES: visible })).toEqual(expected);
  });

  test("are as many for each run, and none is in two groups", () => {
    expect(gpuGroups(["0", "1", "2"], 1)).toEqual([["0"], ["1"], ["2"]]);
    expect(gpuGroups(["0", "1", "2", "3", "4"], 2)).toEqual([
      ["0", "1"],
      ["2", "3"],
    ]);
    expect(gpuGroups(["0"], 2)).toEqual([]);
  });

  test("are all that a process sees; more processes than groups share them in turn", () => {
    const groups = gpuGroups(["4", "5", "6", "7"], 2);
    const seen = [0, 1, 2].map((slot) =>
      environmentOfSlot({ PATH: "/bin", CUDA_VISIBLE_DEVICES: "4,5,6,7" }, groups, slot),
    );
    expect(seen.map((environment) => environment.CUDA_VISIBLE_DEVICES)).toEqual(["4,5", "6,7", "4,5"]);
    expect(seen[0]!.PATH).toBe("/bin");
    expect(environmentOfSlot({ PATH: "/bin" }, [], 3)).toEqual({ PATH: "/bin" });
  });
});

describe("GPUs of one run", () => {
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
      "train.load_in_4bit: expected false, with options.gpus 2, got true.",
    );
    expect(() => refuseDivided(2, planned(false))).not.toThrow();
    expect(() => refuseDivided(1, planned(true))).not.toThrow();
  });

  test.each([
    [3, 2, {}, "options.gpus: expected at most 2, as many as PyTorch sees on this machine, got 3."],
    [1, 0, {}, "expected at most 0"],
    [2, 1, { CUDA_VISIBLE_DEVICES: "MIG-a,MIG-b" }, "expected at most 1, as a process sees one MIG instance, got 2."],
  ])("is at most what is there: %i of %i", (asked, count, environment, message) => {
    expect(() => gpusOfRuns(asked, count, environment)).toThrow(message);
  });
});
