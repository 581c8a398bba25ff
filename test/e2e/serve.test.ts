/** @file A base model and two of its adapters behind mixtune serve, and one of them in mixtune chat, through the built command. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Finished, mixtune, serving, temporaryFolder } from "../support/command.ts";

let folder: string;
let remove: () => void;
/** Run directories of the mixtures `few` and `all`. */
let runs: Record<string, string>;

beforeAll(async () => {
  ({ folder, remove } = temporaryFolder());
  const row = (i: number) => `customer ${i} asks about ${i % 2 ? "a card" : "a loan"},${i % 2 ? "cards" : "loans"}`;
  const rows = (from: number, n: number) => Array.from({ length: n }, (_, i) => row(from + i));
  writeFileSync(join(folder, "train.csv"), ["text,team", ...rows(0, 40), ""].join("\n"));
  writeFileSync(join(folder, "test.csv"), ["text,team", ...rows(1000, 8), ""].join("\n"));
  writeFileSync(
    join(folder, "study.yaml"),
    `name: s
models: [mixtune/tiny]
tasks:
  teams:
    data: {train: train.csv, test: test.csv}
    prompt: "Which team?\\n{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
design:
  - {name: few, tasks: {teams: {max_train: 8}}}
  - {name: all, tasks: {teams: {}}}
train: {max_steps: 6, train_batch_size: 8, learning_rate: 3.0e-3}
`,
  );
  const finished = await mixtune(["run", "study.yaml", "--json"], { cwd: folder });
  expect(finished.stderr).not.toMatch(/expected .* got/);
  expect(finished.status).toBe(0);
  const { runs: done } = JSON.parse((await mixtune(["status", "studies/s", "--json"], { cwd: folder })).stdout);
  runs = Object.fromEntries(
    done.map(({ mixture, id }: { mixture: string; id: string }) => [mixture, `studies/s/runs/${id}`]),
  );
  expect(Object.keys(runs).sort()).toEqual(["all", "few"]);
}, 600_000);
afterAll(() => remove());

const modelsServing = (
  args: readonly string[],
  use: (url: string) => Promise<void>,
  options: { signal?: NodeJS.Signals; env?: Record<string, string> } = {},
): Promise<Finished> => serving(["serve", ...args], { cwd: folder, ...options }, use);

const PROMPT = "Which team?\ncustomer 7 asks about a card";

describe("serve", () => {
  test("answers as the base and as each of its adapters, by name, and stops on a signal with status 0", async () => {
    const answers: Record<string, string> = {};
    const { status, stderr } = await modelsServing(
      ["mixtune/tiny", runs.few!, runs.all!, "--name", "base,few,all"],
      async (baseURL) => {
        const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
        expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["base", "few", "all"]);
        const ask = async (model: string) => {
          const { choices } = await client.completions.create({
            model,
            prompt: ["cards", "loans"].map((label) => `${PROMPT}\nAnswer: ${label}`),
            max_tokens: 0,
            echo: true,
            logprobs: 0,
          });
          answers[model] = choices.map(({ logprobs }) => logprobs!.token_logprobs!.at(-1)!.toFixed(4)).join();
        };
        await Promise.all(["base", "few", "all"].map(ask));
      },
    );
    expect(status).toBe(0);
    expect(stderr).not.toMatch(/Warning/);
    expect(new Set(Object.values(answers)).size).toBe(3);
    // the base among its adapters is the base
    const alone = await modelsServing(["mixtune/tiny"], async (baseURL) => {
      const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
      const { choices } = await client.completions.create({
        model: "mixtune/tiny",
        prompt: ["cards", "loans"].map((label) => `${PROMPT}\nAnswer: ${label}`),
        max_tokens: 0,
        echo: true,
        logprobs: 0,
      });
      expect(choices.map(({ logprobs }) => logprobs!.token_logprobs!.at(-1)!.toFixed(4)).join()).toBe(answers.base);
    });
    expect(alone.status).toBe(0);
  });

  test("names runs by their mixture, asks for the key of the environment, and shows it nowhere", async () => {
    const { stdout, stderr } = await modelsServing(
      [runs.all!],
      async (baseURL) => {
        const right = new OpenAI({ baseURL, apiKey: "a-secret", maxRetries: 0 });
        expect((await right.models.list()).data.map(({ id }) => id)).toEqual(["all"]);
        const wrong = new OpenAI({ baseURL, apiKey: "a-guess", maxRetries: 0 });
        await expect(wrong.models.list()).rejects.toThrow(/401/);
      },
      { signal: "SIGINT", env: { MIXTUNE_API_KEY: "a-secret" } },
    );
    expect(stdout + stderr).not.toContain("a-secret");
  });

  test("warns where others can reach it and no key is asked for", async () => {
    const { stderr } = await modelsServing(["mixtune/tiny", "--host", "0.0.0.0"], async () => {});
    expect(stderr).toMatch(/Warning: others can reach this server/);
  });

  test.each<[string, string[], RegExp]>([
    ["as many names as models", ["mixtune/tiny", "--name", "a,b"], /--name: expected 1 different names.*got a,b/],
    ["different names", ["mixtune/tiny", "mixtune/tiny"], /expected 2 different names/],
    ["a model", ["mixtune/tinny"], /Did you mean mixtune\/tiny\?/],
    [
      "an address of its own",
      ["mixtune/tiny", "--host", "192.0.2.1"],
      /192\.0\.2\.1, port 0: expected an address that is free/,
    ],
    ["a number", ["mixtune/tiny", "--queue", "none"], /--queue.*whole number/],
  ])("wants %s", async (_, args, message) => {
    const { status, stderr, stdout } = await mixtune(["serve", ...args, "--port", "0"], { cwd: folder });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect([status, stdout]).toEqual([2, ""]);
  });
});

describe("chat", () => {
  const chat = (args: string[], input: string) => mixtune(["chat", ...args], { cwd: folder, input });

  test("answers line by line, the same each time", async () => {
    const input = `${PROMPT.replace("\n", " ")}\nAnd this?\n/exit\nnever read\n`;
    const first = await chat([runs.all!, "--max-new-tokens", "8"], input);
    expect(first.status).toBe(0);
    expect(first.stdout.split("\n").length).toBeGreaterThan(2);
    expect(await chat([runs.all!, "--max-new-tokens", "8"], input)).toEqual(first);
  });

  test("with --json gives a record a line, and forgets the oldest turns when its context is full", async () => {
    const message = `Which team? ${"customer 7 asks about a card ".repeat(12)}`;
    const { status, stdout, stderr } = await chat(
      ["mixtune/tiny", "--json", "--context", "8", "--max-new-tokens", "30", "--temperature", "0"],
      `${message}\n${message}\n${message}\n`,
    );
    const records = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(status).toBe(0);
    expect(records.map(({ message }) => message)).toEqual([message, message, message].map((text) => text.trim()));
    expect(records.map(({ forgotten_messages }) => forgotten_messages)).toEqual([0, 0, 2]);
    expect(stderr).toMatch(/the oldest 2 messages are forgotten/);
  });
});

describe("a served model is evaluated like a hosted one", () => {
  const hosted = (url: string, more: readonly string[]) =>
    mixtune(
      ["eval", "openai:all", "--base-url", url, "--tasks", "study.yaml", "--out", "evals/hosted", "--json", ...more],
      { cwd: folder },
    );
  const outputs = (dir: string): Record<string, string> => {
    const lines = readFileSync(join(folder, dir, "predictions/teams.test.jsonl"), "utf8")
      .trim()
      .split("\n");
    return Object.fromEntries(lines.map((line) => JSON.parse(line)).map(({ id, output }) => [id, output.trim()]));
  };

  test("nothing is sent unless it is allowed; then it says what the same model says here, and is asked but once", async () => {
    await modelsServing([runs.all!, "--name", "all"], async (url) => {
      const refused = await hosted(url, []);
      expect(refused.status).toBe(2);
      expect(refused.stderr).toMatch(/rows +8; 8 requests to send/);
      expect(refused.stderr).toContain("Nothing was sent. Add --allow-hosted");
      expect(existsSync(join(folder, "evals/hosted/predictions"))).toBe(false);

      const scored = await hosted(url, ["--allow-hosted"]);
      expect(scored.stderr).toMatch(/8 requests sent/);
      expect(scored.status).toBe(0);
      const { strict } = JSON.parse(scored.stdout).tasks.teams.test.scoring;
      const local = JSON.parse(readFileSync(join(folder, runs.all!, "scores.json"), "utf8")).tasks.teams.test;
      expect(strict.accuracy).toEqual(local.scoring.strict.accuracy);
      expect(outputs("evals/hosted")).toEqual(outputs(runs.all!));

      const again = await hosted(url, ["--split", "test"]);
      expect(again.status).toBe(0);
      expect(again.stderr).toMatch(/ 0 requests to send/);
      const shown = await hosted(url, ["--few-shot", "2", "--allow-hosted", "--out", "evals/shown"]);
      expect(shown.status).toBe(0);
      expect(JSON.parse(shown.stdout).tasks.teams.test.n).toBe(8);
    });
  });

  test("as a baseline of a study it has the row of the same run, read strictly", async () => {
    await modelsServing([runs.all!, "--name", "all"], async (url) => {
      const words = ["run", "study.yaml", "eval.baselines=[openai:all]", "--base-url", url, "--allow-hosted", "--json"];
      const { stdout, status } = await mixtune(words, { cwd: folder });
      expect(status).toBe(0);
      type Shown = { kind: string; name: string; cells: Record<string, { test: { mean: number } }> };
      const { rows, scoring } = JSON.parse(stdout).table as { rows: Shown[]; scoring: string };
      const asked = rows.find(({ kind }) => kind === "hosted")!;
      const trained = rows.find(({ kind, name }) => kind === "mixture" && name === "all")!;
      expect([asked.name, scoring]).toEqual(["openai:all", "strict"]);
      expect(asked.cells).toEqual(trained.cells);
      expect(asked.cells.teams!.test.mean).toBeGreaterThan(0);
    });
  });

  test("what a hosted model alone can do is refused of a local one, and few-shot of a trained run", async () => {
    const local = await mixtune(["eval", "mixtune/tiny", "--tasks", "study.yaml", "--base-url", "http://x"], {
      cwd: folder,
    });
    expect(local.status).toBe(2);
    expect(local.stderr).toContain("--base-url");
    const run = await mixtune(["eval", runs.all!, "--few-shot", "2"], { cwd: folder });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain("asked as it was trained");
  });
});
