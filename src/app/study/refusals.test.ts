import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkTasks } from "../tasks/check-tasks.ts";
import { openWorkspace } from "../workspace.ts";
import { planStudy } from "./plan-study.ts";
import { defineStudy } from "./read-study.ts";

// The regression: mixtune/tiny reads 4,096 tokens; a longer row within train.cutoff_len ended a run in the middle, as a fault of ours.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-positions-"));
  const rows = Array.from({ length: 40 }, (_, i) => ({
    text: `parcel ${i} ${"is late ".repeat(i === 7 ? 3000 : 1)}`,
    label: i % 2 === 0 ? "yes" : "no",
  }));
  writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function studyWith(cutoffLen: number, more: object = {}) {
  const task = {
    data: { train: "./rows.jsonl" },
    prompt: "Late?\n{text}",
    answer: { kind: "label" as const, field: "label", labels: ["yes", "no"] },
    ...more,
  };
  return defineStudy(
    {
      name: "long",
      models: ["mixtune/tiny"],
      tasks: { long: task },
      design: ["all"],
      train: { cutoff_len: cutoffLen },
    },
    folder,
  );
}

const workspace = openWorkspace();
const plan = (input: ReturnType<typeof studyWith>) => planStudy(input, workspace, { out: join(folder, "out") });

test("plan and check refuse an example that is longer than what the model reads", async () => {
  await expect(plan(studyWith(16_384))).rejects.toThrow(
    /example long\/\w+#8: expected at most 4096 tokens \(what the model reads, .*\), got \d+ tokens\.\n {2}Take a model that reads more/,
  );
  const report = await checkTasks(studyWith(16_384).study, workspace);
  expect(report.ok).toBe(false);
  expect(report.tasks[0]!.findings).toContainEqual(
    expect.objectContaining({
      severity: "broken",
      expected: "examples of at most 4096 tokens, which is what mixtune/tiny reads",
    }),
  );
});

test("and the remedy that they name works", async () => {
  const input = studyWith(4096, { on_bad_row: "skip" });
  expect((await plan(input)).plan).toHaveLength(1);
  expect((await checkTasks(input.study, workspace)).ok).toBe(true);
});

test("a limit above what the model reads does no harm: rows are fitted to the model, or skipped", async () => {
  const fitted = studyWith(16_384, { fit: { field: "text", keep: "start" } });
  expect((await plan(fitted)).plan).toHaveLength(1);
  expect((await checkTasks(fitted.study, workspace)).ok).toBe(true);
  expect((await plan(studyWith(16_384, { on_bad_row: "skip" }))).plan).toHaveLength(1);
  expect((await plan(studyWith(2048, { on_bad_row: "skip" }))).plan).toHaveLength(1);
});

// The regression: only study.train was looked at, so that the run of the longest cutoff_len ended in the middle.
test("a cutoff_len of the factors is looked at as the study's own", async () => {
  const { study, text } = studyWith(1024, { fit: { field: "text", keep: "start" } });
  const input = { text, study: { ...study, factors: { "train.cutoff_len": [512, 16_384] } } };
  expect((await plan(input)).plan).toHaveLength(2);
  const { fit: _, ...bare } = study.tasks.long!;
  const unfitted = {
    text,
    study: {
      ...input.study,
      tasks: { long: { ...bare, max_train: 10 } },
      train: { ...study.train, cutoff_len: 16_384 },
    },
  };
  await expect(plan(unfitted)).rejects.toThrow(/expected at most (512|4096) tokens/);
  const report = await checkTasks(unfitted.study, workspace);
  expect(report.tasks[0]!.findings.map(({ expected }) => expected)).toEqual(
    expect.arrayContaining([
      "examples of at most 4096 tokens, which is what mixtune/tiny reads",
      "examples of at most 512 tokens (train.cutoff_len)",
    ]),
  );
});

// The regression: examples before a question may make a prompt that the model cannot read; the untuned model's row failed after hours.
test("a question that is too long behind the examples of few_shot is found by plan and check", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    text: `parcel ${i} ${"is late ".repeat(120)}`,
    label: i % 2 ? "yes" : "no",
  }));
  writeFileSync(join(folder, "long.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const { study, text } = studyWith(1024, { data: { train: "./long.jsonl" } });
  const shown = (shots: number) => ({ text, study: { ...study, controls: [`few_shot:${shots}`] } });
  expect((await plan(shown(2))).lock.baselines.map(({ few_shot }) => few_shot)).toContain(2);
  await expect(plan(shown(20))).rejects.toThrow(
    /example long\/\w+#\d+: expected at most 4096 tokens \(what the model reads/,
  );
  expect((await checkTasks(shown(2).study, workspace)).ok).toBe(true);
  expect((await checkTasks(shown(20).study, workspace)).ok).toBe(false);
  await expect(plan(shown(99))).rejects.toThrow(/few_shot:99: task long: expected 99 training examples/);
  expect((await checkTasks(shown(99).study, workspace)).ok).toBe(false);
});

test("a label that no token is left of is found by check too", async () => {
  const { study } = studyWith(1024);
  const answer = { kind: "label" as const, field: "label", labels: ["yes", "no", " "] };
  const report = await checkTasks({ ...study, tasks: { long: { ...study.tasks.long!, answer } } }, workspace);
  expect(report.tasks[0]!.findings).toContainEqual(
    expect.objectContaining({ expected: "a label with at least one token" }),
  );
});

// The regression: these were found when the network was made, after the rows before had been trained and scored.
test.each([
  ["layers that the model has not", { lora_target: ["q_proj", "nope_proj"] }, /train\.lora_target: .*nope_proj/],
  [
    "concatenated rows that are longer than what the model reads",
    { packing: "contaminated" as const, cutoff_len: 8192 },
    /train\.cutoff_len: expected at most 4096, which is what mixtune\/tiny reads/,
  ],
])("%s are refused by plan and check, of factors too", async (_, changed, message) => {
  const { study, text } = studyWith(1024, { on_bad_row: "skip" });
  const factors = Object.fromEntries(Object.entries(changed).map(([key, value]) => [`train.${key}`, [value]]));
  for (const one of [
    { ...study, train: { ...study.train, ...changed } },
    { ...study, factors },
  ]) {
    await expect(plan({ text, study: one })).rejects.toThrow(message);
    const { ok, findings } = await checkTasks(one, workspace);
    expect([ok, findings.map(({ place }) => place)]).toEqual([false, [expect.stringMatching(/^train\./)]]);
  }
});

// The regression: a test of which every row was skipped gave a table without numbers, and check said that a study without training rows was good to run.
test("a split of which every row is skipped is found by plan and check", async () => {
  const long = Array.from({ length: 30 }, (_, i) => ({
    text: `parcel ${i} ${"is late ".repeat(800)}`,
    label: i % 2 ? "yes" : "no",
  }));
  writeFileSync(join(folder, "skipped.jsonl"), long.map((row) => `${JSON.stringify(row)}\n`).join(""));
  for (const [data, message] of [
    [{ train: "./rows.jsonl", test: "./skipped.jsonl" }, /long\/test: expected at least one row that can be used/],
    [
      { train: "./skipped.jsonl", test: "./rows.jsonl" },
      /long\/dev: expected at least one row|an ingredient with training examples/,
    ],
  ] as const) {
    const input = studyWith(1024, { data, on_bad_row: "skip" });
    await expect(plan(input)).rejects.toThrow(message);
    expect((await checkTasks(input.study, workspace)).ok).toBe(false);
  }
});
