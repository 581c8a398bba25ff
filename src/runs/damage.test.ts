import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunSpec } from "../specs/types.ts";
import { commitCheckpoint, keepCheckpoints } from "./checkpoints.ts";
import { damageOf, isAnswered } from "./damage.ts";
import { openRunDir, readScores, runPaths, writeReceipt, writeScores, writeSpec, writeSplit } from "./run-dir.ts";
import type { Prediction, Scores } from "./types.ts";

const ANSWER: Prediction = {
  ...{ id: "test#0", prompt_digest: "p", gold: "up", output: "up", parsed: "up", group: "0" },
  scores: { accuracy: 1 },
};
const SCORED = { n: 1, n_groups: 1, metrics: { accuracy: { value: 1 } }, scoring: { constrained: {} } };

let root: string;
let dir: string;
const weights = () => join(dir, "checkpoints", "step-2", "model.safetensors");
const predictions = () => runPaths.predictionsOf(dir, "a", "test");
const damage = () => damageOf(dir, ["a", "b"]).map(({ path, is }) => [path.slice(dir.length + 1), is]);

/** Changes bytes without changing size or modification time, as `cp -p` and careless tools do. */
function spoil(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "mixtune-damage-"));
  dir = openRunDir(join(root, "run"));
  writeSpec(dir, { train: { keep: "last" } } as RunSpec);
  commitCheckpoint(
    dir,
    2,
    (folder) => {
      writeFileSync(join(folder, "model.safetensors"), "weights");
      return {};
    },
    { best: false },
  );
  const cost = { tokens: 1, flops: 1, seconds: 1, peak_memory_bytes: 1 };
  const host = { platform: "linux", cpu: "x", cores: 2, memory_bytes: 1 };
  writeReceipt(dir, { versions: {}, host, seed: 1, threads: 1, cost });
  const scores: Scores = { tasks: {} };
  for (const task of ["a", "b"])
    writeSplit(dir, scores, { task, split: "test" }, { predictions: [ANSWER], scores: SCORED });
});
afterEach(() => rmSync(root, { recursive: true }));

describe("a finished run", () => {
  test("is whole as it was written, and as a copy whose files are all new", () => {
    expect(damage()).toEqual([]);
    cpSync(dir, join(root, "copy"), { recursive: true });
    dir = join(root, "copy");
    expect(damage()).toEqual([]);
  });

  test("lacks what was deleted or changed, by name", () => {
    rmSync(predictions());
    expect(damage()).toEqual([["predictions/a.test.jsonl", "missing"]]);
    spoil(runPaths.predictionsOf(dir, "b", "test"));
    spoil(weights());
    expect(damage()).toEqual([
      ["predictions/a.test.jsonl", "missing"],
      ["predictions/b.test.jsonl", "changed"],
      ["checkpoints/step-2/model.safetensors", "changed"],
    ]);
    rmSync(join(dir, "checkpoints"), { recursive: true });
    expect(damage()).toContainEqual(["checkpoints/last.json", "missing"]);
  });

  test("holds scores that vouch for themselves", () => {
    const path = runPaths.scores(dir);
    writeFileSync(path, readFileSync(path, "utf8").replace('"value": 1', '"value": 0.5'));
    expect(damage()).toEqual([["scores.json", "changed"]]);
    expect(() => readScores(dir)).toThrow(/scores\.json: expected the scores as they were written, got a file/);
    rmSync(path);
    expect(damage()).toEqual([["scores.json", "missing"]]);
  });

  test("is asked again for the split whose predictions are damaged, and for no other", () => {
    rmSync(predictions());
    const scores = readScores(dir);
    const answered = ["a", "b"].map((task) => isAnswered(dir, scores, { task, split: "test" }, ["constrained"]));
    expect(answered).toEqual([false, true]);
  });

  test("needs no weights where none are kept, and no tasks that the study has no more", () => {
    writeSpec(dir, { train: { keep: "none" } } as RunSpec);
    keepCheckpoints(dir, "none");
    rmSync(predictions());
    expect(damageOf(dir, ["b"])).toEqual([]);
  });

  test("of an earlier version, without digests, is read, and what it lacks is found", () => {
    const { a, b } = readScores(dir).tasks;
    const { predictions: _, ...before } = a!.test!;
    writeScores(dir, { tasks: { a: { test: before }, b: b! } });
    const record = JSON.parse(readFileSync(runPaths.scores(dir), "utf8"));
    delete record.digest;
    writeFileSync(runPaths.scores(dir), JSON.stringify(record));
    expect(damage()).toEqual([]);
    rmSync(predictions());
    expect(damage()).toEqual([["predictions/a.test.jsonl", "missing"]]);
  });
});
