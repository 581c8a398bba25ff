import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readScores, writeScores, writeSplit, writeStatus } from "../runs/run-dir.ts";
import type { LedgerLine, Scores } from "../runs/types.ts";
import { EVAL_DEFAULTS } from "../specs/study-file.ts";
import { changedSplits, forgetScores } from "./changed-scores.ts";
import { claimStudy, whileClaimed } from "./claim.ts";
import { appendLedger, failures, readLedger, testOpenings } from "./ledger.ts";
import { changedSince, readStudyLock, type StudyLock, studyAround } from "./lock-file.ts";
import { isComplete } from "./scored.ts";

let dir: string;
const clock = () => Date.parse("2026-01-02T03:04:05Z");
const self = { pid: process.pid, host: "here" };
/** No process has this number: pids end at 2^22 on Linux. */
const DEAD_PID = 2 ** 22 + 1;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mixtune-study-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("the ledger", () => {
  test("keeps every event with its time, in order", () => {
    appendLedger(dir, clock, { event: "planned", run: "a" });
    appendLedger(dir, clock, { event: "failed", run: "a", detail: { reason: "x" } });
    expect(readLedger(dir)).toEqual([
      { time: "2026-01-02T03:04:05.000Z", event: "planned", run: "a" },
      { time: "2026-01-02T03:04:05.000Z", event: "failed", run: "a", detail: { reason: "x" } },
    ]);
  });

  test("loses only the line that a kill tore", () => {
    appendLedger(dir, clock, { event: "started", run: "a" });
    appendFileSync(join(dir, "ledger.jsonl"), '{"time":"2026');
    appendLedger(dir, clock, { event: "finished", run: "a" });
    expect(readLedger(dir).map(({ event }) => event)).toEqual(["started", "finished"]);
  });
});

describe("the ledger's counts", () => {
  const line = (event: LedgerLine["event"], run: string, detail?: Record<string, unknown>): LedgerLine => ({
    time: "2026-01-02T03:04:05.000Z",
    event,
    run,
    ...(detail && { detail }),
  });

  test("every opening of a task's test split counts, again where a run began anew", () => {
    const opened = (run: string, ...tasks: string[]) => line("test_opened", run, { tasks });
    expect(testOpenings([])).toEqual({ times: 0, runs: 0, tasks: 0 });
    const ledger = [line("started", "a"), opened("a", "fpb", "ner"), opened("a", "ner"), opened("b", "fpb")];
    expect(testOpenings(ledger)).toEqual({ times: 4, runs: 2, tasks: 2 });
  });

  test("a failure stands until the run is tried again", () => {
    const failed = line("failed", "a", { reason: "no room" });
    expect(failures([line("started", "a"), failed, line("failed", "b", { reason: "x" })])).toEqual(
      new Map([
        ["a", "no room"],
        ["b", "x"],
      ]),
    );
    expect(failures([failed, line("started", "a")])).toEqual(new Map());
    expect(failures([failed, line("started", "a"), failed])).toEqual(new Map([["a", "no room"]]));
  });
});

describe("a claim", () => {
  test("is held during the work and let go after a failure too", async () => {
    const claimed = whileClaimed(dir, { self, clock: Date.now }, async () => {
      expect(() => claimStudy(dir, self, Date.now)).toThrow(/no other process/);
      throw new Error("no luck");
    });
    await expect(claimed).rejects.toThrow("no luck");
    expect(readdirSync(dir)).toEqual([]);
    expect(await whileClaimed(undefined, { self, clock: Date.now }, async () => 3)).toBe(3);
  });

  test("keeps a second process out, and says who holds it", () => {
    const claim = claimStudy(dir, self, Date.now);
    expect(() => claimStudy(dir, self, Date.now)).toThrow(`got process ${process.pid} on here`);
    claim.release();
    claimStudy(dir, self, Date.now).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  const claimed = (number: number, pid: number, host = "here") =>
    writeFileSync(join(dir, `.claim.${number}`), JSON.stringify({ pid, host }));

  test("of a dead process is taken over by the next number, and what came before is removed", () => {
    writeFileSync(join(dir, ".claim"), JSON.stringify({ pid: DEAD_PID, host: "here" }));
    claimed(3, DEAD_PID);
    const claim = claimStudy(dir, self, Date.now);
    expect(readdirSync(dir)).toEqual([".claim.4"]);
    expect(() => claimStudy(dir, self, Date.now)).toThrow(`got process ${process.pid} on here`);
    claim.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  test("of an owner that was taken for dead and wakes up lets go of its own alone", () => {
    const slept = claimStudy(dir, self, Date.now);
    utimesSync(join(dir, ".claim.1"), 1, 1);
    const next = claimStudy(dir, self, Date.now);
    slept.release();
    expect(readdirSync(dir)).toEqual([".claim.2"]);
    next.release();
  });

  test("that a killed process had not linked yet is removed once it is old", () => {
    const [old, fresh] = [join(dir, ".claim.0a-1"), join(dir, ".claim.0b-2")];
    for (const path of [old, fresh]) writeFileSync(path, "{}");
    utimesSync(old, 1, 1);
    claimStudy(dir, self, Date.now).release();
    expect(readdirSync(dir)).toEqual([".claim.0b-2"]);
  });

  test("of another machine is respected until it has been silent for minutes", () => {
    const path = join(dir, ".claim");
    writeFileSync(path, JSON.stringify({ pid: DEAD_PID, host: "there" }));
    expect(() => claimStudy(dir, self, Date.now)).toThrow(/on there/);
    const old = Date.now() / 1000 - 600;
    utimesSync(path, old, old);
    claimStudy(dir, self, Date.now).release();
  });

  test("that is damaged keeps out until it is old", () => {
    const path = join(dir, ".claim");
    writeFileSync(path, "");
    expect(() => claimStudy(dir, self, Date.now)).toThrow(/that no other process works here/);
    utimesSync(path, 1, 1);
    claimStudy(dir, self, Date.now).release();
    expect(existsSync(path)).toBe(false);
  });
});

describe("the study lock", () => {
  const lock = {
    format: 1,
    mixtune: "1",
    study: { name: "s", seeds: [1] },
    tasks: {},
    models: {},
    worker: { kind: "local", threads: 2 },
    runs: [],
    baselines: [],
  };

  test("tells which keys differ, and not that runs or the program's version do", () => {
    const changed = {
      ...lock,
      mixtune: "2",
      runs: [{}],
      worker: { kind: "local", threads: 4 },
      study: { name: "s", seeds: [1, 2], data_root: "/d" },
    };
    const keys = changedSince(lock as unknown as StudyLock, changed as unknown as StudyLock);
    expect(keys.sort()).toEqual(["data_root", "seeds", "worker.threads"]);
  });

  test("tells in words what the files behind the study hold now", () => {
    const of = (train: string, weights: string, rows: number) => ({
      ...lock,
      tasks: { "a.b": { metric: "accuracy", num_examples: { train: rows }, digests: { train, dev: "d" } } },
      models: { "org/m-0.5": { name: "org/m-0.5", weights_digest: weights, template_digest: weights } },
    });
    const keys = changedSince(of("1", "x", 5) as unknown as StudyLock, of("2", "y", 6) as unknown as StudyLock);
    expect(keys).toEqual(["train rows of a.b", "weights of org/m-0.5", "chat template of org/m-0.5"]);
  });

  test("is found from the study's folder and from those of its runs and baselines, and nowhere else", () => {
    writeFileSync(join(dir, "study.lock.json"), "{}");
    for (const folder of [dir, join(dir, "runs", "a"), join(dir, "baselines", "b")]) {
      expect(studyAround(folder)).toBe(dir);
    }
    expect(studyAround(join(dir, "runs"))).toBeUndefined();
    expect(studyAround(join(dir, "runs", "a", "predictions"))).toBeUndefined();
  });

  test("that is missing, damaged or of another version is refused by name", () => {
    expect(() => readStudyLock(dir)).toThrow(/no such file/);
    writeFileSync(join(dir, "study.lock.json"), '{"format": 2}');
    expect(() => readStudyLock(dir)).toThrow(/not a study lock of this version/);
    writeFileSync(join(dir, "study.lock.json"), "{");
    expect(() => readStudyLock(dir)).toThrow(/not a study lock of this version/);
  });
});

test("a job is complete when it says done and has every score that was asked for", () => {
  const job = { dir, eval_tasks: ["a", "b"], eval: { ...EVAL_DEFAULTS, splits: ["test" as const] } };
  const scores = { n: 1, n_groups: 1, metrics: {}, scoring: {} };
  expect(isComplete(job)).toBe(false);
  const kept: Scores = { tasks: {} };
  for (const task of ["a", "b"]) writeSplit(dir, kept, { task, split: "test" }, { predictions: [], scores });
  expect(isComplete(job)).toBe(false);
  writeStatus(dir, { state: "done" });
  expect(isComplete(job)).toBe(true);
  expect(isComplete({ ...job, eval: EVAL_DEFAULTS })).toBe(false);
  expect(isComplete({ ...job, eval_tasks: ["a", "b", "c"] })).toBe(false);
});

test("scores of changed examples, labels or lengths of answers are taken out of every run and baseline, the others stay", () => {
  const scores = { n: 1, n_groups: 1, metrics: {}, scoring: {} };
  const lockWith = (digest: string, maxTest: number | null) =>
    ({
      study: { tasks: { a: {}, b: {} }, eval: { max_dev: 5, max_test: maxTest } },
      tasks: { a: { digests: { dev: "d", test: digest } }, b: { digests: { dev: "d", test: "t" } } },
    }) as unknown as StudyLock;
  expect(changedSplits(lockWith("1", null), lockWith("1", null))).toEqual([]);
  expect(changedSplits(lockWith("1", null), lockWith("1", 9))).toEqual([
    { task: "a", split: "test" },
    { task: "b", split: "test" },
  ]);
  const changed = changedSplits(lockWith("1", null), lockWith("2", null));
  expect(changed).toEqual([{ task: "a", split: "test" }]);
  const labels = (...names: string[]) =>
    ({
      ...lockWith("1", null),
      study: { tasks: { a: { answer: { labels: names } } }, eval: { max_dev: 5 } },
    }) as unknown as StudyLock;
  expect(changedSplits(labels("x"), labels("x"))).toEqual([]);
  expect(changedSplits(labels("x"), labels("x", "y")).map(({ split }) => split)).toEqual(["dev", "test"]);
  for (const folder of [join(dir, "runs", "r"), join(dir, "baselines", "base-1")]) {
    mkdirSync(folder, { recursive: true });
    writeScores(folder, { tasks: { a: { dev: scores, test: scores }, b: { test: scores } } });
    forgetScores(dir, changed);
    expect(readScores(folder).tasks).toEqual({ a: { dev: scores }, b: { test: scores } });
  }
});
