import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRunDir, writeStatus } from "../../runs/run-dir.ts";
import { parseStudy } from "../../specs/study-file.ts";
import { runDir } from "../../study/scored.ts";
import type { Estimate } from "../../study/types.ts";
import { openWorkspace } from "../workspace.ts";
import { jobsOf } from "./jobs.ts";
import { memoryTogether } from "./places.ts";
import { planStudy } from "./plan-study.ts";
import { planSummary } from "./plan-summary.ts";

const STUDY = `name: s
models: [mixtune/tiny]
tasks: {gen-topic: {max_train: 20}, gen-sentiment: {max_train: 20}}
design: [singles, all]
train: {train_batch_size: 4, method: lora}
eval: {max_dev: 8, max_test: 8, baselines: []}
`;

test("a plan's time is that of all its jobs, untuned models and scoring included; runs that are done tell it for the rest", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-test-"));
  try {
    const study = parseStudy(STUDY, "/s.yaml", { assignments: [], cwd: "/" });
    const workspace = openWorkspace();
    const planned = await planStudy({ study, text: STUDY }, workspace, { out: folder });
    const pace = { start: 2, train: 3, score: 5, from: "measurement" } as const;
    const { totals, runs } = await planSummary(planned, workspace, pace);
    const seconds = jobsOf(planned).map(({ time }) => 2 * time.start + 3 * time.train + 5 * time.score);
    const sum = seconds.reduce((total, one) => total + one, 0);
    expect(seconds).toHaveLength(4);
    expect(seconds[0]).toBeCloseTo(totals.untuned_seconds, 9);
    expect(runs.map((run) => run.estimate.seconds)).toEqual(seconds.slice(1));
    for (const { time } of jobsOf(planned)) expect(time.score).toBeGreaterThan(0);
    expect(totals.seconds).toBeGreaterThanOrEqual(Math.max(...seconds, sum / totals.concurrency) - 1e-9);
    expect(totals.seconds).toBeLessThanOrEqual(sum + 1e-9);

    const [first] = planned.plan;
    openRunDir(runDir(folder, first!.id));
    writeStatus(runDir(folder, first!.id), { state: "done", seconds: 7 * first!.estimate.seconds });
    const after = await planSummary(planned, workspace);
    expect(after.totals.pace).toBe("runs");
    expect(after.totals.untuned_seconds / sevenfold(planned)).toBeCloseTo(1, 6);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Of the untuned model, seven times what the arithmetic says. */
function sevenfold(planned: Awaited<ReturnType<typeof planStudy>>): number {
  const { start, train, score } = jobsOf(planned)[0]!.time;
  return 7 * (start + train + score);
}

test("side by side the program is in memory once, and only the largest runs count", () => {
  const of = (weights: number): Estimate => {
    const memory = { process: 100, weights, optimizer: 1, activations: 2, logits: 3, scoring: 4 };
    const nothing = { examples: 0, tokens: 0, ingredients: {}, steps: 0, seconds: 0, disk_bytes: 0 };
    const time = { start: 0, train: 0, score: 0 };
    return { ...nothing, time, working_disk_bytes: 0, memory, memory_bytes: 110 + weights };
  };
  expect(memoryTogether([of(5), of(70), of(30)], 2).memory_bytes).toBe(100 + 80 + 40);
  expect(memoryTogether([of(5)], 4).memory_bytes).toBe(115);
});
