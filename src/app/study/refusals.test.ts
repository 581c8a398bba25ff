import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
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
  await expect(plan(studyWith(16_384))).rejects.toThrow(SpecError);
  await expect(plan(studyWith(16_384))).rejects.toThrow(
    /long\/\w+: expected examples of at most 4096 tokens, which is what mixtune\/tiny reads .*, got one of \d+, with train\.cutoff_len: 16384/,
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

test("a limit above what the model reads does no harm while no example is longer", async () => {
  const short = studyWith(16_384, { max_train: 10, fit: { field: "text", keep: "start" } });
  await expect(plan(short)).rejects.toThrow(/got one of \d+/); // fitted to 16,384 only
  expect((await plan(studyWith(2048, { on_bad_row: "skip" }))).plan).toHaveLength(1);
});
