/** @file Every task of the catalogue, in every variant and wording that the data folder holds, against the conformance suite. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/data/catalogue.ts";
import { loadTask } from "../../src/data/load-task.ts";
import type { TaskDefinition } from "../../src/data/readers/definition.ts";
import type { Example, LoadedTask } from "../../src/data/types.ts";
import type { TaskSpec } from "../../src/specs/types.ts";
import { expectConformingTask } from "./task.ts";

const dataRoot = process.env.MIXTUNE_DATA;
/** Variants that only the hub has. */
const NOT_LOCAL = ["boolq passage"];

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

describe.each(Object.values(CATALOGUE).filter(isHeld))("$name", { timeout: 300_000 }, (definition) => {
  const { name } = definition;
  const mayLackTrain = definition.isEvaluationOnly === true || definition.withoutTrain !== undefined;
  const [first = "", ...others] = Object.keys(definition.variants ?? {});
  const load = (more: Partial<TaskSpec> = {}) =>
    loadTask({ name, ...more }, { dataRoot, isOnlyEvaluated: mayLackTrain });
  const expectConforming = (task: LoadedTask) =>
    expectConformingTask(task, { isWithoutTrain: mayLackTrain && task.splits.train.length === 0 });
  const said = (task: LoadedTask) =>
    Object.values(task.splits).map((examples) => examples.map(({ id, answer }) => [id, answer]));

  test(`conforms${first && ` as ${first}`}, the same each time, and in other wordings but for its prompts`, async () => {
    const usual = await load();
    expectConforming(usual);
    expect((await load(first === "" ? {} : { variant: first })).digests).toEqual(usual.digests);
    for (const prompt_style of Object.keys(definition.prompts).slice(1)) {
      const other = await load({ prompt_style });
      expect(other.digests.test).not.toBe(usual.digests.test);
      expect(said(other)).toEqual(said(usual));
      expect(
        Object.values(other.splits).every((examples) => examples.every(({ prompt }) => prompt.trim() !== "")),
      ).toBe(true);
    }
  });

  test.each(others.filter((variant) => !NOT_LOCAL.includes(`${name} ${variant}`)))(
    "conforms as %s",
    async (variant) => {
      expectConforming(await load({ variant }));
    },
  );
});

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
