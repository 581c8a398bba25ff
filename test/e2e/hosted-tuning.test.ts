/** @file A study whose runs a service fine-tunes, through the built command: a server on the loopback interface trains, well and badly. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Rng } from "../../src/base/rng.ts";
import { verifyRun } from "../../src/runs/verify.ts";
import { runId } from "../../src/specs/run-id.ts";
import { type Finished, mixtune, type RunOptions } from "../support/command.ts";
import { BASE, startTuningServer, type TuningServer } from "../support/tuning-server.ts";

const KEY = "sk-test-0123456789-do-not-tell";
const SEED = process.env.MIXTUNE_TEST_SEED ?? "hosted";
/** all, teams, moods. */
const NUM_RUNS = 3;

let folder: string;
let server: TuningServer;
let said = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-hosted-e2e-"));
  const table = (column: string, words: readonly [string, string], from: number, n: number) =>
    ["text", ...Array.from({ length: n }, (_, i) => `Customer ${from + i} speaks of ${words[i % 2]} and ${column}`)]
      .map((text, i) => `${text},${i === 0 ? column : words[(i - 1) % 2]}\n`)
      .join("");
  for (const [column, words] of [
    ["team", ["cards", "loans"]],
    ["mood", ["glad", "sad"]],
  ] as const) {
    writeFileSync(join(folder, `${column}.csv`), table(column, words, 0, 40));
    writeFileSync(join(folder, `${column}-test.csv`), table(column, words, 1000, 8));
  }
  const task = (column: string, labels: string) =>
    `{data: {train: ${column}.csv, test: ${column}-test.csv}, prompt: "{text}", answer: {kind: label, field: ${column}, labels: ${labels}}, metric: accuracy}`;
  writeFileSync(
    join(folder, "study.yaml"),
    `name: s
models: ["openai:${BASE}"]
tasks:
  teams: ${task("team", "[cards, loans]")}
  moods: ${task("mood", "[glad, sad]")}
design: [all, singles]
train: {num_train_epochs: 2, learning_rate: 3.0e-5}
eval: {splits: [test], baselines: [majority]}
`,
  );
});
beforeEach(async () => {
  server = await startTuningServer({ apiKey: KEY });
});
afterEach(() => server.close());
afterAll(() => {
  const everything = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  expect(everything.length).toBeGreaterThan(20);
  expect([...everything, said].join("\n")).not.toMatch(/do-not-tell/);
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  done: number;
  done_before: number;
  failed: { id: string; reason: string }[];
  interrupted: number;
  going_on?: string[];
  table: {
    scoring: string;
    rows: { kind: string; name: string; cells: Record<string, { test: { mean?: number } }> }[];
  };
}

async function command(words: readonly string[], out: string, more: Partial<RunOptions> = {}): Promise<Finished> {
  const env = { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.baseUrl, MIXTUNE_CACHE: join(folder, `cache-${out}`) };
  const finished = await mixtune([...words, "--json"], { cwd: folder, ...more, env: { ...env, ...more.env } });
  said += finished.stdout + finished.stderr;
  return finished;
}
const PAID = ["--allow-hosted", "--yes"];
const study = (verb: "run" | "plan", out: string, words: readonly string[], more?: Partial<RunOptions>) =>
  command([verb, "study.yaml", "--worker", "hosted", "--out", out, ...words], out, more);
const resultOf = ({ stdout }: Finished): Result => JSON.parse(stdout);
const scoresOf = ({ table }: Result) =>
  table.rows.map(({ kind, name, cells }) => [kind, name, cells.teams!.test.mean, cells.moods!.test.mean]);
const runsIn = (out: string) => readdirSync(join(folder, out, "runs")).map((id) => join(folder, out, "runs", id));
/** What the toy service makes of the toy data: it knows what it has seen. */
const SCORES = [
  ["majority", "majority", 0.5, 0.5],
  ["base", `openai:${BASE} (untuned)`, 0, 0],
  ["mixture", "all", 1, 1],
  ["mixture", "teams", 1, 0],
  ["mixture", "moods", 0, 1],
];

describe("before anything is paid", () => {
  test("plan shows rows, host, price and what will not be as written, and sends no row", async () => {
    const { stdout, status } = await study("plan", "planned", ["--prices", "1,2,1000"]);
    expect(status).toBe(0);
    const { runs, bill } = JSON.parse(stdout);
    const trained = runs.reduce((sum: number, run: { estimate: { tokens: number } }) => sum + run.estimate.tokens, 0);
    expect(bill).toMatchObject({ jobs: NUM_RUNS, rows: 144, trainedTokens: trained, models: NUM_RUNS + 1 });
    expect(bill.trainingMoney).toBeCloseTo(trained / 1000);
    const words = ["plan", "study.yaml", "--worker", "hosted"];
    const text = await mixtune(words, { cwd: folder, env: { OPENAI_BASE_URL: server.baseUrl } });
    expect(text.stdout).toMatch(/3 files with 144 training rows in all: uploaded/);
    expect(text.stdout).toMatch(new RegExp(`host +${server.baseUrl}, model ${BASE}, without a key`));
    expect(text.stdout).toMatch(/price +of training not known: give --prices IN,OUT,TRAINED/);
    expect(text.stdout).toMatch(/learning_rate \(0\.00003 here\)/);
    expect(new Set(server.seen.map(({ what }) => what))).toEqual(new Set(["GET /models"]));
  });

  test("nobody who did not allow it sends rows, and nobody who did not say yes pays", async () => {
    const unasked = await study("run", "unpaid", []);
    expect([unasked.status, unasked.stderr]).toEqual([
      2,
      expect.stringMatching(/--allow-hosted: expected permission to upload 144 rows, create 3 jobs/),
    ]);
    const unpaid = await study("run", "unpaid", ["--allow-hosted"]);
    expect([unpaid.status, unpaid.stderr]).toEqual([2, expect.stringMatching(/--yes: expected consent to pay 127/)]);
    expect(server.seen).toEqual([]);
  });

  test("a base model that the service has closed is refused by plan and run, before a row is sent", async () => {
    await server.close();
    server = await startTuningServer({ apiKey: KEY, ofBase: { shutdown_date: "2020-01-14" } });
    for (const [verb, words] of [
      ["plan", []],
      ["run", PAID],
    ] as const) {
      const { status, stderr } = await study(verb, "closed", words);
      expect([status, stderr]).toEqual([2, expect.stringContaining("got one that it shut down on 2020-01-14")]);
    }
    expect(new Set(server.seen.map(({ what }) => what))).toEqual(new Set(["GET /models"]));
  });

  test.each<[string, string[], RegExp]>([
    ["a model of this machine", ["models=[mixtune/tiny]"], /models\[0\]: expected openai:NAME/],
    ["a factor that a service decides", ["factors={train.lora_rank: [4, 8]}"], /would be the same job, paid for again/],
    ["a method that it has not", ["train.method=full"], /train\.method, with --worker hosted: expected lora/],
    ["a limit without a price", ["--max-cost", "5", "--prices", "1,2"], /expected the price of training/],
    ["completions", ["--api", "completions"], /expected chat: what is trained on are chats/],
  ])("%s is refused", async (_, words, reason) => {
    const { status, stderr } = await study("plan", "refused", words);
    expect([status, stderr]).toEqual([2, expect.stringMatching(reason)]);
  });

  test("a service's model is refused where this machine trains, and its settings too", async () => {
    const here = await command(["plan", "study.yaml"], "refused");
    expect([here.status, here.stderr]).toEqual([2, expect.stringMatching(/models\[0\].*\n.*--worker hosted/)]);
    const words = ["plan", "study.yaml", "models=[mixtune/tiny]", "train.learning_rate_multiplier=2"];
    const setting = await command(words, "refused");
    expect([setting.status, setting.stderr]).toEqual([2, expect.stringMatching(/expected --worker hosted/)]);
  });
});

describe("a study that a service trains", () => {
  test("ends with the table that any study ends with, read strictly; the same command then does nothing", async () => {
    const first = await study("run", "plain", [...PAID, "--prices", "1,2,1000"]);
    expect([first.status, first.stderr]).toEqual([0, expect.not.stringMatching(/expected/)]);
    const result = resultOf(first);
    expect(result).toMatchObject({ done: NUM_RUNS + 1, failed: [], interrupted: 0 });
    expect(scoresOf(result)).toEqual(SCORES);
    expect(result.table.scoring).toBe("strict");
    expect(server.jobs.map(({ hyperparameters, seed }) => [hyperparameters.n_epochs, seed])).toEqual(
      Array(NUM_RUNS).fill([2, 1]),
    );
    for (const dir of runsIn("plain")) expect(verifyRun(dir, runId)).toEqual([]);
    const report = JSON.parse(readFileSync(join(folder, "plain", "report.json"), "utf8"));
    expect(report.methods[0].text).toMatch(/fine-tuned by a service .* 2 epochs/);

    const asked = server.seen.length;
    const again = await study("run", "plain", []);
    expect([again.status, resultOf(again).done_before, server.seen.length]).toEqual([0, NUM_RUNS + 1, asked]);
    // Settings that the service decides are no part of a run.
    const other = await study("run", "plain", ["train.learning_rate=9e-4", "train.lora_rank=2"]);
    expect([other.status, resultOf(other).done_before, server.seen.length]).toEqual([0, NUM_RUNS + 1, asked]);
  });

  test("leaves models that eval takes by the service's name, and says so where weights of its folders are asked for", async () => {
    const [dir = ""] = runsIn("plain");
    const task = ["--task", "teams", "--input", "team-test.csv", "--out", "answers.csv"];
    const { status, stderr } = await command(["predict", dir, ...task], "plain");
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/a service fine-tuned.*\n.*openai:ft:tunable:org:mixtune-/),
    ]);
  });

  test("waits for a model that is not ready, and stops where the budget ends", async () => {
    await server.close();
    server = await startTuningServer({ apiKey: KEY, notReady: 2 });
    const words = [...PAID, "design=[all]", "controls=[]", "--prices", "1,2,1000"];
    const poor = await study("run", "slow", [...words, "--max-cost", "0.5"]);
    expect([poor.status, server.jobs.length]).toEqual([1, 0]);
    expect(resultOf(poor).failed[0]!.reason).toMatch(/expected at most 0\.50 in money, the budget/);
    const rich = await study("run", "slow", [...words, "--max-cost", "50"]);
    expect([rich.status, scoresOf(resultOf(rich))[1]]).toEqual([0, ["mixture", "all", 1, 1]]);
    expect(server.files).toHaveLength(1);
  });

  test("killed while a job was asked for is not paid for without consent: there may be none", async () => {
    await study("run", "asked", [...PAID, "controls=[]", "design=[all]", "--max-cost", "0.01", "--prices", "1,2,1000"]);
    expect(server.jobs).toEqual([]);
    const [dir = ""] = runsIn("asked");
    const record = JSON.parse(readFileSync(join(dir, "job.json"), "utf8"));
    writeFileSync(join(dir, "job.json"), JSON.stringify({ ...record, asked_at: 1 }));
    const { status, stderr } = await study("run", "asked", ["controls=[]", "design=[all]", "--allow-hosted"]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/--yes: expected consent to pay 127\S+ for 1 job\b/)]);
  });

  test("interrupted leaves the jobs to the service and says how to go on; cancelled they stop", async () => {
    await server.close();
    server = await startTuningServer({ apiKey: KEY, looks: 1000 });
    let isSent = false;
    const watch = (kill: (signal: NodeJS.Signals) => void) => {
      if (isSent || server.jobs.length < NUM_RUNS || server.jobs.some(({ looks }) => looks === 0)) return;
      isSent = true;
      kill("SIGINT");
    };
    const stopped = await study("run", "stopped", PAID, { watch });
    expect(stopped.status).toBe(130);
    expect(resultOf(stopped)).toMatchObject({ interrupted: NUM_RUNS, going_on: expect.any(Array) });
    expect(resultOf(stopped).going_on!.toSorted()).toEqual(server.jobs.map(({ id }) => id));
    expect(server.jobs.every(({ status }) => /queued|running/.test(status))).toBe(true);

    const status = await command(["status", "stopped"], "stopped");
    expect(JSON.parse(status.stdout).going_on.toSorted()).toEqual(server.jobs.map(({ id }) => id));
    const elsewhere = await command(["cancel", "stopped", "--base-url", "http://127.0.0.1:1/v1"], "x");
    expect([elsewhere.status, elsewhere.stderr]).toEqual([
      2,
      expect.stringMatching(/the service that the run began at/),
    ]);
    const cancelled = await command(["cancel", "stopped"], "stopped");
    expect([cancelled.status, JSON.parse(cancelled.stdout).cancelled]).toEqual([0, expect.any(Array)]);
    expect(server.jobs.map(({ status }) => status)).toEqual(Array(NUM_RUNS).fill("cancelled"));
  });
});

test.skipIf(process.platform === "win32")(
  "killed at random moments and started again it has every file and every job once, and the same table",
  async () => {
    await server.close();
    server = await startTuningServer({ apiKey: KEY, pageSize: 2 });
    const rng = new Rng(SEED);
    let kills = 0;
    for (let round = 0; round < 6; round++) {
      const until = server.seen.length + 1 + rng.int(14);
      const delayMs = rng.int(12);
      let isDying = false;
      const watch = (kill: (signal: NodeJS.Signals) => void) => {
        if (isDying || server.seen.length < until) return;
        isDying = true;
        setTimeout(() => kill("SIGKILL"), delayMs);
      };
      const { status } = await study("run", "killed", PAID, { watch });
      if (status === null) kills++;
    }
    expect(kills).toBeGreaterThan(2);
    const last = await study("run", "killed", PAID);
    expect([last.status, scoresOf(resultOf(last))]).toEqual([0, SCORES]);
    expect([server.jobs.length, server.files.length]).toEqual([NUM_RUNS, NUM_RUNS]);
    const trained = server.jobs.map(({ training_file }) => training_file);
    expect(new Set(trained).size).toBe(NUM_RUNS);
    for (const dir of runsIn("killed")) expect(verifyRun(dir, runId)).toEqual([]);
  },
);
