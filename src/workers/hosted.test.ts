import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  BASE,
  type Mischief,
  startTuningServer,
  type TuningServer,
  type TuningServerOptions,
} from "../../test/support/tuning-server.ts";
import { epochOrder } from "../data/batches/mixture.ts";
import { type PreparedTask, prepareTask } from "../data/tokens/prepare.ts";
import type { Example, LoadedTask } from "../data/types.ts";
import { Purse } from "../eval/hosted/purse.ts";
import { roughText } from "../eval/hosted/rough-text.ts";
import { openTuningEndpoint, type TuningEndpoint } from "../eval/hosted/tuning-endpoint.ts";
import type { Budget, Prices } from "../eval/hosted/types.ts";
import { readHostedJob, readMetrics, readReceipt, readStatus, runPaths, writeHostedJob } from "../runs/run-dir.ts";
import { verifyRun } from "../runs/verify.ts";
import type { Message } from "../specs/message.ts";
import { runId } from "../specs/run-id.ts";
import { TRAIN_DEFAULTS } from "../specs/train.ts";
import type { RunSpec, TrainSpec } from "../specs/types.ts";
import type { Job, Outcome, RunProgress } from "../study/types.ts";
import { createHostedWorker, type HostedWorkerOptions } from "./hosted.ts";
import { linesOf } from "./hosted-follow.ts";
import { cancelJob } from "./hosted-job.ts";
import { shownByService, trainingFile } from "./hosted-rows.ts";

const KEY = "sk-test-0123456789-do-not-tell";
const NUM_ROWS = 8;
const SETTLE_MS = 10_000;

let server: TuningServer;
let folder: string;
let now: number;
let notes: string[];
let fired: AbortController;
/** Called by every wait. */
let onSleep: (ms: number) => void;
/** Everything that any test got to read: no key may stand in it. */
const read: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-tuning-"));
  now = Date.UTC(2026, 0, 1);
  notes = [];
  fired = new AbortController();
  onSleep = () => {};
  server = await startTuningServer({ apiKey: KEY });
});
afterEach(async () => {
  await server.close();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) read.push(readFileSync(join(entry.parentPath, entry.name), "utf8"));
  read.push(...notes);
  rmSync(folder, { recursive: true });
});
afterAll(() => {
  expect(KEY).toMatch(/sk-test-0123/);
  expect(read).not.toEqual([]);
  expect(read.join("\n")).not.toMatch(/sk-test-0123|do-not-tell/);
});

async function restart(options: TuningServerOptions): Promise<void> {
  await server.close();
  server = await startTuningServer({ apiKey: KEY, ...options });
}

function task(name: string, numRows = NUM_ROWS): PreparedTask {
  const example =
    (split: string) =>
    (_: unknown, i: number): Example => {
      const answer = ["yes", "no"][i % 2]!;
      return { id: `${split}#${i}`, prompt: `${name} ${split} question ${i}: is it ${answer}?`, answer, group: `${i}` };
    };
  const rows = (split: string, n: number) => Array.from({ length: n }, example(split));
  const loaded: LoadedTask = {
    ...{
      name,
      answer: { kind: "label", field: "a", labels: ["yes", "no"] },
      metric: "accuracy",
      licence: "",
      source: "",
    },
    splits: { train: rows("train", numRows), dev: rows("dev", 2), test: rows("test", 4) },
    ...{ digests: { train: "1", dev: "2", test: "3" }, notes: [] },
  };
  const { tokenizer, template } = roughText();
  return prepareTask(loaded, tokenizer, template, { cutoffLen: 100, lossOn: "answer", onBadRow: "stop" });
}

const ingredients = { a: task("a"), b: task("b") };

function specOf(train: Partial<TrainSpec> = {}): RunSpec {
  const data = Object.fromEntries(
    Object.entries(ingredients).map(([name, { split }]) => [
      name,
      { rows_digest: split("train").rowsDigest, num_train: NUM_ROWS },
    ]),
  );
  return {
    format: 1,
    model: { name: `openai:${BASE}`, weights_digest: "w", tokenizer_digest: "t", template_digest: "c" },
    mixture: { name: "both", ingredients: { a: {}, b: { max_train: 5 } } },
    data,
    train: { ...TRAIN_DEFAULTS, num_train_epochs: 2, ...train },
    seed: 5,
    worker: { kind: "hosted", threads: 1 },
  };
}

function jobOf(spec = specOf()): Extract<Job, { kind: "run" }> {
  const id = runId(spec);
  return {
    ...{ kind: "run", id, dir: join(folder, id), model: spec.model.name, model_dir: "", spec, tasks: [] },
    ...{ eval_tasks: [], cutoff_len: 100, threads: 1 },
    eval: {
      ...{ splits: ["test"], max_dev: null, max_test: null, scoring: ["strict"], constrained_numbers: false },
      ...{ max_new_tokens: null, baselines: [], keep_prompts: false },
    },
  };
}

interface Setting {
  base?: string;
  budget?: Budget;
  prices?: Prices;
  wrap?(endpoint: TuningEndpoint): TuningEndpoint;
  purse?: Purse;
  score?: HostedWorkerOptions["score"];
  apiKey?: string;
}

function worker({
  base = BASE,
  budget = {},
  prices,
  wrap = (endpoint) => endpoint,
  purse,
  score,
  apiKey = KEY,
}: Setting = {}) {
  return createHostedWorker({
    ...{ baseUrl: server.baseUrl, hasKey: true },
    endpoint: wrap(openTuningEndpoint({ baseUrl: server.baseUrl, apiKey, timeoutMs: 5000 })),
    purse: purse ?? new Purse(budget, prices, "service"),
    prices,
    patience: { firstPollMs: 1000, longestPollMs: 8000, settleMs: SETTLE_MS, readyMs: 60_000, maxTries: 4 },
    nameAt: () => base,
    ingredients: () => ingredients,
    score: score ?? (async () => {}),
    deviations: ["It is not ours."],
    versions: { mixtune: "0" },
    now: () => now,
    random: () => 0,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      now += ms;
      onSleep(ms);
      signal.throwIfAborted();
    },
    note: (text) => notes.push(text),
  });
}

async function run(setting: Setting = {}, job: Job = jobOf()): Promise<Outcome> {
  const outcome = await worker(setting)(job, () => {}, fired.signal);
  if (outcome.state === "failed") {
    read.push(outcome.reason);
    if (/fault in mixtune/.test(outcome.reason)) throw new Error(outcome.stack);
  }
  return outcome;
}

describe("the file that is sent", () => {
  test("holds the examples of the first epoch as chats, in the run's own order", () => {
    const spec = specOf();
    const { content, rows } = trainingFile(spec, ingredients);
    const order = epochOrder({ a: NUM_ROWS, b: 5 }, { a: { num: NUM_ROWS }, b: { num: NUM_ROWS } }, spec.seed, 0);
    const expected = Array.from(order.ingredient, (which, k) => {
      const name = order.names[which] as "a" | "b";
      const { prompt, answer } = ingredients[name].task.splits.train[order.example[k]!]!;
      return {
        messages: [
          { role: "user", content: prompt },
          { role: "assistant", content: answer },
        ],
      };
    });
    const lines = content.toString().trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(expected);
    expect(rows).toBe(NUM_ROWS + 5);
    expect(trainingFile({ ...spec, seed: 6 }, ingredients).content).not.toEqual(content);
  });

  test("has earlier answers of a conversation, which the service is to train on with loss_on: all_answers alone", () => {
    const turns: Message[] = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Why?" },
      { role: "assistant", content: "Because." },
      { role: "user", content: "How?" },
    ];
    const { a } = ingredients;
    const train = a.split("train");
    const talked = { ...a, split: () => ({ ...train, examples: train.examples.map((one) => ({ ...one, turns })) }) };
    const written = (lossOn: "answer" | "all_answers", a: PreparedTask) => {
      const spec = specOf();
      const { content } = trainingFile({ ...spec, train: { ...spec.train, loss_on: lossOn } }, { ...ingredients, a });
      const lines = content.toString().trimEnd().split("\n");
      return lines.map((line) => JSON.parse(line).messages);
    };
    const marked = { ...turns[2], weight: 0 };
    const answer = { role: "assistant", content: expect.stringMatching(/./) };
    expect(written("answer", talked)).toContainEqual([turns[0], turns[1], marked, turns[3], answer]);
    expect(written("all_answers", talked)).toContainEqual([...turns, answer]);
    const examples = talked.split().examples.map((one) => ({ ...one, unlearned: [2] }));
    const refused = { ...a, split: () => ({ ...train, examples }) };
    expect(written("all_answers", refused)).toContainEqual([turns[0], turns[1], marked, turns[3], answer]);
  });

  test("is shown as often as there are epochs: counts and tokens are those of its rows", () => {
    const shown = shownByService(specOf(), ingredients);
    const tokensOf = (name: "a" | "b") => ingredients[name].split("train").lengths.tokens;
    expect(shown.a).toMatchObject({
      ...{ examples: 2 * NUM_ROWS, distinct_examples: NUM_ROWS },
      tokens: 2 * tokensOf("a").reduce((sum, n) => sum + n, 0),
    });
    expect(shown.b).toMatchObject({ examples: 10, distinct_examples: 5 });
  });
});

describe("a run", () => {
  test("is uploaded, trained and scored under the new model's name, and its directory says what was done", async () => {
    await restart({ fileLooks: 2, pageSize: 3 });
    const progress: RunProgress[] = [];
    const scored: unknown[] = [];
    const job = jobOf(specOf({ train_batch_size: 4, learning_rate_multiplier: 0.5 }));
    const score: HostedWorkerOptions["score"] = async (_, ...what) => void scored.push(what.slice(0, 2));
    const prices = { inputPerMillion: 1, outputPerMillion: 1, trainingPerMillion: 1000 };
    const outcome = await worker({ score, prices })(job, (one) => progress.push(one), fired.signal);
    expect(outcome).toEqual({ state: "done" });
    const name = `ft:${BASE}:org:mixtune-${job.id.slice(0, 8)}:0001`;
    expect(scored).toEqual([[name, true]]);
    expect(server.jobs[0]).toMatchObject({
      seed: 5,
      hyperparameters: { n_epochs: 2, batch_size: 4, learning_rate_multiplier: 0.5 },
    });
    const receipt = readReceipt(job.dir)!;
    const trained = server.jobs[0]!.trained_tokens!;
    expect(receipt).toMatchObject({ seed: 5, cost: { tokens: trained, seconds: 100 } });
    expect(receipt.cost.flops).toBeNaN();
    expect(receipt.hosted).toMatchObject({
      ...{ base_url: server.baseUrl, job: "ftjob-0001", fine_tuned_model: name, trained_tokens: trained },
      ...{ money: trained / 1000, service_seed: 5, deviations: ["It is not ours."] },
      hyperparameters: { n_epochs: 2, batch_size: 4 },
    });
    expect(readMetrics(job.dir).map(({ step, loss }) => [step, loss])).toEqual([1, 2, 3, 4].map((k) => [k, 2 / k]));
    expect(readStatus(job.dir).state).toBe("done");
    expect(readHostedJob(job.dir)).toMatchObject({
      ...{ id: "ftjob-0001", status: "succeeded", fine_tuned_model: name },
      checkpoints: [{ step: 1 }, { step: 2 }],
      file: {
        id: "file-1",
        rows: 13,
        name: `mixtune-${job.id}-${readHostedJob(job.dir)!.file.sha256.slice(0, 12)}.jsonl`,
      },
    });
    expect(progress.filter(({ phase }) => phase === "train").at(-1)).toMatchObject({ done: 4, total: 4, loss: 0.5 });
    expect(verifyRun(job.dir, runId)).toEqual([]);
  });

  test("that is done asks the service nothing more but what lacks scores", async () => {
    await run();
    const asked = server.seen.length;
    const scored: unknown[] = [];
    expect(await run({ score: async (_, ...what) => void scored.push(what[0]) })).toEqual({ state: "done" });
    expect([server.seen.length, scored]).toEqual([asked, [server.jobs[0]!.fine_tuned_model]]);
  });

  test("of an untuned model scores the base", async () => {
    const { spec: _spec, ...rest } = jobOf();
    const scored: unknown[] = [];
    await run(
      { score: async (_, ...what) => void scored.push(what.slice(0, 2)) },
      { ...rest, kind: "base", numerics: {} },
    );
    expect([scored, server.seen]).toEqual([[[BASE, false]], []]);
  });

  test("that was trained from another folder is not paid for again", async () => {
    await run();
    rmSync(jobOf().dir, { recursive: true });
    expect(await run()).toEqual({ state: "done" });
    expect([server.jobs.length, server.files.length]).toEqual([1, 1]);
    expect(notes.join("\n")).toMatch(/has job ftjob-0001 of run .* already: .* nothing is paid for again/);
  });

  test("whose members a service does not know is asked for without them, and says so", async () => {
    await restart({ refuses: ["method", "seed"] });
    expect(await run()).toEqual({ state: "done" });
    expect(server.jobs).toMatchObject([{ seed: null, hyperparameters: { n_epochs: 2 } }]);
    const { hosted } = readReceipt(jobOf().dir)!;
    expect(hosted!.deviations.at(-1)).toBe("The service does not take method, seed as OpenAI's does.");
    expect(hosted).not.toHaveProperty("service_seed");
  });

  test("goes on without events, checkpoints and a list of files", async () => {
    await restart({ lacks: /events$|checkpoints$|GET \/files$/ });
    expect(await run()).toEqual({ state: "done" });
    expect(readMetrics(jobOf().dir)).toEqual([]);
  });

  test("interrupted leaves its job to the service, and goes on with it later", async () => {
    onSleep = () => {
      if (server.jobs.length > 0) fired.abort();
    };
    expect(await run()).toEqual({ state: "interrupted" });
    expect(readStatus(jobOf().dir).state).toBe("interrupted");
    expect(server.jobs[0]!.status).not.toMatch(/cancelled|succeeded/);
    fired = new AbortController();
    onSleep = () => {};
    expect(await run()).toEqual({ state: "done" });
    expect([server.jobs.length, server.files.length]).toEqual([1, 1]);
  });
});

describe("what it costs", () => {
  const prices = { inputPerMillion: 0, outputPerMillion: 0, trainingPerMillion: 1e6 };

  test("is set aside before a job is created: one that the budget does not hold is not", async () => {
    const { content } = trainingFile(specOf(), ingredients);
    const most = 2 * content.length;
    const outcome = await run({ prices, budget: { money: most - 1 } });
    expect(outcome).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/expected at most .* in money, the budget, got .* up to .* for the next one/),
    });
    expect(server.jobs).toEqual([]);
    expect(await run({ prices, budget: { money: most } })).toEqual({ state: "done" });
    expect(server.files).toHaveLength(1);
  });

  test("is what the service billed once the job has ended, and nothing where it had been created before", async () => {
    const purse = new Purse({}, prices, "service");
    await run({ prices, purse });
    expect(purse.spending.money).toBeCloseTo(server.jobs[0]!.trained_tokens!);
    rmSync(jobOf().dir, { recursive: true });
    const second = new Purse({}, prices, "service");
    await run({ prices, purse: second });
    expect(second.spending.money).toBe(0);
  });

  test("is about what was estimated where it is left to the service, and nothing where it failed", async () => {
    onSleep = () => {
      if (server.jobs.length > 0) fired.abort();
    };
    const left = new Purse({}, prices, "service");
    await run({ prices, purse: left });
    expect(left.spending.money).toBeCloseTo((2 * trainingFile(specOf(), ingredients).content.length) / 4, -1);
    onSleep = () => {};
    fired = new AbortController();
    await restart({ fails: { code: "server_error", message: "It broke." } });
    rmSync(jobOf().dir, { recursive: true });
    const failed = new Purse({}, prices, "service");
    await run({ prices, purse: failed });
    expect(failed.spending.money).toBe(0);
  });
});

interface Trouble {
  setting?: Setting;
  server?: TuningServerOptions;
  mischief?: Mischief;
  says: RegExp;
  /** Jobs at the service after it, and after a second call without the trouble. */
  jobs?: [number, number];
}

const refusal = (on: RegExp, status: number, message: string, more: object = {}): Mischief => ({
  ...{ on, status, times: 99 },
  body: JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null, ...more } }),
});

describe("trouble is said with what to do, and what was paid for is kept", () => {
  test.each<[string, Trouble]>([
    [
      "a wrong key",
      {
        setting: { apiKey: "sk-test-0123456789-wrong-do-not-tell" },
        says: /expected a key that the endpoint knows, got status 401: the key was refused\.\n.*OPENAI_API_KEY/,
      },
    ],
    [
      "a base that cannot be fine-tuned",
      {
        setting: { base: "other" },
        says: /expected a model that the service fine-tunes, got status 400: Model other is not available.*\n.*openai:other/,
      },
    ],
    [
      "an upload that is refused",
      {
        mischief: refusal(/POST \/files/, 413, "The file is too large."),
        says: /upload the training file: expected a file that the service takes, got status 413: The file is too large\./,
      },
    ],
    [
      "a file that is refused once it was looked at",
      {
        server: { minRows: 50 },
        says: /job ftjob-0001: expected a fine-tuned model, got status failed: invalid_training_file: Training file has 13 example\(s\).*\n.*Change the data/,
        jobs: [1, 2],
      },
    ],
    [
      "a job that fails",
      {
        server: { fails: { code: "server_error", message: "It broke." } },
        says: /got status failed: server_error: It broke\.\n.*Start again for a new job/,
        jobs: [1, 2],
      },
    ],
    [
      "no such address",
      {
        mischief: refusal(/fine_tuning|files/, 404, "Not here."),
        says: /expected an OpenAI-compatible service with \/files and \/fine_tuning\/jobs, got status 404/,
      },
    ],
    [
      "an account without money",
      {
        mischief: refusal(/POST \/fine_tuning/, 429, "You exceeded your quota", { code: "insufficient_quota" }),
        says: /expected an account with money or quota left, got status 429/,
      },
    ],
    [
      "too many requests, all the time",
      {
        mischief: refusal(/POST \/fine_tuning/, 429, "Slow down"),
        says: /create the job: expected an answer, got status 429: Slow down, 4 times\.\n.*Start again later/,
      },
    ],
    [
      "a service that wants an hour's wait",
      {
        mischief: { ...refusal(/POST \/fine_tuning/, 429, "Slow down"), headers: { "Retry-After": "3600" } },
        says: /create the job: expected an answer, got status 429: Slow down, once\./,
      },
    ],
    [
      "a broken service, all the time",
      { mischief: refusal(/POST \/fine_tuning/, 500, "Oops"), says: /got status 500: Oops, 4 times/ },
    ],
    [
      "no permission",
      {
        mischief: refusal(/POST \/fine_tuning/, 403, "No"),
        says: /expected permission to fine-tune, got status 403: No/,
      },
    ],
    [
      "a job that nobody knows any more",
      {
        mischief: refusal(/GET \/fine_tuning\/jobs\/ftjob-0001$/, 404, "Gone"),
        says: /expected the job that was created, got status 404.*\n.*delete .*job\.json/,
        jobs: [1, 1],
      },
    ],
    [
      "a connection that breaks each time",
      {
        mischief: { on: /POST \/files/, hangUp: "before", times: 99 },
        says: /upload the training file: expected an answer, got .*, 4 times/,
      },
    ],
    [
      "a redirect",
      {
        mischief: { on: /POST \/files/, status: 302, headers: { Location: "http://127.0.0.1:1/" }, times: 99 },
        says: /got status 302: a redirect to http:\/\/127\.0\.0\.1:1\.\n.*Neither key nor rows were sent there/,
      },
    ],
    [
      "a model that is never named",
      {
        server: { nameless: 99 },
        says: /expected the name of the fine-tuned model, got none, 1 minutes after/,
        jobs: [1, 1],
      },
    ],
  ])("%s", async (_, { setting = {}, server: options, mischief, says, jobs = [0, 1] }) => {
    if (options !== undefined) await restart(options);
    if (mischief !== undefined) server.mischief.push(mischief);
    const outcome = await run(setting);
    expect(outcome).toMatchObject({ state: "failed", reason: expect.stringMatching(says) });
    expect(readStatus(jobOf().dir)).toMatchObject({ state: "failed", reason: expect.stringMatching(says) });
    expect(server.jobs).toHaveLength(jobs[0]);
    server.mischief.splice(0);
    if (options === undefined) expect(await run()).toEqual({ state: "done" });
    else await run();
    expect(server.jobs).toHaveLength(jobs[1]);
    expect(server.files).toHaveLength(1);
  });

  test("a job that somebody else cancels; the next call has a new one", async () => {
    onSleep = () => {
      if (server.jobs.length === 1 && server.jobs[0]!.looks > 1) server.jobs[0]!.status = "cancelled";
    };
    expect(await run()).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/job ftjob-0001: expected a job that ends by itself, got cancelled/),
    });
    onSleep = () => {};
    expect(await run()).toEqual({ state: "done" });
    expect(readHostedJob(jobOf().dir)).toMatchObject({ id: "ftjob-0002", earlier: ["ftjob-0001"] });
  });

  test.each<[string, Mischief]>([
    ["an upload's connection lost in the middle", { on: /POST \/files/, hangUp: "before" }],
    ["an upload's answer lost", { on: /POST \/files/, hangUp: "after" }],
    ["a job's request lost", { on: /POST \/fine_tuning\/jobs/, hangUp: "before" }],
    ["a job's answer lost", { on: /POST \/fine_tuning\/jobs/, hangUp: "after" }],
    ["a gateway that gives up", { on: /POST \/fine_tuning\/jobs/, status: 504, body: "timeout" }],
    ["looks that fail", { on: /GET \/fine_tuning\/jobs\/ftjob/, status: 503, body: "", times: 3 }],
    ["an answer cut short", { on: /GET \/fine_tuning\/jobs\/ftjob/, status: 200, body: '{"id": "ftj', times: 3 }],
  ])("%s is tried again, and nothing is there twice", async (_, mischief) => {
    server.mischief.push(mischief);
    expect(await run()).toEqual({ state: "done" });
    expect([server.jobs.length, server.files.length]).toEqual([1, 1]);
  });

  test("a job's request that is given up and arrives all the same is not made twice", async () => {
    let isFirst = true;
    const wrap = (endpoint: TuningEndpoint): TuningEndpoint => ({
      ...endpoint,
      create: async (...request) => {
        if (!isFirst) return endpoint.create(...request);
        isFirst = false;
        const due = now + SETTLE_MS / 2;
        onSleep = () => {
          if (now < due) return;
          onSleep = () => {};
          arriving = endpoint.create(...request);
        };
        return { kind: "dropped", reason: "no whole answer within 1 s" };
      },
      jobs: async (after) => {
        await arriving;
        return endpoint.jobs(after);
      },
    });
    expect(await run({ wrap })).toEqual({ state: "done" });
    expect(server.jobs).toHaveLength(1);
  });

  test("a run that began at another service sends the key nowhere", async () => {
    await run();
    const { dir } = jobOf();
    rmSync(runPaths.receipt(dir));
    writeHostedJob(dir, { ...readHostedJob(dir)!, base_url: "https://elsewhere.example/v1" });
    const asked = server.seen.length;
    expect(await run()).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/expected the service that the run began at, https:\/\/elsewhere\.example\/v1/),
    });
    expect(server.seen.length).toBe(asked);
  });

  test("a job of which nobody can say whether it exists is not asked for again", async () => {
    const { dir } = jobOf();
    server.mischief.push({ on: /POST \/fine_tuning/, hangUp: "after" });
    await restart({ lacks: /GET \/fine_tuning\/jobs$/ });
    server.mischief.push({ on: /POST \/fine_tuning/, hangUp: "after" });
    expect(await run()).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(
        /whether the one that was asked for exists, got a service that does not give it.\n.*file-1/,
      ),
    });
    expect(await run()).toMatchObject({ state: "failed" });
    expect(server.jobs).toHaveLength(1);
    writeHostedJob(dir, { ...readHostedJob(dir)!, id: "ftjob-0001" });
    expect(await run()).toEqual({ state: "done" });
    expect(server.jobs).toHaveLength(1);
  });

  test("a damaged job.json is refused by name", async () => {
    await run();
    const { dir } = jobOf();
    rmSync(runPaths.receipt(dir));
    writeFileSync(runPaths.hostedJob(dir), '{"base_url": 5}');
    expect(await run()).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/job\.json: expected a record/),
    });
  });
});

describe("cancelling", () => {
  const place = () => ({
    ...{ dir: jobOf().dir, run: jobOf().id, baseUrl: server.baseUrl, hasKey: true, signal: fired.signal },
    endpoint: openTuningEndpoint({ baseUrl: server.baseUrl, apiKey: KEY, timeoutMs: 5000 }),
    patience: { firstPollMs: 1, longestPollMs: 1, settleMs: 1, readyMs: 1, maxTries: 2 },
    ...{ now: () => now, random: () => 0, sleep: async () => {}, note: (text: string) => void notes.push(text) },
  });
  const interruptedRun = async () => {
    onSleep = () => {
      if (server.jobs.length > 0) fired.abort();
    };
    await run();
    fired = new AbortController();
    onSleep = () => {};
  };

  test("stops a job at the service; there is nothing more to cancel then", async () => {
    await interruptedRun();
    expect(await cancelJob(place())).toBe("cancelled");
    expect(server.jobs[0]!.status).toBe("cancelled");
    expect(await cancelJob(place())).toBeUndefined();
    expect(await run()).toEqual({ state: "done" });
    expect(server.jobs).toHaveLength(2);
  });

  test("of a job that has just ended leaves it at that", async () => {
    await interruptedRun();
    server.jobs[0]!.status = "succeeded";
    server.jobs[0]!.fine_tuned_model = `ft:${BASE}:x`;
    expect(await cancelJob(place())).toBe("succeeded");
    expect(await run()).toEqual({ state: "done" });
    expect(server.jobs).toHaveLength(1);
  });

  test("of a run without a job asks nothing", async () => {
    expect(await cancelJob(place())).toBeUndefined();
    expect(server.seen).toEqual([]);
  });
});

test("events in any order and told twice give one line a step, the latest word on it", () => {
  const event = (step: number, created_at: number, train_loss: number) => ({
    ...{ id: `${step}-${created_at}`, created_at, level: "info", message: "" },
    metrics: { step, train_loss, total_steps: 9 },
  });
  const told = [event(1, 10, 3), event(2, 12, 2.5), event(5, 20, 1), event(2, 14, 2)];
  fc.assert(
    fc.property(fc.shuffledSubarray([...told, ...told], { minLength: 8 }), (events) => {
      const { lines, numSteps } = linesOf(events);
      expect(lines.map(({ step, loss, seconds }) => [step, loss, seconds])).toEqual([
        [1, 3, Number.NaN],
        [2, 2, 4],
        [5, 1, 6],
      ]);
      expect(numSteps).toBe(9);
    }),
  );
});

/** Where a process is killed: at its so-manieth request, before the service got it, or before it got the answer; or the job's comes late. */
interface Kill {
  request: number;
  when: "before" | "after" | "late";
}

/** Runs until killed: from then on nothing of it happens any more. */
async function killedRun({ request, when }: Kill): Promise<Outcome | "killed"> {
  let count = 0;
  let isDead = false;
  let kill = () => {};
  const killed = new Promise<"killed">((resolve) => {
    kill = () => {
      isDead = true;
      resolve("killed");
    };
  });
  const never = new Promise<never>(() => {});
  const wrap = (endpoint: TuningEndpoint): TuningEndpoint =>
    Object.fromEntries(
      Object.entries(endpoint).map(([name, ask]) => {
        if (typeof ask !== "function") return [name, ask];
        const wrapped = async (...given: unknown[]) => {
          if (isDead) return never;
          const call = () => (ask as (...args: unknown[]) => Promise<unknown>)(...given);
          if (count++ !== request) return call();
          if (when === "after") await call();
          // What is on its way when its sender dies arrives a little later, or never.
          if (when === "late" && name === "create") {
            const due = now + SETTLE_MS / 2;
            onWay = () => {
              onWay = undefined;
              arriving = call();
            };
            onSleep = () => {
              if (now >= due) onWay?.();
            };
          }
          kill();
          return never;
        };
        return [name, wrapped];
      }),
    ) as unknown as TuningEndpoint;
  return Promise.race([run({ wrap }), killed]);
}

/** A request that its sender did not live to see arrive. */
let onWay: (() => void) | undefined;
let arriving: Promise<unknown> = Promise.resolve();

/** The next call, which waits for what is still on its way as the real clock would. */
async function finish(): Promise<Outcome> {
  const wrap = (endpoint: TuningEndpoint): TuningEndpoint => ({
    ...endpoint,
    jobs: async (after) => {
      await arriving;
      return endpoint.jobs(after);
    },
  });
  const outcome = await run({ wrap });
  onWay?.();
  await arriving;
  return outcome;
}

describe("killed at any moment and started again", () => {
  const NUM_REQUESTS = 15;

  test.each(["before", "after", "late"] as const)(
    "%s each request there is one file, one job, one bill",
    async (when) => {
      let reached = 0;
      for (let request = 0; request < NUM_REQUESTS; request++) {
        await restart({});
        rmSync(jobOf().dir, { recursive: true, force: true });
        onSleep = () => {};
        if ((await killedRun({ request, when })) === "killed") reached++;
        expect(await finish()).toEqual({ state: "done" });
        expect({ request, jobs: server.jobs.length, files: server.files.length }).toEqual({
          request,
          jobs: 1,
          files: 1,
        });
      }
      // The last requests are there to see that the first were all.
      expect(reached).toBeGreaterThan(9);
      expect(reached).toBeLessThan(NUM_REQUESTS);
    },
  );

  test("as often as it likes", async () => {
    const kill = fc.record({
      // Most of what matters happens early.
      request: fc.oneof(fc.nat(5), fc.nat(NUM_REQUESTS - 3)),
      when: fc.constantFrom("before" as const, "after" as const, "late" as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(kill, { minLength: 2, maxLength: 5 }), async (kills) => {
        await restart({ pageSize: 2, fileLooks: 1 });
        rmSync(jobOf().dir, { recursive: true, force: true });
        onWay = undefined;
        onSleep = () => {};
        for (const one of kills) {
          await killedRun(one);
          await arriving;
        }
        expect(await finish()).toEqual({ state: "done" });
        expect([server.jobs.length, server.files.length]).toEqual([1, 1]);
      }),
      { numRuns: 20 },
    );
  });
});
