import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import type { RunSpec } from "../specs/types.ts";
import { commitCheckpoint } from "./checkpoints.ts";
import {
  appendMetrics,
  openRunDir,
  writeJudgements,
  writePredictions,
  writeScores,
  writeSpec,
  writeStatus,
} from "./run-dir.ts";
import { verifyRun } from "./verify.ts";

const spec = { format: 1, seed: 3 } as RunSpec;
const idOf = (read: RunSpec): string => `id-of-${read.seed}`;

function goodRun(): string {
  const dir = openRunDir(join(mkdtempSync(join(tmpdir(), "mixtune-verify-")), "id-of-3"));
  writeSpec(dir, spec);
  writeStatus(dir, { state: "done" });
  for (const step of [1, 2]) {
    appendMetrics(dir, { step, loss: 1, loss_per_task: {}, grad_norm: 1, learning_rate: 1, tokens: 1, seconds: 1 });
  }
  const writeFiles = (folder: string): Record<string, string> => {
    writeFileSync(join(folder, "w"), "w");
    return {};
  };
  commitCheckpoint(dir, 2, writeFiles, { best: false });
  const prediction = { id: "dev#0", prompt_digest: "d", gold: "a", output: "a", parsed: "a", scores: {}, group: "g" };
  writePredictions(dir, "fpb", "dev", [prediction]);
  writeScores(dir, { tasks: { fpb: { dev: { n: 1, n_groups: 1, metrics: {}, scoring: {} } } } });
  return dir;
}

/** Judges the one answer of {@link goodRun}, or another one. */
function judge(dir: string, output: string): string {
  const judges = [{ judge: "a", verdict: null, reason: "" }];
  writeJudgements(dir, "fpb", "dev", [{ id: "dev#0", output_digest: sha256(output), verdict: "undecided", judges }]);
  const scores = { n: 1, n_groups: 1, metrics: {}, scoring: {}, judged: { panel: "p", judges: ["a"] } };
  writeScores(dir, { tasks: { fpb: { dev: scores } } });
  return dir;
}

test("a whole run has no problems, judged or not", () => {
  expect(verifyRun(goodRun(), idOf)).toEqual([]);
  expect(verifyRun(judge(goodRun(), "a"), idOf)).toEqual([]);
});

test("a service may tell of some steps only, in order", () => {
  const dir = mkdtempSync(join(tmpdir(), "mixtune-verify-"));
  const problems = () => verifyRun(dir, () => "x").filter((problem) => problem.includes("metrics.jsonl"));
  const lines = (...steps: number[]) => steps.map((step) => `{"step":${step},"loss":1,"loss_per_task":{}}\n`).join("");
  writeFileSync(join(dir, "metrics.jsonl"), lines(2, 5, 9));
  expect(problems()).toHaveLength(1);
  writeFileSync(join(dir, "job.json"), "{}");
  expect(problems()).toEqual([]);
  writeFileSync(join(dir, "metrics.jsonl"), lines(2, 2));
  expect(problems()).toHaveLength(1);
  rmSync(dir, { recursive: true });
});

test.each<[string, (dir: string) => void, RegExp]>([
  ["a spec of another run", (dir) => writeSpec(dir, { ...spec, seed: 4 }), /spec\.json belongs to run id-of-4/],
  [
    "a missing step",
    (dir) => writeFileSync(join(dir, "metrics.jsonl"), '{"step":2,"loss":1,"loss_per_task":{}}\n'),
    /step 2 where step 1 belongs/,
  ],
  [
    "a log that ends before the checkpoint",
    (dir) => writeFileSync(join(dir, "metrics.jsonl"), ""),
    /ends at step 0, before the checkpoint/,
  ],
  [
    "a changed checkpoint",
    (dir) => writeFileSync(join(dir, "checkpoints", "step-2", "w"), "x"),
    /step-2\/w: expected the file with SHA-256/,
  ],
  [
    "scores of other predictions",
    (dir) => writePredictions(dir, "fpb", "dev", []),
    /0 predictions, scores\.json counts 1/,
  ],
  [
    "a judgement of another answer",
    (dir) => judge(dir, "b"),
    /fpb\.dev has other predictions than those that were judged/,
  ],
  ["a damaged status", (dir) => writeFileSync(join(dir, "status.json"), "{}"), /status\.json/],
])("%s is a problem", (_, damage, message) => {
  const dir = goodRun();
  damage(dir);
  expect(verifyRun(dir, idOf).join("\n")).toMatch(message);
});
