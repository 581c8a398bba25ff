/** @file What every task of the catalogue must be like, whoever wrote it; catalogue.test.ts calls this for each that a data folder holds. */

import { expect } from "vitest";
import { parseAnswer } from "../../src/data/answers.ts";
import { findLeaks } from "../../src/data/checks/leakage.ts";
import type { Example, LoadedTask } from "../../src/data/types.ts";

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
