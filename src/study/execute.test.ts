import { expect, test } from "vitest";
import { EVAL_DEFAULTS } from "../specs/study-file.ts";
import { type ExecuteOptions, executeJobs, type JobEvent } from "./execute.ts";
import type { ExecuteJob, Job } from "./types.ts";

function job(id: string): Job {
  return {
    kind: "base",
    numerics: {},
    id,
    dir: `/${id}`,
    model: "m",
    model_dir: "/m",
    tasks: [],
    eval_tasks: [],
    eval: EVAL_DEFAULTS,
    cutoff_len: 8,
    threads: 1,
  };
}

/** Runs toy jobs of given cost; returns what happened, in order. */
async function run(seconds: Record<string, number>, execute: ExecuteJob, changes: Partial<ExecuteOptions> = {}) {
  const events: string[] = [];
  const ledger: string[] = [];
  const outcome = await executeJobs(
    Object.entries(seconds).map(([id, cost]) => ({ job: job(id), seconds: cost })),
    {
      execute,
      concurrency: 1,
      signal: new AbortController().signal,
      isComplete: () => false,
      record: ({ event, run: id, detail }) => ledger.push([event, id, ...Object.values(detail ?? {})].join(" ")),
      onEvent: (event: JobEvent) => events.push(`${event.kind} ${event.job.id}`),
      ...changes,
    },
  );
  const ids = (jobs: Job[]) => jobs.map(({ id }) => id);
  return {
    done: ids(outcome.done),
    skipped: ids(outcome.skipped),
    interrupted: ids(outcome.interrupted),
    failed: outcome.failed,
    events,
    ledger,
  };
}

const succeed: ExecuteJob = async () => ({ state: "done" });

test("cheap jobs come first, one after the other", async () => {
  let running = 0;
  const { done, events } = await run({ long: 9, short: 1, middle: 4 }, async () => {
    running++;
    expect(running).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return { state: "done" };
  });
  expect(done).toEqual(["short", "middle", "long"]);
  expect(events.slice(0, 3)).toEqual(["started short", "ended short", "started middle"]);
});

test("of several at a time the longest come first, so that none is waited for alone", async () => {
  const { events } = await run({ a: 1, b: 4, c: 2, d: 3 }, succeed, { concurrency: 2 });
  expect(events.filter((event) => event.startsWith("started"))).toEqual(
    ["b", "d", "c", "a"].map((id) => `started ${id}`),
  );
});

test("a job that fails or throws is recorded with its reason, and the rest go on", async () => {
  const execute: ExecuteJob = async ({ id }) => {
    if (id === "b") return { state: "failed", reason: "loss is not finite" };
    if (id === "c") throw new Error("thread died");
    return { state: "done" };
  };
  const { done, failed, ledger } = await run({ a: 1, b: 2, c: 3, d: 4 }, execute);
  expect(done).toEqual(["a", "d"]);
  expect(failed.map(({ reason }) => reason)).toEqual(["loss is not finite", "thread died"]);
  expect(ledger).toContain("failed b loss is not finite");
});

test("a test split that a job opens is recorded when it opens it, also by one that fails later", async () => {
  const execute: ExecuteJob = async ({ id }, onProgress) => {
    const progress = { id, phase: "load", done: 0, total: 2, unit: "examples" } as const;
    onProgress(progress);
    onProgress({ ...progress, opens_test: ["fpb", "ner"] });
    return id === "a" ? { state: "failed", reason: "late" } : { state: "done" };
  };
  const { ledger } = await run({ a: 1, b: 2 }, execute);
  expect(ledger).toEqual([
    "started a",
    "test_opened a fpb,ner",
    "failed a late",
    "started b",
    "test_opened b fpb,ner",
    "finished b",
  ]);
});

test("complete jobs are skipped without a trace in the ledger", async () => {
  const { done, skipped, ledger } = await run({ a: 1, b: 2 }, succeed, { isComplete: ({ id }) => id === "a" });
  expect([done, skipped]).toEqual([["b"], ["a"]]);
  expect(ledger).toEqual(["started b", "finished b"]);
});

test("after the signal nothing is started, and what was begun or not is interrupted", async () => {
  const controller = new AbortController();
  const execute: ExecuteJob = async ({ id }, _, signal) => {
    if (id === "b") controller.abort();
    return signal.aborted ? { state: "interrupted" } : { state: "done" };
  };
  const { done, interrupted, events } = await run({ a: 1, b: 2, c: 3 }, execute, { signal: controller.signal });
  expect([done, interrupted]).toEqual([["a"], ["b", "c"]]);
  expect(events).not.toContain("started c");
});

test("as many jobs run at a time as asked", async () => {
  let running = 0;
  let most = 0;
  const execute: ExecuteJob = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return { state: "done" };
  };
  expect((await run({ a: 1, b: 1, c: 1, d: 1, e: 1 }, execute, { concurrency: 3 })).done).toHaveLength(5);
  expect(most).toBe(3);
});
