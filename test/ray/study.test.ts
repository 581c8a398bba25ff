import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readMetrics, readReceipt, readScores, readStatus } from "../../src/runs/run-dir.ts";
import { mixtune, temporaryFolder } from "../support/command.ts";
import { processes, startCluster, type TestCluster } from "./cluster.ts";

const SMOKE = fileURLToPath(new URL("../../recipes/smoke.yaml", import.meta.url));
const PYTHON = process.env.MIXTUNE_PYTHON ?? "python3";
const SETTINGS = [
  ...["train.max_steps=16", "train.eval_steps=8", "train.save_steps=2", "train.train_batch_size=8"],
  ...["train.learning_rate=1e-3", "eval.max_dev=16", "eval.max_test=48"],
];
const NOTHING_ELSE = ["eval.baselines=[]", "controls=[]"];
const MANY = [...SETTINGS, ...NOTHING_ELSE, "seeds=[1,2,3]"];
const ONE = [...SETTINGS, ...NOTHING_ELSE, 'design=["all"]', "seeds=[5]"];
const TWO = [...SETTINGS, "train.max_steps=32", ...NOTHING_ELSE, 'design=["all"]', "seeds=[7,8]"];

const { folder, remove } = temporaryFolder();
const storage = join(folder, "storage");
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster(PYTHON);
});
afterAll(async () => {
  await cluster?.stop();
  remove();
});

interface Asked {
  onStderr?(text: string, kill: (signal: NodeJS.Signals) => void): void;
  flags?: readonly string[];
  watch?(kill: (signal: NodeJS.Signals) => void): void;
  place?: string;
  token?: string;
  env?: Record<string, string>;
  address?: string;
}

function onRay(out: string, settings: readonly string[], asked: Asked = {}) {
  const { watch, onStderr, flags = [], place, token, env, address } = asked;
  const where = ["--worker", "ray", "--address", address ?? cluster.address, "--storage", place ?? storage];
  return mixtune(["run", SMOKE, ...where, "--out", out, ...flags, ...settings], {
    cwd: folder,
    ...(onStderr && { onStderr }),
    env: { RAY_AUTH_TOKEN: token ?? cluster.token, ...env },
    ...(watch && { watch }),
  });
}

function onThisMachine(worker: "local" | "torch", out: string, settings: readonly string[]) {
  return mixtune(["run", SMOKE, "--worker", worker, "--out", out, "--quiet", ...settings], { cwd: folder });
}

/** Runs as storage has them. */
function stored(): { id: string; dir: string; step: number; isOver: boolean }[] {
  const runs = join(storage, "smoke", "runs");
  const ids = existsSync(runs) ? readdirSync(runs) : [];
  return ids.map((id) => {
    const dir = join(runs, id);
    const index = join(dir, "checkpoints", "last.json");
    const step = existsSync(index) ? (JSON.parse(readFileSync(index, "utf8")).step as number) : 0;
    return { id, dir, step, isOver: existsSync(join(dir, "outcome.json")) };
  });
}

const taskOf = (id: string) => processes(new RegExp(`^ray::mixtune ${id}`));
const drivers = () => processes(new RegExp(`^\\S*python\\S* -m mixtune_worker ray-driver '?file://${storage}`));

/**
 * Scores of every run by mixture and seed, whatever its id; without the digests of the predictions' files, in which the engines' log-probabilities
 * differ in their last digits.
 */
function scoresOf(out: string): Map<string, unknown> {
  const runs = join(folder, out, "runs");
  const all = readdirSync(runs).map((id) => {
    const { mixture, seed } = JSON.parse(readFileSync(join(runs, id, "spec.json"), "utf8"));
    expect(readStatus(join(runs, id)).state).toBe("done");
    const { tasks, ...rest } = readScores(join(runs, id));
    const scores = Object.entries(tasks).map(([task, splits]) => [
      task,
      Object.entries(splits).map(([split, { predictions: _digest, ...values }]) => [split, values]),
    ]);
    return [`${mixture.name} ${seed}`, { ...rest, scores }] as const;
  });
  return new Map(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function notesOf(out: string): { id: string; notes: string[] }[] {
  const runs = join(folder, out, "runs");
  return readdirSync(runs).flatMap((id) => {
    const { notes } = readReceipt(join(runs, id)) as { notes?: string[] };
    return notes === undefined ? [] : [{ id, notes }];
  });
}

describe("a study on a Ray cluster", () => {
  test("of nine runs, with a task killed and the driver killed, has the scores of the same study here", async () => {
    let killedRun: string | undefined;
    let killedDriver = false;
    const { status, stderr } = await onRay("ray", MANY, {
      watch: () => {
        const runs = stored();
        if (killedRun === undefined) {
          for (const { id, step, isOver } of runs) {
            const [task] = step > 0 && !isOver ? taskOf(id) : [];
            if (task === undefined) continue;
            process.kill(task.pid, "SIGKILL");
            killedRun = id;
            return;
          }
        } else if (!killedDriver && runs.filter(({ isOver }) => isOver).length >= 3) {
          for (const { pid } of drivers()) {
            process.kill(pid, "SIGKILL");
            killedDriver = true;
          }
        }
      },
    });
    expect([status, stderr]).toEqual([0, stderr]);
    expect([killedRun !== undefined, killedDriver]).toEqual([true, true]);
    const notes = notesOf("ray");
    expect(notes.find(({ id }) => id === killedRun)?.notes.join()).toMatch(
      /from step [1-9]\d*: its process was killed/,
    );
    expect((await onThisMachine("local", "local", MANY)).status).toBe(0);
    const [here, there] = [scoresOf("local"), scoresOf("ray")];
    expect(there.size).toBe(9);
    expect([...there.keys()]).toEqual([...here.keys()]);
    expect(there).toEqual(here);
  });

  test("is there for a second computer, which fetches what is done and does nothing again", async () => {
    const times = () => stored().map(({ dir }) => statSync(join(dir, "outcome.json")).mtimeMs);
    const before = times();
    expect(before.length).toBe(9);
    const { status, stderr } = await onRay("second", MANY);
    expect([status, stderr]).toEqual([0, stderr]);
    expect(times()).toEqual(before);
    expect(scoresOf("second")).toEqual(scoresOf("ray"));
  });

  test("stops on Ctrl-C, keeps what the step before had made, and goes on from there", async () => {
    let seen = 0;
    const stopped = await onRay("stopped", ONE, {
      watch: (kill) => {
        const going = stored().find(({ step, isOver }) => step > 0 && !isOver);
        if (going === undefined || seen > 0) return;
        seen = going.step;
        kill("SIGINT");
      },
    });
    expect([stopped.status, stopped.stderr]).toEqual([130, stopped.stderr]);
    const [id] = readdirSync(join(folder, "stopped", "runs"));
    while (taskOf(id!).length > 0) await sleep(100);
    expect(readdirSync(join(storage, "smoke", "queue"))).toEqual([]);
    expect(stored().find((run) => run.id === id)!.step).toBeGreaterThanOrEqual(seen);
    const { status, stderr } = await onRay("stopped", ONE);
    expect([status, stderr]).toEqual([0, stderr]);
    expect(readMetrics(join(folder, "stopped", "runs", id!)).map(({ step }) => step)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
  });

  test("in an object store is done as in a folder, and fetched again by a second computer", async () => {
    const place = "s3://bucket/studies";
    const first = await onRay("s3", ONE, { place, env: cluster.s3 });
    expect([first.status, first.stderr]).toEqual([0, first.stderr]);
    const second = await onRay("s3 again", ONE, { place, env: cluster.s3 });
    expect([second.status, second.stderr]).toEqual([0, second.stderr]);
    expect(scoresOf("s3")).toEqual(scoresOf("stopped"));
    expect(scoresOf("s3 again")).toEqual(scoresOf("stopped"));
  });

  test("goes on with what PyTorch began on this machine", async () => {
    const settings = [...SETTINGS, ...NOTHING_ELSE, 'design=["all"]', "seeds=[9]"];
    const runs = join(folder, "begun", "runs");
    const begun = await mixtune(["run", SMOKE, "--worker", "torch", "--out", "begun", ...settings], {
      cwd: folder,
      watch: (kill) => {
        const [id] = existsSync(runs) ? readdirSync(runs) : [];
        if (id !== undefined && existsSync(join(runs, id, "checkpoints", "step-2"))) kill("SIGINT");
      },
    });
    expect([begun.status, begun.stderr]).toEqual([130, begun.stderr]);
    const [id] = readdirSync(runs);
    const before = readMetrics(join(runs, id!));
    const { status, stderr } = await onRay("begun", settings);
    expect([status, stderr]).toEqual([0, stderr]);
    expect(readdirSync(runs)).toEqual([id]);
    expect(readMetrics(join(runs, id!)).slice(0, before.length)).toEqual(before);
    expect(readMetrics(join(runs, id!))).toHaveLength(16);
  });
});

test("a study may be left to the cluster, and what is done is fetched later", async () => {
  const settings = [...SETTINGS, ...NOTHING_ELSE, 'design=["all"]', "seeds=[11]"];
  const asked = await onRay("left", settings, { flags: ["--detach"] });
  expect([asked.status, asked.stdout]).toEqual([0, expect.stringContaining("1 left to the cluster")]);
  const [id] = readdirSync(join(folder, "left", "runs"));
  const dir = join(folder, "left", "runs", id!);
  expect([readStatus(dir).state, readMetrics(dir)]).toEqual(["planned", []]);
  while (!stored().some((one) => one.id === id && one.isOver)) await sleep(200);
  const fetched = await onRay("left", settings, { flags: ["--detach"] });
  expect([fetched.status, fetched.stdout]).toEqual([0, expect.not.stringContaining("left to the cluster")]);
  expect([readStatus(dir).state, readMetrics(dir).length]).toEqual(["done", 16]);
});

describe("bad input", () => {
  const refused = async (asked: Asked, settings: readonly string[] = ONE): Promise<[number | null, string]> => {
    const { status, stderr } = await onRay("bad", settings, asked);
    return [status, stderr];
  };

  test("is told before any work: no cluster, its token, storage", async () => {
    expect(await refused({ address: "http://127.0.0.1:9" })).toEqual([
      1,
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:9: expected the dashboard of a Ray cluster, got ECONNREFUSED\./),
    ]);
    const [status, text] = await refused({ token: "f".repeat(64) });
    expect([status, text]).toEqual([
      1,
      expect.stringContaining("expected the token of this cluster in RAY_AUTH_TOKEN"),
    ]);
    expect(text).not.toContain("ffff");
    expect(await refused({ token: "" })).toEqual([1, expect.stringContaining("got none (status 401)")]);
    expect(await refused({ address: "http://me:secret@127.0.0.1:9" })).toEqual([
      2,
      expect.not.stringContaining("secret"),
    ]);
    writeFileSync(join(folder, "file"), "");
    expect(await refused({ place: join(folder, "file", "storage") })).toEqual([
      1,
      expect.stringContaining("expected room and permission to write it"),
    ]);
    expect(existsSync(join(folder, "bad"))).toBe(false);
  });

  test("of a run that no node can take is told while it waits for one", async () => {
    const { status, stderr } = await onRay("large", [...ONE, "seeds=[12]"], {
      flags: ["--gpus", "1"],
      onStderr: (text, kill) => {
        if (/ waits for a node with .* 1 GPUs, .*; there are nodes with .* 0 GPUs/.test(text)) kill("SIGINT");
      },
    });
    expect([status, stderr]).toEqual([130, expect.stringContaining("After 10 minutes it is given up.")]);
  });

  test("of a prepared run damaged in storage fails that run, and names the file; put right, it is done", async () => {
    const settings = [...SETTINGS, ...NOTHING_ELSE, 'design=["all"]', "seeds=[6]"];
    const others = new Set(stored().map(({ id }) => id));
    let damaged = "";
    const { status, stdout } = await onRay("damaged", settings, {
      watch: () => {
        if (damaged !== "") return;
        for (const { id, dir, isOver } of stored()) {
          if (others.has(id)) continue;
          const prepared = readdirSync(dir).find((name) => name.startsWith("prepared-"));
          const path = prepared && join(dir, prepared, "train.safetensors");
          if (isOver || path === undefined || !existsSync(join(path, "..", "prepared.json"))) continue;
          const bytes = readFileSync(path);
          bytes[bytes.length - 1]! ^= 1;
          writeFileSync(path, bytes);
          damaged = path;
        }
      },
    });
    expect([status, damaged]).toEqual([1, expect.stringContaining("train.safetensors")]);
    expect(stdout).toMatch(/prepared\/train\.safetensors: expected the file with SHA-256 \w+…, got SHA-256/);
    const again = await onRay("damaged", settings);
    expect([again.status, again.stderr]).toEqual([0, again.stderr]);
  });
});

describe("at last, with a node less,", () => {
  test("a study ends with the same scores", async () => {
    let isLost = false;
    const { status, stderr } = await onRay("node", TWO, {
      watch: () => {
        const going = isLost ? [] : stored().filter(({ step, isOver }) => step > 0 && !isOver);
        if (!going.some(({ id }) => taskOf(id).some(cluster.isOfSecondNode))) return;
        isLost = true;
        cluster.loseNode();
      },
    });
    expect([status, stderr]).toEqual([0, stderr]);
    expect(isLost).toBe(true);
    const [noted, ...others] = notesOf("node");
    expect(others).toEqual([]);
    expect(noted!.notes.join()).toMatch(/from step [1-9]\d*: its (node was lost|process was killed)/);
    expect((await onThisMachine("local", "node here", TWO)).status).toBe(0);
    expect(scoresOf("node")).toEqual(scoresOf("node here"));
  });
});
