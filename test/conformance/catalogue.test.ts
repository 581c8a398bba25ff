/** @file Every task of the catalogue, in every variant and wording that the data folder holds, against the conformance suite. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/data/catalogue.ts";
import type { TaskDefinition } from "../../src/data/readers/definition.ts";
import type { Example, LoadedTask } from "../../src/data/types.ts";
import { describeTask, expectConformingTask } from "./task.ts";

const dataRoot = process.env.MIXTUNE_DATA;

function isHeld({ generate, local }: TaskDefinition): boolean {
  if (generate !== undefined) return true;
  const root = dataRoot;
  return root !== undefined && (local?.files.every((file) => existsSync(join(root, file))) ?? false);
}

describe("every task of the catalogue", () => {
  test.each(Object.values(CATALOGUE).map((task) => [task.name, task] as const))("%s says what it is", (name, task) => {
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const said of [task.title, task.publication, task.licence, task.unit]) expect(said.trim()).not.toBe("");
    expect(Object.keys(task.prompts).length).toBeGreaterThan(0);
    expect([task.generate, task.local, task.hub].some((source) => source !== undefined)).toBe(true);
    if (task.hub !== undefined) expect(task.hub.id).toMatch(/^[\w.-]+\/[\w.-]+$/);
    if (task.isEvaluationOnly === true)
      expect([task.paper, task.maxTrain, task.hub?.splits.train]).toEqual([undefined, undefined, undefined]);
  });
});

for (const definition of Object.values(CATALOGUE).filter(isHeld)) describeTask(definition, dataRoot);

describe("the suite catches", () => {
  const row = (id: string, answer = "yes") => ({ id, prompt: `Is ${id} the name of a row?`, answer, group: id });
  const whole: LoadedTask = {
    name: "toy",
    answer: { kind: "label", field: "label", labels: ["yes", "no"] },
    metric: "accuracy",
    licence: "MIT",
    source: "made up",
    splits: { train: [row("a"), row("b")], dev: [row("c")], test: [row("d", "no")] },
    digests: { train: "", dev: "", test: "" },
    notes: ["toy: made up"],
  };
  const withTest = (change: Partial<Example>): LoadedTask => ({
    ...whole,
    splits: { ...whole.splits, test: [{ ...row("d"), ...change }] },
  });

  test("nothing in a task that is as it should be", () => expectConformingTask(whole));

  test.each<[string, LoadedTask]>([
    ["an answer that is no label", withTest({ answer: "maybe" })],
    ["an answer with space around it", withTest({ answer: "yes " })],
    ["an empty prompt", withTest({ prompt: " " })],
    ["an id used twice", withTest({ id: "a" })],
    ["a group in two splits", withTest({ group: "c" })],
    ["a test text in train", withTest({ prompt: "Is a the name of a row?" })],
    ["a row without group", withTest({ group: "" })],
    ["no licence", { ...whole, licence: "" }],
    ["notes that do not name the task", { ...whole, notes: [] }],
    ["nothing to train on", { ...whole, splits: { ...whole.splits, train: [] } }],
    ["training rows of a benchmark", { ...whole, isEvaluationOnly: true }],
    ["no test", { ...whole, splits: { ...whole.splits, test: [] } }],
  ])("%s", (_, task) => {
    expect(() => expectConformingTask(task)).toThrow();
  });
});
