import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordStudy } from "../../../test/support/recorded-study.ts";
import { readScores, writeScores, writeStatus } from "../../runs/run-dir.ts";
import type { StudyLock } from "../../study/lock-file.ts";
import { runDir } from "../../study/scored.ts";
import { openWorkspace } from "../workspace.ts";
import { localModelDir } from "./named-model.ts";
import { runOfStudy } from "./run-of-study.ts";

const root = mkdtempSync(join(tmpdir(), "mixtune-run-of-study-"));
afterAll(() => rmSync(root, { recursive: true }));
const study = join(root, "study");
const notes: string[] = [];
const workspace = openWorkspace({ note: (note) => notes.push(note) });
let lock: StudyLock;
beforeAll(() => {
  lock = recordStudy(study, { tasks: ["a", "b"], design: "[all]", seeds: [1, 2, 3], numItems: 20, chance: () => 0.5 });
  for (const [i, value] of [0.4, 0.9, 0.6].entries()) {
    const dir = runDir(study, lock.runs[i]!.id);
    const scores = readScores(dir);
    for (const task of ["a", "b"]) scores.tasks[task]!.dev!.metrics.accuracy!.value = value;
    writeScores(dir, scores);
  }
});
const named = (word: string) => {
  notes.length = 0;
  return runOfStudy(word, workspace);
};

test("a mixture is its best seed on dev, which is said; a seed is that run", () => {
  const best = runDir(study, lock.runs[1]!.id);
  expect(named(`${study}:all`)).toBe(best);
  expect(notes).toEqual([`${study}:all is the run ${basename(best)} (seed 2, the best of 3 on dev).`]);
  expect(named(`${study}:all@3`)).toBe(runDir(study, lock.runs[2]!.id));
});

test("a seed that is not done is not offered", () => {
  const best = runDir(study, lock.runs[1]!.id);
  writeStatus(best, { state: "failed", reason: "x" });
  expect(named(`${study}:all`)).toBe(runDir(study, lock.runs[2]!.id));
  expect(() => named(`${study}:all@2`)).toThrow(/a finished run, got 1 runs, none of them done/);
  writeStatus(best, { state: "done" });
});

test("a study is the mixture that dev picks, where it picks one for all tasks or for the one that is asked for", () => {
  expect(named(study)).toBe(named(`${study}:all`));
  const wide = join(root, "wide");
  const recorded = recordStudy(wide, {
    ...{ tasks: ["a", "b"], design: "[singles]", seeds: [1], numItems: 40 },
    chance: (task, mixture) => (Object.hasOwn(mixture?.ingredients ?? {}, task) ? 0.9 : 0.2),
  });
  const [a, b] = recorded.runs.map(({ id }) => runDir(wide, id));
  expect(runOfStudy(wide, workspace, "a")).toBe(a);
  expect(runOfStudy(wide, workspace, "b")).toBe(b);
  expect(() => named(wide)).toThrow(/Name one: .*wide:a \(best on dev for a\), .*wide:b \(best on dev for b\)/);
});

test("what is no mixture is refused with the names there are; any other word stays", () => {
  expect(() => named(`${study}:untuned`)).toThrow(/got a baseline/);
  expect(named("org/name")).toBe("org/name");
  expect(named("openai:gpt-x")).toBe("openai:gpt-x");
  expect(named(root)).toBe(root);
});

test("a folder that is there is never a name of the hub", () => {
  mkdirSync(join(root, "org", "name"), { recursive: true });
  const before = process.cwd();
  try {
    process.chdir(root);
    expect(localModelDir("org/name", "here", workspace)).toBe(join(root, "org", "name"));
    expect(localModelDir("org/other", "here", workspace)).toBeUndefined();
    expect(() => localModelDir("./other", "here", workspace)).toThrow(/nothing there/);
  } finally {
    process.chdir(before);
  }
});
