import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordStudy } from "../../test/support/recorded-study.ts";
import { readScores, runPaths, writeStatus } from "../runs/run-dir.ts";
import type { StudyLock } from "../study/lock-file.ts";
import { runDir } from "../study/scored.ts";
import { exportedRuns, runEvents, runsJsonl } from "./exported-runs.ts";

let dir: string;
let lock: StudyLock;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "mixtune-export-"));
  lock = recordStudy(dir, { tasks: ["a", "b"], design: "[singles]", seeds: [1, 2], numItems: 10, chance: () => 0.7 });
});
afterAll(() => rmSync(dir, { recursive: true }));

const refuse = (message: string): never => {
  throw new Error(message);
};

test("every run is a line of settings, a line a step under wandb's names, and a line of scores", () => {
  const runs = exportedRuns(dir, lock, refuse);
  const lines = runsJsonl(runs)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(4 * (1 + 3 + 1));
  const [first] = lock.runs;
  const own = { run_id: first!.id, run_name: `a-seed1-${first!.id.slice(0, 8)}` };
  expect(lines[0]).toMatchObject({
    ...own,
    group: "a",
    config: { seed: 1, "train.method": "lora", "data.a.num_train": 9 },
  });
  expect(lines[2]).toEqual({
    ...own,
    _step: 2,
    _runtime: 1,
    "train/loss": 0.5,
    "train/loss/a": 0.5,
    "train/grad_norm": 1,
    "train/learning_rate": 1,
    "train/tokens": 9,
  });
  const { value } = readScores(runDir(dir, first!.id)).tasks.b!.test!.metrics.accuracy!;
  expect(lines[4]).toMatchObject({ ...own, summary: { "test/b/accuracy": value, "cost/tokens": 1000 } });
});

test("an event file begins when the run did", () => {
  const [first] = lock.runs;
  writeStatus(runDir(dir, first!.id), { state: "done", started: "2024-11-06T00:00:00.500Z" });
  const [run] = exportedRuns(dir, lock, refuse);
  const file = Buffer.from(runEvents(run!));
  // length and its checksum, then the first field: wall time
  expect(file.readDoubleLE(12 + 1)).toBe(Date.UTC(2024, 10, 6) / 1000 + 0.5);
  expect(file.includes("test/b/accuracy")).toBe(true);
});

test("names of runs are names of folders, whatever a lock says", () => {
  const runs = lock.runs.map((run, i) => ({
    ...run,
    mixture: { ...run.mixture, name: i === 0 ? "../x (y)" : run.mixture.name },
  }));
  const names = exportedRuns(dir, { ...lock, runs }, refuse).map(({ name }) => name);
  expect(names[0]).toMatch(/^_x_y_-seed1-[0-9a-f]{8}$/);
  expect(new Set(names).size).toBe(4);
});

test("a run that has not begun is left out, and a damaged file is said", () => {
  rmSync(runPaths.metrics(runDir(dir, lock.runs[1]!.id)));
  writeFileSync(runPaths.scores(runDir(dir, lock.runs[2]!.id)), "{");
  const problems: string[] = [];
  const runs = exportedRuns(dir, lock, (message) => problems.push(message));
  expect(runs.map(({ id }) => id)).toEqual([0, 2, 3].map((i) => lock.runs[i]!.id));
  expect(problems).toEqual([expect.stringContaining("scores.json")]);
});
