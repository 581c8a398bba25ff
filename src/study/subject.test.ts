import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSubject } from "../runs/run-dir.ts";
import type { Subject } from "../runs/types.ts";
import type { StudyLock } from "./lock-file.ts";
import { askedOf, claimFolder } from "./subject.ts";

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
  made_by: { weights_digest: "1", api: "chat" },
  asked: { fpb: { test: { examples: "d", max_new_tokens: 4 } } },
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
  ["weights_digest", { made_by: { weights_digest: "2" } }],
  ["api", { made_by: { api: "completions" } }],
  ["fpb test.examples", { asked: { fpb: { test: { examples: "e", max_new_tokens: 4 } } } }],
  ["fpb test.max_new_tokens", { asked: { fpb: { test: { examples: "d", max_new_tokens: 5 } } } }],
  ["task fpb", { tasks: { fpb: { name: "fpb", catalogue: "fpb", variant: "allagree" } } }],
])("another %s is refused, and the record stays", (key, other) => {
  claimFolder(dir, SUBJECT);
  expect(() => claimFolder(dir, { ...SUBJECT, ...other })).toThrow(`expected ${key}`);
  expect(readSubject(dir)).toEqual(SUBJECT);
});

test("of a folder that an earlier version filled no more is asked than it recorded", () => {
  const { made_by: _by, asked: _asked, ...earlier } = SUBJECT;
  claimFolder(dir, earlier);
  claimFolder(dir, SUBJECT);
  expect(readSubject(dir)).toEqual(SUBJECT);
});

describe("a run", () => {
  const tickets = { name: "tickets", prompt: "Which team?\n{text}", max_train: 9 };
  const lock = {
    study: { tasks: { tickets }, mixers: {}, eval: { max_dev: 5, max_test: null, max_new_tokens: null } },
    tasks: { tickets: { digests: { train: "a", dev: "b", test: "c" } } },
  } as unknown as StudyLock;
  const asked = { tickets: { test: { examples: "c", num_examples: null, max_new_tokens: null } } };
  const again: Subject = { ...SUBJECT, tasks: { tickets: { ...tickets, max_train: 3 } }, asked };

  test("that is scored as its study says needs no record", () => {
    claimFolder(dir, again, lock);
    expect(readSubject(dir)).toBeUndefined();
  });

  test("does not take scores of a task of the same name, or of other examples, for its own", () => {
    const other = { ...again, tasks: { tickets: { ...tickets, prompt: "Team: {text}" } } };
    expect(() => claimFolder(dir, other, lock)).toThrow(/expected task tickets\.prompt "Which team\?/);
    const changed = { ...again, asked: { tickets: { test: { ...asked.tickets.test, examples: "d" } } } };
    expect(() => claimFolder(dir, changed, lock)).toThrow('expected tickets test.examples "c", got');
  });

  test("keeps a record of tasks that its study does not have", () => {
    claimFolder(
      dir,
      { ...SUBJECT, tasks: { ...again.tasks, ...SUBJECT.tasks }, asked: { ...asked, ...SUBJECT.asked } },
      lock,
    );
    expect(readSubject(dir)).toEqual(SUBJECT);
    expect(() => claimFolder(dir, { ...SUBJECT, tasks: { fpb: { name: "fpb", catalogue: "other" } } }, lock)).toThrow(
      "expected task fpb.catalogue",
    );
  });
});

test("a split is asked with as many examples as it may have", () => {
  const spec = { max_dev: 5, max_test: 7, max_new_tokens: null };
  expect(askedOf("d", "dev", spec)).toEqual({ examples: "d", num_examples: 5, max_new_tokens: null });
  expect(askedOf("t", "test", spec)).toEqual({ examples: "t", num_examples: 7, max_new_tokens: null });
});
