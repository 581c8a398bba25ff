import { describe, expect, test } from "vitest";
import { CheckpointError, DataError, SpecError, WorkerError } from "../base/errors.ts";
import { answered } from "./commands/predict.ts";
import { describeError, EXIT_FAILED, EXIT_WRONG_REQUEST, errorRecord, exitStatus } from "./exit.ts";
import { modelDir } from "./models.ts";
import { bytes, count, duration } from "./numbers.ts";
import { readSettings } from "./settings.ts";
import { labelsAndPrompt } from "./task-prompt.ts";
import { assignmentsOf } from "./words.ts";

const DETAIL = { place: "p", expected: "e", got: "g", remedy: "Do r." };

describe("errors", () => {
  test("of the request end with 2, of work and of mixtune itself with 1", () => {
    expect([SpecError, DataError, CheckpointError].map((kind) => exitStatus(new kind(DETAIL)))).toEqual(
      Array(3).fill(EXIT_WRONG_REQUEST),
    );
    expect(exitStatus(new WorkerError(DETAIL))).toBe(EXIT_FAILED);
    expect(exitStatus(new TypeError("x is undefined"))).toBe(EXIT_FAILED);
  });

  test("show their stack only with --debug", () => {
    expect(describeError(new SpecError(DETAIL), false)).toBe("p: expected e, got g.\n  Do r.");
    expect(describeError(new SpecError(DETAIL), true)).toContain("\n    at ");
    expect(describeError(new TypeError("x is undefined"), false)).toBe(
      "internal error: x is undefined\n  This is a fault of mixtune. Run again with --debug to see where, and report it.",
    );
  });

  test("are records for machines", () => {
    expect(errorRecord(new DataError(DETAIL))).toEqual({ kind: "DataError", ...DETAIL });
  });
});

test("numbers read as people write them", () => {
  expect([count(1234567.4), duration(0.2), duration(89), duration(600), duration(9000), duration(Number.NaN)]).toEqual([
    "1,234,567",
    "1 s",
    "89 s",
    "10 min",
    "2.5 h",
    "?",
  ]);
  expect([bytes(1), bytes(12_400_000), bytes(3.44e9)]).toEqual(["1 MB", "12 MB", "3.4 GB"]);
});

test("settings come from the environment, and nonsense is no setting", () => {
  const set = readSettings({ MIXTUNE_DATA: "/d", MIXTUNE_THREADS: "3", MIXTUNE_CACHE: "/c", NO_COLOR: "1" });
  expect(set).toEqual({ dataRoot: "/d", threads: 3, cacheDir: "/c", isPlain: true });
  expect(readSettings({ MIXTUNE_THREADS: "many", MIXTUNE_DATA: "", XDG_CACHE_HOME: "/x" })).toEqual({
    dataRoot: undefined,
    threads: undefined,
    cacheDir: "/x/mixtune",
    isPlain: false,
  });
});

test("words after a file are overrides or nothing", () => {
  expect(assignmentsOf(["train.learning_rate=1e-4", "tasks.our-tickets.max_train=3", "name="])).toHaveLength(3);
  expect(() => assignmentsOf(["seeds"])).toThrow(/expected key=value/);
});

test("the shipped model is found from sources", () => {
  expect(modelDir("mixtune/tiny", "here")).toMatch(/assets\/tiny$/);
});

describe("predict", () => {
  test("answers with the likeliest label, ties to the earlier, and probabilities among the labels", () => {
    const { answer, probability, probabilities } = answered(
      ["a", "b", "c"],
      [Math.log(0.02), Math.log(0.06), Math.log(0.02)],
    );
    expect(answer).toBe("b");
    expect(probability).toBeCloseTo(0.6, 12);
    expect(probabilities.a).toBeCloseTo(0.2, 12);
    expect(answered(["a", "b"], [-5000, -5000])).toMatchObject({ answer: "a", probability: 0.5 });
  });

  test("fills a task's prompt from a row, and names the row and field that is missing", () => {
    const spec = {
      name: "t",
      prompt: "Q?\n{text}\n{text} {n}",
      answer: { kind: "label" as const, field: "y", labels: ["a", "b"] },
    };
    const { labels, promptOf } = labelsAndPrompt(spec);
    expect(labels).toEqual(["a", "b"]);
    expect(promptOf({ text: "{n} $&", n: 3 }, "f:1")).toBe("Q?\n{n} $&\n{n} $& 3");
    expect(() => promptOf({ text: "x" }, "f:7")).toThrow(/^f:7: expected a text in the field "n"/);
  });

  test("refuses a task whose answer is no label", () => {
    expect(() => labelsAndPrompt({ name: "gen-general", catalogue: "gen-general" })).toThrow(/got kind text/);
  });
});
