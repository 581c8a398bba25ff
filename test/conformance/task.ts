/** @file What every task of the catalogue must be like, whoever wrote it: with the real files (catalogue.test.ts) and with made-up rows. */

import { describe, expect, test } from "vitest";
import { parseAnswer } from "../../src/data/answers.ts";
import { findLeaks } from "../../src/data/checks/leakage.ts";
import { loadTask } from "../../src/data/load-task.ts";
import type { TaskDefinition } from "../../src/data/readers/definition.ts";
import type { Example, LoadedTask } from "../../src/data/types.ts";
import type { TaskSpec } from "../../src/specs/types.ts";

/** Variants that only the hub has. */
const NOT_LOCAL = ["boolq passage"];

/** Variants of a task whose files are in a data folder; the first is the default, and empty where there are none. */
export function localVariants({ name, variants }: TaskDefinition): string[] {
  const names = Object.keys(variants ?? {}).filter((variant) => !NOT_LOCAL.includes(`${name} ${variant}`));
  return names.length === 0 ? [""] : names;
}

/** Whether nothing can be trained on with a task's own files. */
export function mayLackTrain({ isEvaluationOnly, withoutTrain }: TaskDefinition): boolean {
  return isEvaluationOnly === true || withoutTrain !== undefined;
}

/** Runs the suite on a task, in every variant and wording, with the files of a data folder. */
export function describeTask(definition: TaskDefinition, dataRoot: string | undefined): void {
  const { name } = definition;
  const isOnlyEvaluated = mayLackTrain(definition);
  const [first = "", ...others] = localVariants(definition);
  const load = (more: Partial<TaskSpec> = {}) => loadTask({ name, ...more }, { dataRoot, isOnlyEvaluated });
  const expectConforming = (task: LoadedTask) =>
    expectConformingTask(task, { isWithoutTrain: isOnlyEvaluated && task.splits.train.length === 0 });
  const said = (task: LoadedTask) =>
    Object.values(task.splits).map((examples) => examples.map(({ id, answer }) => [id, answer]));

  describe(name, { timeout: 300_000 }, () => {
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

    test.each(others)("conforms as %s", async (variant) => {
      expectConforming(await load({ variant }));
    });
  });
}

/**
 * Checks splits, answers, ids, groups, licence and source of a loaded task.
 * @param isWithoutTrain  its source has none: only what is there is checked
 */
export function expectConformingTask(task: LoadedTask, { isWithoutTrain = task.isEvaluationOnly === true } = {}): void {
  expect(task.licence).not.toBe("");
  expect(task.source).not.toBe("");
  expect(task.notes.join(" ")).toContain(task.name);
  const { train, dev, test } = task.splits;
  expect(test).not.toHaveLength(0);
  if (isWithoutTrain) expect(train).toEqual([]);
  else expect([train.length > 0, dev.length > 0]).toEqual([true, true]);
  const all = [train, dev, test].flat();
  expect(all.flatMap((example) => faultOf(example, task) ?? []).slice(0, 5)).toEqual([]);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  const groups = [train, dev, test].flatMap((examples) => [...new Set(examples.map(({ group }) => group))]);
  expect(groups.length - new Set(groups).size, "groups in two splits").toBe(0);
  expect(findLeaks([task])).toEqual([]);
}

/** What is wrong with an example, in words. */
function faultOf({ id, prompt, answer, group }: Example, task: LoadedTask): string | undefined {
  if (answer === "" || answer.trim() !== answer) return `${id}: an answer that is empty or has space around it`;
  if (group === "") return `${id}: no group`;
  if ((prompt.trim() === "") !== (task.answer.kind === "document"))
    return `${id}: an empty prompt, or one before a document`;
  if (parseAnswer(task.answer, answer) === undefined)
    return `${id}: an answer that is not read back: ${answer.slice(-60)}`;
  return undefined;
}
