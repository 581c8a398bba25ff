import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { expectConformingTask } from "../../test/conformance/task.ts";
import { DataError, type MixtuneError, SpecError } from "../base/errors.ts";
import type { AnswerSpec, MetricName, TaskSpec } from "../specs/types.ts";
import { CATALOGUE } from "./catalogue.ts";
import { findLeaks } from "./checks/leakage.ts";
import { loadTask, rankingMetric } from "./load-task.ts";

const dataRoot = process.env.MIXTUNE_DATA;

describe.skipIf(dataRoot === undefined)("catalogue tasks from local copies (skipped without MIXTUNE_DATA)", () => {
  const load = (name: string, more: Partial<TaskSpec> = {}) => loadTask({ name, ...more }, { dataRoot });
  const sizes = (task: Awaited<ReturnType<typeof load>>) =>
    [task.splits.train, task.splits.dev, task.splits.test].map((examples) => examples.length);

  test("fpb: 4,846 sentences, the 1,212 rows of the FinGPT form as test, none of their texts in train", async () => {
    const task = await load("fpb");
    expect(task.notes[0]).toContain("4846 sentences, 1212 test rows all found");
    expect(sizes(task)).toEqual([3262, 363, 1212]);
    expect(countOf(task.splits.test)).toEqual({ negative: 145, neutral: 729, positive: 338 });
  });

  test("twitter-sentiment: the published 9,543 and 2,388 tweets, repeats of test texts left out of train", async () => {
    const task = await load("twitter-sentiment");
    expect(sizes(task)).toEqual([8515, 947, 2388]);
    expect(countOf(task.splits.test)).toEqual({ bearish: 347, bullish: 475, neutral: 1566 });
  });

  test("headline: 11,412 headlines, nine questions of a text together, a fifth of distinct texts as test", async () => {
    const task = await load("headline");
    expect(task.notes[0]).toContain("11412 headlines, 10562 distinct texts");
    expect(sizes(task)).toEqual([9999, 999, 2112 * 9]);
    expect(sizes(await load("headline", { max_train: 90 }))).toEqual([90, 999, 2112 * 9]);
  });

  test("gives the same digests every time, and others for other rows", async () => {
    const [one, two] = [await load("fpb"), await load("fpb")];
    expect(two.digests).toEqual(one.digests);
    const capped = await load("fpb", { max_train: 100 });
    expect(capped.digests).toEqual({ ...one.digests, train: capped.digests.train });
    expect(capped.digests.train).not.toBe(one.digests.train);
  });
});

function countOf(examples: readonly { answer: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { answer } of examples) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}

test("a task is ranked by what was asked for, by its own metric, or by that of its answers' kind", () => {
  const label: AnswerSpec = { kind: "label", field: "y", labels: ["a", "b"] };
  const of = (kind: "text" | "number" | "spans"): AnswerSpec => ({ kind, field: "y" });
  const defaults = [label, of("text"), of("number"), of("spans"), { kind: "document", field: "y" } as const];
  expect(defaults.map((answer) => rankingMetric({ name: "t" }, answer, undefined))).toEqual([
    "weighted_f1",
    "token_f1",
    "number_accuracy",
    "entity_f1",
    "answer_logprob",
  ]);
  expect(rankingMetric({ name: "t" }, of("spans"), "relation_f1")).toBe("relation_f1");
  expect(rankingMetric({ name: "t", metric: "answer_logprob" }, of("number"), "number_accuracy")).toBe(
    "answer_logprob",
  );
  expect(rankingMetric({ name: "t", metric: "mcc" }, label, "accuracy")).toBe("mcc");
});

test.each<[MetricName, AnswerSpec, MetricName | undefined, RegExp]>([
  [
    "accuracy",
    { kind: "number", field: "y" },
    undefined,
    /a metric of number answers: number_accuracy, answer_logprob/,
  ],
  [
    "answer_logprob",
    { kind: "label", field: "y", labels: ["a", "b"] },
    undefined,
    /weighted_f1, accuracy, macro_f1, mcc/,
  ],
  [
    "instruction_accuracy",
    { kind: "text", field: "y" },
    undefined,
    /token_f1, exact_match, rouge_l, chrf, answer_logprob/,
  ],
  ["token_f1", { kind: "text", field: "y" }, "instruction_accuracy", /instruction_accuracy, answer_logprob/],
])("%s for other answers is refused", (metric, answer, own, message) => {
  expect(() => rankingMetric({ name: "t", metric }, answer, own)).toThrow(message);
});

describe("generated tasks", () => {
  const names = Object.keys(CATALOGUE).filter((name) => name.startsWith("gen-"));

  test.each(names)("%s has 400, 100 and 300 examples", async (name) => {
    const task = await loadTask({ name }, {});
    expect(Object.values(task.splits).map((examples) => examples.length)).toEqual([400, 100, 300]);
  });

  test("train on no test text of one another", async () => {
    const tasks = await Promise.all(names.map((name) => loadTask({ name }, {})));
    expect(findLeaks(tasks)).toEqual([]);
  });
});

describe("own data", () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-own-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const tickets = Array.from({ length: 40 }, (_, i) => ({
    text: `ticket number ${i}`,
    team: i % 2 ? "cards" : "loans",
    who: `c${i % 20}`,
  }));
  const jsonl = tickets.map((row) => JSON.stringify(row)).join("\n");
  const csv = (delimiter: string) =>
    ["text,team,who", ...tickets.map(Object.values).map((cells) => cells.join())].join("\n").replaceAll(",", delimiter);
  const spec = (train: string, more: Partial<TaskSpec> = {}): TaskSpec => ({
    name: "tickets",
    data: { train },
    prompt: "Which team?\n{text}",
    answer: { kind: "label", field: "team", labels: ["cards", "loans"] },
    ...more,
  });
  const message = async (wanted: TaskSpec, kind: typeof MixtuneError) => {
    const error = await loadTask(wanted, {}).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(kind);
    return (error as MixtuneError).message;
  };

  test("reads the same rows from JSON Lines, JSON, CSV, TSV and gzip", async () => {
    const paths = [
      file("a.jsonl", jsonl),
      file("a.json", JSON.stringify(tickets)),
      file("a.csv", csv(",")),
      file("a.tsv", csv("\t")),
      file("a.jsonl.gz", gzipSync(jsonl)),
    ];
    const loaded = await Promise.all(paths.map((path) => loadTask(spec(path), {})));
    for (const task of loaded) {
      expectConformingTask(task);
      expect(task.digests).toEqual(loaded[0]?.digests);
    }
    expect(loaded[0]?.splits.train[0]?.prompt).toMatch(/^Which team\?\nticket number \d+$/);
  });

  test("keeps the rows of a group in one split and takes given files as they are", async () => {
    const train = file("a.jsonl", jsonl);
    const testFile = file("test.jsonl", '{"text": "a new one", "team": "loans", "who": "z"}');
    const task = await loadTask(spec(train, { group: "who", data: { train, test: testFile } }), {});
    expectConformingTask(task);
    expect(task.splits.test).toMatchObject([{ id: "test#1", answer: "loans", group: "z" }]);
    expect(task.splits.dev).toHaveLength(4); // a tenth of 20 customers, two tickets each
  });

  test("reads documents without a prompt", async () => {
    const train = file("a.jsonl", jsonl);
    const task = await loadTask({ name: "texts", data: { train }, answer: { kind: "document", field: "text" } }, {});
    expectConformingTask(task);
    expect(task.splits.train[0]).toMatchObject({ prompt: "" });
  });

  test("names the columns there are when one is wrong, in prompt, answer or group", async () => {
    const train = file("a.csv", csv(","));
    for (const wrong of [
      spec(train, { prompt: "{body}" }),
      spec(train, { group: "body" }),
      spec(train, { answer: { kind: "text", field: "body" } }),
    ]) {
      expect(await message(wrong, SpecError)).toMatch(/column "body".*"text", "team", "who"/);
    }
  });

  const bad = `${jsonl}\n{"text": "odd", "team": "fraud", "who": "x"}\n{"text": " ", "team": "cards", "who": "x"}\n{"text": "lost", "who": "x"}`;

  test("stops at a row that cannot be used, naming its line and what is wrong", async () => {
    const path = file("bad.jsonl", bad);
    expect(await message(spec(path), DataError)).toContain(`${path}:41`);
    expect(await message(spec(path), DataError)).toContain(
      'expected team to be one of the labels cards, loans, got "fraud"',
    );
  });

  test("skips such rows where asked, and counts and lists them", async () => {
    const task = await loadTask(spec(file("bad.jsonl", bad), { on_bad_row: "skip" }), {});
    expect(task.notes[0]).toMatch(
      /3 of 43 rows skipped: line 41 \(team "fraud".*\); line 42 \(text is empty\); line 43 \(no team\)/,
    );
    expect(Object.values(task.splits).flat()).toHaveLength(40);
  });

  test.each([
    ["an empty file", "e.jsonl", "", DataError],
    ["a header without rows", "e.csv", "text,team\n", DataError],
    ["a list of numbers", "e.json", "[1, 2]", DataError],
    ["an object in place of a list", "e.json", "{}", DataError],
    ["an ending it cannot read", "e.xlsx", "", SpecError],
  ] as const)("refuses %s", async (_, name, content, kind) => {
    expect(await message(spec(file(name, content)), kind)).toContain(name);
  });

  test("refuses a missing file, a missing prompt and a missing answer", async () => {
    expect(await message(spec(join(folder, "none.jsonl")), DataError)).toContain("none.jsonl");
    const { prompt: _p, ...noPrompt } = spec(file("a.jsonl", jsonl));
    const { answer: _a, ...noAnswer } = spec(file("a.jsonl", jsonl));
    expect(await message(noPrompt, SpecError)).toContain("prompt");
    expect(await message(noAnswer, SpecError)).toContain("answer");
  });

  test("refuses an unknown catalogue name and a catalogue task without a data root", async () => {
    expect(await message({ name: "headlne" }, SpecError)).toMatch(/mixtune tasks list shows\. Did you mean headline\?/);
    expect(await message({ name: "fpb" }, SpecError)).toContain("MIXTUNE_DATA");
    expect(await message({ name: "fpb", data_dir: folder }, DataError)).toContain("Sentences_50Agree.txt");
  });
});
