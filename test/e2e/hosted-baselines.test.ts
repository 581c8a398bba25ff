/** @file A hosted model among a study's baselines: a server on the loopback interface answers, well and badly, through the built command. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Finished, mixtune, temporaryFolder } from "../support/command.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";

const NUM_TEST = 8;
/** The server answers with a prompt's last word in capitals and "!": the last of the test rows it gets wrong. */
const NUM_WRONG = 2;

let folder: string;
let remove: () => void;
let server: ModelServer;

beforeAll(async () => {
  ({ folder, remove } = temporaryFolder());
  const row = (i: number, word: string) => `Customer ${i} asks about ${word},${i % 2 ? "cards!" : "loans!"}`;
  const rows = (from: number, n: number, numOther = 0) =>
    Array.from({ length: n }, (_, k) =>
      row(from + k, k >= n - numOther ? "money" : (from + k) % 2 ? "cards" : "loans"),
    );
  writeFileSync(join(folder, "train.csv"), ["text,team", ...rows(0, 40), ""].join("\n"));
  writeFileSync(join(folder, "test.csv"), ["text,team", ...rows(1000, NUM_TEST, NUM_WRONG), ""].join("\n"));
  writeFileSync(
    join(folder, "study.yaml"),
    `name: s
models: [mixtune/tiny]
tasks:
  teams:
    data: {train: train.csv, test: test.csv}
    prompt: "{text}"
    answer: {kind: label, field: team, labels: ["cards!", "loans!"]}
    metric: accuracy
design: [all]
controls: []
train: {max_steps: 1, train_batch_size: 4}
eval: {splits: [test], baselines: [majority, "openai:shouter"]}
`,
  );
});
beforeEach(async () => {
  await server?.close();
  server = await startModelServer();
});
afterAll(async () => {
  await server.close();
  remove();
});

interface Result {
  done: number;
  done_before: number;
  failed: { id: string; reason: string }[];
  interrupted: number;
  not_sent?: { baseline: string; requests: number; base_url: string }[];
  table: {
    scoring: string;
    rows: { kind: string; name: string; cells: Record<string, { test: { mean?: number } }> }[];
  };
}

const command = (words: readonly string[], out: string, env: Record<string, string> = {}): Promise<Finished> =>
  mixtune([...words, "--out", out, "--base-url", server.baseUrl, "--json"], {
    cwd: folder,
    env: { MIXTUNE_CACHE: join(folder, `cache-${out}`), ...env },
  });
const run = (out: string, ...words: string[]) => command(["run", "study.yaml", ...words], out);
const resultOf = ({ stdout }: Finished): Result => JSON.parse(stdout);
const hostedCell = ({ table }: Result) => table.rows.find(({ kind }) => kind === "hosted")!.cells.teams!.test.mean;

describe("a hosted baseline", () => {
  test("is planned with rows and money, and asked nothing", async () => {
    const { stdout, stderr, status } = await command(["plan", "study.yaml", "--prices", "100,200"], "planned");
    expect([status, stderr]).toEqual([0, expect.not.stringMatching(/expected/)]);
    const [entry] = JSON.parse(stdout).hosted;
    expect(entry).toMatchObject({ baseline: "openai:shouter", rows: NUM_TEST, requests: NUM_TEST });
    const { prompt_tokens, max_completion_tokens, money } = entry;
    expect(money).toBeCloseTo((prompt_tokens * 100 + max_completion_tokens * 200) / 1e6, 12);
    expect(server.seen).toEqual([]);
  });

  test("without permission is shown and left out, and all else is done, with status 0", async () => {
    const finished = await run("out");
    expect(finished.status).toBe(0);
    expect(finished.stderr).toMatch(
      /baseline openai:shouter:\nhost +http:\/\/127\.0\.0\.1:\d+\/v1 .*\nrows +8; 8 requests/,
    );
    const result = resultOf(finished);
    expect(result).toMatchObject({ done: 1, failed: [], interrupted: 0 });
    expect(result.not_sent).toEqual([{ baseline: "openai:shouter", requests: NUM_TEST, base_url: server.baseUrl }]);
    expect(hostedCell(result)).toBeUndefined();
    expect(result.table.scoring).toBe("strict");
    expect(server.seen).toEqual([]);
    const { stdout } = await mixtune(["run", "study.yaml", "--out", "out", "--base-url", server.baseUrl], {
      cwd: folder,
    });
    expect(stdout).toMatch(
      /Nothing was sent to openai:shouter: its row is empty\. Add --allow-hosted for 8 requests to http/,
    );
  });

  test("that is allowed stands in a table of strict readings, and is asked once", async () => {
    const { stdout, status } = await run("out", "--allow-hosted");
    expect(status).toBe(0);
    const result = resultOf({ stdout } as Finished);
    expect(result).not.toHaveProperty("not_sent");
    expect(hostedCell(result)).toBe((NUM_TEST - NUM_WRONG) / NUM_TEST);
    const ofRun = result.table.rows.find(({ kind }) => kind === "mixture")!;
    const scores = JSON.parse(readFileSync(join(folder, "out/runs", runId(), "scores.json"), "utf8"));
    expect(ofRun.cells.teams!.test.mean).toBe(scores.tasks.teams.test.scoring.strict.accuracy.value);
    expect(server.seen).toHaveLength(NUM_TEST);
    const again = await run("out");
    expect([again.status, resultOf(again).not_sent, hostedCell(resultOf(again))]).toEqual([
      0,
      undefined,
      hostedCell(result),
    ]);
    expect(again.stderr).not.toContain("openai:shouter");
    const report = await mixtune(["report", "out"], { cwd: folder });
    expect(report.stdout).toMatch(/^openai:shouter +0\.750$/m);
    expect(report.stdout).toContain("(strict)");
    expect(server.seen).toHaveLength(NUM_TEST);
  });

  function runId(): string {
    return JSON.parse(readFileSync(join(folder, "out/study.lock.json"), "utf8")).runs[0].id;
  }

  test("that fails is named with its reason and status 1, the runs go on, and a later call sends what is missing", async () => {
    server.misdeeds.push({ match: "Customer 1003", status: 400, body: '{"error": {"message": "not that one"}}' });
    const failed = await run("bad", "--allow-hosted");
    expect(failed.status).toBe(1);
    const result = resultOf(failed);
    expect(result).toMatchObject({ done: 1, failed: [{ reason: expect.stringContaining("not that one") }] });
    expect(hostedCell(result)).toBeUndefined();
    const before = server.seen.length;
    const again = await run("bad", "--allow-hosted");
    expect(again.status).toBe(0);
    expect(hostedCell(resultOf(again))).toBe(0.75);
    const answered = before - 1;
    expect(server.seen.length - before).toBe(NUM_TEST - answered);
  });

  test("stops at the budget, which is one for all hosted models of a study", async () => {
    const both = "eval.baselines=[openai:shouter,openai:whisperer]";
    const stopped = await run("budget", both, "--allow-hosted", "--max-requests", `${NUM_TEST + 3}`);
    expect(stopped.status).toBe(1);
    expect(resultOf(stopped).failed).toHaveLength(1);
    const models = () => server.seen.map(({ body }) => body.model);
    expect(models().filter((model) => model === "shouter")).toHaveLength(NUM_TEST);
    expect(models().filter((model) => model === "whisperer").length).toBeLessThanOrEqual(3);
    expect(hostedCell(resultOf(stopped))).toBe(0.75);
  });

  test.each<[string, NodeJS.Signals, number | null]>([
    ["killed", "SIGKILL", null],
    ["interrupted", "SIGINT", 130],
  ])("%s on the way goes on and does not ask again for what came", async (out, signal, status) => {
    await server.close();
    server = await startModelServer({ delayMs: 300 });
    const words = ["run", "study.yaml", "eval.splits=[dev,test]", "--base-url", server.baseUrl, "--allow-hosted"];
    const args = [...words, "--out", out, "--json"];
    const options = { cwd: folder, env: { MIXTUNE_CACHE: join(folder, `cache-${out}`) } };
    let isStopped = false;
    const stopped = await mixtune(args, {
      ...options,
      watch: (kill) => {
        if (isStopped || server.seen.length <= 8) return; // a first answer came
        isStopped = true;
        kill(signal);
      },
    });
    expect(stopped.status).toBe(status);
    const again = await mixtune(args, options);
    expect(again.status).toBe(0);
    const numRows = Number(/rows +(\d+)/.exec(stopped.stderr)![1]);
    // Those under way at a kill are lost; after a signal they are waited for.
    expect(server.seen.length).toBeGreaterThanOrEqual(numRows);
    expect(server.seen.length).toBeLessThanOrEqual(numRows + (status === null ? 8 : 0));
    expect(hostedCell(resultOf(again))).toBe(0.75);
  });

  test("options of hosted models are refused in a study without one", async () => {
    const finished = await run("none", "eval.baselines=[majority]", "--allow-hosted");
    expect(finished.status).toBe(2);
    expect(finished.stderr).toMatch(/--base-url: expected a hosted model, openai:NAME, got a study without one/);
  });
});
