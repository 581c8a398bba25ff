import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRunDir, runPaths, writeSplit, writeStatus } from "../runs/run-dir.ts";
import { jobProgress } from "./progress.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const host = hostname();
const asker = { now: NOW, host };
const heard = (secondsAgo: number) => ({
  pid: process.pid,
  host,
  beat: new Date(NOW - 1000 * secondsAgo).toISOString(),
});

let dir: string;
beforeEach(() => {
  dir = openRunDir(mkdtempSync(join(tmpdir(), "mixtune-progress-")));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("how far a run is", () => {
  test("planned where nothing was written", () => {
    expect(jobProgress(join(dir, "none"), [], undefined, asker)).toEqual({ state: "planned" });
  });

  test("running while its process is there and heard of, with its step", () => {
    writeStatus(dir, { state: "running", ...heard(5), step: 3, num_steps: 10 });
    expect(jobProgress(dir, [], undefined, asker)).toEqual({ state: "running", step: 3, numSteps: 10 });
  });

  test("interrupted when it has been silent for minutes, or its process is gone", () => {
    writeStatus(dir, { state: "running", ...heard(300), step: 3, num_steps: 10 });
    expect(jobProgress(dir, [], undefined, asker)).toEqual({ state: "interrupted", step: 3, numSteps: 10 });
    writeStatus(dir, { state: "running", ...heard(5), pid: 2 ** 22 + 1 });
    expect(jobProgress(dir, [], undefined, asker)).toEqual({ state: "interrupted" });
  });

  test("interrupted when its person stopped it", () => {
    writeStatus(dir, { state: "interrupted", ...heard(300), step: 3, num_steps: 10 });
    expect(jobProgress(dir, [], undefined, asker)).toEqual({ state: "interrupted", step: 3, numSteps: 10 });
  });

  test("damaged where it says done and a file is gone", () => {
    writeStatus(dir, { state: "done" });
    const scores = { n: 0, n_groups: 0, metrics: {}, scoring: {} };
    writeSplit(dir, { tasks: {} }, { task: "a", split: "dev" }, { predictions: [], scores });
    expect(jobProgress(dir, ["a"], undefined, asker)).toEqual({ state: "done" });
    rmSync(runPaths.predictionsOf(dir, "a", "dev"));
    const reason = "predictions/a.dev.jsonl is missing";
    expect(jobProgress(dir, ["a"], undefined, asker)).toEqual({ state: "damaged", reason });
  });

  test("failed with the first line of the reason, the ledger's before its own", () => {
    writeStatus(dir, { state: "failed", reason: "no memory\nstack" });
    expect(jobProgress(dir, [], undefined, asker)).toEqual({ state: "failed", reason: "no memory" });
    expect(jobProgress(dir, [], "a full disk", asker)).toEqual({ state: "failed", reason: "a full disk" });
  });

  test("done, whatever went wrong before", () => {
    writeStatus(dir, { state: "done" });
    expect(jobProgress(dir, [], "a full disk", asker)).toEqual({ state: "done" });
  });
});
