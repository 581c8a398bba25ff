import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Rng } from "../../src/base/rng.ts";
import { checkRecords } from "../support/run-dir-schemas.ts";

const MIXTUNE = join(import.meta.dirname, "../../dist/mixtune.js");
const folder = mkdtempSync(join(tmpdir(), "mixtune-resume-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEPS = 14;

function runFile(method: "lora" | "full"): string {
  const path = join(folder, `${method}.yaml`);
  const train = `method: ${method}, max_steps: ${STEPS}, train_batch_size: 8, cutoff_len: 128, eval_steps: 4, save_steps: 3, evaluate: best, keep: weights`;
  const lines = [
    "name: resume",
    "model: mixtune/tiny",
    "mixture: {gen-sentiment: {max_train: 40}, gen-topic: {max_train: 24}}",
    `train: {${train}}`,
    "seed: 3",
    "eval: {max_dev: 16, max_test: 16}",
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

function start(file: string, out: string): ChildProcess {
  return spawn(process.execPath, [MIXTUNE, "train", file, "--out", out, "--quiet"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function runFolder(out: string): string | undefined {
  const runs = join(out, "runs");
  const [id] = existsSync(runs) ? readdirSync(runs) : [];
  return id === undefined ? undefined : join(runs, id);
}

function loggedSteps(out: string): number {
  const run = runFolder(out);
  const log = run === undefined ? "" : join(run, "metrics.jsonl");
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
}

/** Digest of every file that the run's result consists of, by path. */
function resultDigests(out: string): Record<string, string> {
  const run = runFolder(out)!;
  const files = ["checkpoints", "predictions"].flatMap((name) =>
    readdirSync(join(run, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return Object.fromEntries([...files, join(run, "scores.json")].map((path) => [path.slice(run.length), digest(path)]));
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));

test.each(["lora", "full"] as const)(
  "a run killed at random steps ends with the same bytes as one that never stopped, %s",
  async (method) => {
    const file = runFile(method);
    const straight = join(folder, `${method}-straight`);
    expect(await ended(start(file, straight))).toBe(0);

    const killed = join(folder, `${method}-killed`);
    const rng = new Rng(process.env.MIXTUNE_TEST_SEED ?? "resume");
    let kills = 0;
    for (const until of [1 + rng.int(4), 5 + rng.int(4), 9 + rng.int(5)]) {
      const child = start(file, killed);
      const exit = ended(child);
      while (child.exitCode === null && loggedSteps(killed) < until)
        await new Promise((resolve) => setTimeout(resolve, 5));
      if (child.exitCode === null) kills++;
      child.kill("SIGKILL");
      await exit;
    }
    expect(kills).toBe(3);
    expect(await ended(start(file, killed))).toBe(0);

    expect(loggedSteps(killed)).toBe(STEPS);
    const digests = resultDigests(straight);
    expect(Object.keys(digests).some((path) => path.endsWith(".safetensors"))).toBe(true);
    expect(resultDigests(killed)).toEqual(digests);

    // status, receipt, scores, last, best, a line a step, and 16 predictions of two tasks on two splits
    expect(checkRecords(runFolder(killed)!)).toEqual({ problems: [], numRecords: 5 + STEPS + 64 });
  },
);
