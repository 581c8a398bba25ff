/** @file A study that is killed, raced and starved of disk ends with the bytes of one that was left alone. */

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Rng } from "../../src/base/rng.ts";
import { verifyRun } from "../../src/runs/verify.ts";
import { runId } from "../../src/specs/run-id.ts";
import { readLedger } from "../../src/study/ledger.ts";

const MIXTUNE = join(import.meta.dirname, "../../dist/mixtune.js");
const SEED = process.env.MIXTUNE_TEST_SEED ?? "chaos";
/** A kill comes after at most so many new files, temporary ones too. */
const MOST_FILES = 40;

const folder = mkdtempSync(join(tmpdir(), "mixtune-chaos-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const study = join(folder, "study.yaml");
writeFileSync(
  study,
  `name: chaos
models: [mixtune/tiny]
tasks: {gen-sentiment: {max_train: 24}, gen-topic: {max_train: 24}}
design: [singles, all]
seeds: [1, 2]
train: {method: lora, lora_rank: 4, max_steps: 4, train_batch_size: 8, cutoff_len: 128, eval_steps: 2, save_steps: 1, evaluate: best, keep: weights}
eval: {max_dev: 6, max_test: 10, scoring: [constrained]}
`,
);

interface Ended {
  /** Null: killed. */
  status: number | null;
  /** On either stream. */
  said: string;
}

interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  kill(): void;
}

/** Starts the study in a process group of its own. @param fileLimit  kilobytes beyond which no file grows, as on a full disk */
function start(out: string, fileLimit: number | "unlimited" = "unlimited"): Running {
  const command = `ulimit -f ${fileLimit}; exec "${process.execPath}" "${MIXTUNE}" run "${study}" --out "${out}" --quiet`;
  const env = { ...process.env, MIXTUNE_CACHE: `${out}-cache`, HF_HUB_OFFLINE: "1" };
  const child = spawn("bash", ["-c", command], { detached: true, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream!.on("data", (piece) => {
      said += piece;
    });
  }
  const ended = new Promise<Ended>((resolve) => child.once("close", (status) => resolve({ status, said })));
  const kill = () => {
    if (isRunning(child)) process.kill(-child.pid!, "SIGKILL");
  };
  return { child, ended, kill };
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Files under a folder; one that vanishes while they are listed is left out. */
function filesUnder(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
      const inner = join(path, entry.name);
      return entry.isDirectory() ? filesUnder(inner) : [inner];
    });
  } catch {
    return [];
  }
}

/** Waits until so many files have come to be that were not there, or nobody works any more. */
async function waitForFiles(out: string, count: number, running: readonly Running[]): Promise<void> {
  const before = new Set(filesUnder(out));
  const fresh = new Set<string>();
  while (fresh.size < count && running.some(({ child }) => isRunning(child))) {
    for (const path of filesUnder(out)) if (!before.has(path)) fresh.add(path);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Digests of what a study came to: scores, predictions and weights of every run and baseline. */
function resultDigests(out: string): Record<string, string> {
  const isResult = (path: string) => /(scores\.json|predictions\/.*\.jsonl|\.safetensors)$/.test(path);
  const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const paths = filesUnder(out).filter(isResult).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(out.length), digest(path)]));
}

test.skipIf(process.platform === "win32")(
  "a study under kills, rivals and full disks ends with the same bytes as one that was left alone",
  async () => {
    const quiet = join(folder, "quiet");
    expect(await start(quiet).ended).toMatchObject({ status: 0 });
    const digests = resultDigests(quiet);
    const largest = Math.max(...filesUnder(quiet).map((path) => readFileSync(path).length / 1024));

    const rng = new Rng(SEED);
    const out = join(folder, "chaos");
    let kills = 0;
    let refusals = 0;
    let fullDisks = 0;
    for (let round = 0; round < 8; round++) {
      const isFull = round % 3 === 2;
      const limit = isFull ? rng.int(Math.ceil(largest)) : "unlimited";
      const running = isFull ? [start(out, limit)] : [start(out), start(out)];
      if (!isFull) {
        await waitForFiles(out, 1 + rng.int(MOST_FILES), running);
        for (const one of running) one.kill();
      }
      for (const { status, said } of await Promise.all(running.map(({ ended }) => ended))) {
        const where = `round ${round}, limit ${limit}, seed ${SEED}: status ${status}\n${said}`;
        expect(said, where).not.toMatch(/\n\s+at |internal error|a fault in mixtune/);
        if (status === null) kills++;
        else if (/no other process works here/.test(said)) refusals++;
        else if (/room on the disk/.test(said)) fullDisks++;
        else expect(status, where).toBe(0);
      }
    }
    expect(kills).toBeGreaterThan(0);
    expect(refusals).toBeGreaterThan(0);
    expect(fullDisks).toBeGreaterThan(0);
    expect(await start(out).ended).toMatchObject({ status: 0 });

    expect(Object.keys(digests).filter((path) => path.endsWith(".safetensors"))).not.toEqual([]);
    expect(resultDigests(out)).toEqual(digests);
    // One that was killed while it made its claim leaves 30 bytes, which go when they are old.
    expect(filesUnder(out).filter((path) => /\.tmp$|\.claim(\.\d+)?$/.test(path))).toEqual([]);
    const ledger = readLedger(out);
    for (const id of [...readdirSync(join(out, "runs")), ...readdirSync(join(out, "baselines"))]) {
      const events = ledger.flatMap(({ event, run }) => (run === id ? [event] : []));
      expect(events).toEqual(expect.arrayContaining(["started", "test_opened", "finished"]));
    }
    for (const id of readdirSync(join(out, "runs"))) expect(verifyRun(join(out, "runs", id), runId)).toEqual([]);
  },
);
