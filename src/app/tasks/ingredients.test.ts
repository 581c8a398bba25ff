import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StudyFile } from "../../specs/schema.ts";
import { planStudy } from "../study/plan-study.ts";
import { defineStudy } from "../study/read-study.ts";
import { openWorkspace } from "../workspace.ts";
import { checkTasks } from "./check-tasks.ts";
import { loadTasks } from "./ingredients.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mixtune-ingredients-"));
  const words = (n: number) => `a customer with number ${n} wants to know more`;
  const rows = (numbers: number[]) =>
    numbers.map((n) => JSON.stringify({ text: words(n), team: n % 2 ? "cards" : "loans" })).join("\n");
  const from = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i);
  writeFileSync(join(folder, "a-train.jsonl"), rows(from(0, 40)));
  writeFileSync(join(folder, "a-dev.jsonl"), rows([0, 1, ...from(100, 10)]));
  writeFileSync(join(folder, "a-test.jsonl"), rows([2, 3, 4, ...from(200, 10)]));
  writeFileSync(join(folder, "b-train.jsonl"), rows(from(300, 40)));
  writeFileSync(join(folder, "b-test.jsonl"), rows([5, 6, ...from(400, 10)]));
});
afterAll(() => rmSync(folder, { recursive: true }));

const task = (name: string, files: Record<string, string>) => ({
  data: { train: `${name}-train.jsonl`, ...files },
  prompt: "Which team?\n{text}",
  answer: { kind: "label" as const, field: "team", labels: ["cards", "loans"] },
});

function study(more: Partial<StudyFile["tasks"][string]>, rest: Partial<StudyFile> = {}) {
  const a = { ...task("a", { dev: "a-dev.jsonl", test: "a-test.jsonl" }), ...more };
  const tasks = { a, b: task("b", { test: "b-test.jsonl" }) };
  return defineStudy({ name: "s", models: ["mixtune/tiny"], tasks, design: ["all"], ...rest }, folder);
}

const load = (more: Parameters<typeof study>[0], rest?: Partial<StudyFile>) => loadTasks(study(more, rest).study, {});

// The regression: a study of files with a test text in train could not be run without editing the files.
describe("training rows that a split of the study holds out", () => {
  test("stop the study, with the key that leaves them out", async () => {
    await expect(load({})).rejects.toThrow(/a\/train#3: .*got the text of a\/test#1.*\n.*on_overlap: drop/);
  });

  test("are left out on request: of dev and test, of the task and of others, counted and said", async () => {
    const { tasks } = await load({ on_overlap: "drop" });
    expect(tasks.a!.splits.train.map(({ id }) => id)).toEqual(Array.from({ length: 33 }, (_, i) => `train#${i + 8}`));
    expect(tasks.a!.overlapping).toHaveLength(7);
    expect(tasks.a!.notes).toContain(
      "a: 7 of 40 training rows left out, as on_overlap: drop has it: 2 by their text in a/dev, 3 by their text in a/test, 2 by their text in b/test. Texts are equal if they have the same words and numbers, at least 5; case, punctuation, blanks and links do not count.",
    );
    expect(tasks.b!.splits.train).toHaveLength(36);
    expect(tasks.b!.overlapping).toBeUndefined();
  });

  test("are listed one by one by the check, whether they are left out or stop the study", async () => {
    const dropping = await checkTasks(study({ on_overlap: "drop" }).study, openWorkspace());
    const left = dropping.tasks[0]!.left_out;
    expect(left).toHaveLength(7);
    expect(left).toContainEqual({ row: "train#3", held_out: "a/test#1", by: "text" });
    expect(dropping.leaks).toEqual([]);
    const { leaks } = await checkTasks(study({}).study, openWorkspace());
    expect(leaks).toHaveLength(5); // dev is nobody's test
    expect(leaks).toContainEqual({ task: "a", row: "train#3", held_out: "a/test#1", by: "text" });
  });

  test("stay where allow_overlap names the pair", async () => {
    const { tasks } = await load({ on_overlap: "drop" }, { allow_overlap: [["b", "a"]] });
    expect(tasks.a!.overlapping).toHaveLength(5);
    expect(tasks.a!.notes.at(-1)).toContain("2 of its training examples are in the test split of b, as allow_overlap");
  });

  test("are left out of every size of the task", async () => {
    const { tasks, capped } = await load({ on_overlap: "drop" }, { factors: { "tasks.a.max_train": [20, null] } });
    const whole = tasks.a!.splits.train.map(({ id }) => id);
    expect(capped.a!.get(null)!.splits.train.map(({ id }) => id)).toEqual(whole);
    const few = capped.a!.get(20)!.splits.train.map(({ id }) => id);
    expect(few.every((id) => whole.includes(id))).toBe(true);
  });

  test("of a mixer are left out too", async () => {
    const mixer = { ...task("a", {}), on_overlap: "drop" as const };
    const { study: spec } = defineStudy(
      {
        name: "s",
        models: ["mixtune/tiny"],
        tasks: { b: task("b", { test: "b-test.jsonl" }) },
        mixers: { a: mixer },
        design: ["all"],
      },
      folder,
    );
    const { tasks } = await loadTasks(spec, {});
    // its own test split is nobody's test
    expect(tasks.a!.notes.at(-1)).toMatch(/[12] by their text in b\/test\. Texts are equal if/);
  });

  test("that would be all rows are refused", async () => {
    writeFileSync(
      join(folder, "all.jsonl"),
      '{"text": "a customer with number 5 wants to know more", "team": "cards"}\n',
    );
    const all = { train: "all.jsonl", dev: "a-dev.jsonl", test: "a-test.jsonl" };
    await expect(load({ on_overlap: "drop", data: all })).rejects.toThrow(
      /task a: train: expected rows that no dev or test split of the study holds out, got none: 1 by their text in b\/test/,
    );
  });

  test("are in the run's id", async () => {
    const idOf = async (more: Parameters<typeof study>[0], allow_overlap: [string, string][]) => {
      const { plan } = await planStudy(study(more, { allow_overlap, design: ["singles"] }), openWorkspace());
      return [plan[0]!.id, Object.values(plan[0]!.spec.data)[0]!.num_train];
    };
    const kept = await idOf({}, [
      ["a", "a"],
      ["a", "b"],
    ]);
    const dropped = await idOf({ on_overlap: "drop" }, []);
    expect([kept[1], dropped[1]]).toEqual([40, 33]);
    expect(kept[0]).not.toBe(dropped[0]);
  });
});

test("a label of another case or other blanks is the task's label, counted and said", async () => {
  const rows = ["cards", " Cards", "CARDS", "lo ans", "loans"].flatMap((team, k) =>
    Array.from({ length: 5 }, (_, i) => JSON.stringify({ text: `row ${k} ${i} of a file that is small`, team })),
  );
  writeFileSync(join(folder, "odd-train.jsonl"), rows.slice(0, 15).concat(rows.slice(20)).join("\n"));
  const odd = { ...task("odd", {}), on_bad_row: "skip" as const };
  const of = async (labels: string[]) => {
    const answer = { ...odd.answer, labels };
    const file = { name: "s", models: ["mixtune/tiny"], tasks: { odd: { ...odd, answer } }, design: ["all" as const] };
    return (await loadTasks(defineStudy(file, folder).study, {})).tasks.odd!;
  };
  const task1 = await of(["cards", "loans"]);
  expect(new Set(Object.values(task1.splits).flatMap((rows) => rows.map(({ answer }) => answer)))).toEqual(
    new Set(["cards", "loans"]),
  );
  expect(task1.notes.join()).toContain("10 of 20 labels differ from the task's by case or blanks");
  // two labels that a spelling could be: neither
  expect((await of(["Cards", "cards", "loans"])).numUnusable).toBe(5);
});
