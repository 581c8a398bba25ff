import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSubject } from "../runs/run-dir.ts";
import type { Subject } from "../runs/types.ts";
import { claimFolder } from "./subject.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mixtune-subject-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const SUBJECT: Subject = {
  model: "mixtune/tiny",
  at: "/models/tiny",
  few_shot: 0,
  tasks: { fpb: { name: "fpb", catalogue: "fpb" } },
  max_dev: 1000,
  max_test: null,
};

test("a claimed folder takes further tasks of the same subject", () => {
  claimFolder(dir, SUBJECT);
  claimFolder(dir, { ...SUBJECT, tasks: { headline: { name: "headline", catalogue: "headline" } } });
  expect(Object.keys(readSubject(dir)?.tasks ?? {})).toEqual(["fpb", "headline"]);
});

test.each<[string, Partial<Subject>]>([
  ["model", { model: "openai:gpt-4o", at: "https://api.openai.com/v1" }],
  ["few_shot", { few_shot: 5 }],
  ["max_test", { max_test: 100 }],
  ["task fpb", { tasks: { fpb: { name: "fpb", catalogue: "fpb", variant: "allagree" } } }],
])("another %s is refused, and the record stays", (key, other) => {
  claimFolder(dir, SUBJECT);
  expect(() => claimFolder(dir, { ...SUBJECT, ...other })).toThrow(`expected ${key}`);
  expect(readSubject(dir)).toEqual(SUBJECT);
});
