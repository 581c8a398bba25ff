import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadTask } from "../../data/load-task.ts";
import { parseStudy } from "../../specs/study-file.ts";
import type { StudyLock } from "../../study/lock-file.ts";
import { openWorkspace } from "../workspace.ts";
import { testQuestions } from "./test-questions.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-questions-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, texts: readonly string[]) => {
  const rows = texts.map((text, i) => `${JSON.stringify({ text, mood: i % 2 === 0 ? "good" : "bad" })}\n`);
  writeFileSync(join(folder, name), rows.join(""));
};

test("a study that has no answers yet has its questions, as long as the data is what it was planned on", async () => {
  write("train.jsonl", [
    "A long day of rain.",
    "Sun over the whole valley.",
    "Fog on the river again.",
    "Snow on the hills.",
  ]);
  write("test.jsonl", ["Wind in the trees.", "Hail at noon."]);
  const task =
    "{data: {train: train.jsonl, test: test.jsonl}, prompt: 'Mood? {text}', answer: {kind: label, field: mood, labels: [good, bad]}}";
  const text = `name: s\nmodels: [mixtune/tiny]\ntasks:\n  mood: ${task}\n  other: ${task.replace("{data", "{evaluation_only: true, data")}\ndesign: [all]\n`;
  const study = parseStudy(text, join(folder, "study.yaml"), { assignments: [], cwd: folder });
  const { digests } = await loadTask(study.tasks.mood!, {});
  const lock = { study, tasks: { mood: { digests } } } as unknown as StudyLock;
  const notes: string[] = [];
  const workspace = openWorkspace({ note: (note) => notes.push(note) });

  const found = await testQuestions(lock, workspace);
  expect([...found.keys()]).toEqual([digests.test]);
  expect([...found.get(digests.test)!.values()]).toEqual(["Wind in the trees.", "Hail at noon."]);
  expect(notes).toEqual([]);

  write("test.jsonl", ["Wind in the trees.", "Hail at one."]);
  expect((await testQuestions(lock, workspace)).size).toBe(0);
  expect(notes).toEqual([expect.stringContaining("mood: its test data has changed since the study was run")]);

  rmSync(join(folder, "test.jsonl"));
  expect((await testQuestions(lock, workspace)).size).toBe(0);
  expect(notes[1]).toMatch(/^mood: its questions are not shown\. .*test\.jsonl/);
});
