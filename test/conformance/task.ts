/** @file What every task of the catalogue must be like, whoever wrote it. A task's test calls this with its loaded data. */

import { expect } from "vitest";
import { findLeaks } from "../../src/data/leakage.ts";
import type { LoadedTask } from "../../src/data/types.ts";

/** Checks splits, labels, ids, groups, licence and source of a loaded task. */
export function expectConformingTask(task: LoadedTask): void {
  expect(task.licence).not.toBe("");
  expect(task.source).not.toBe("");
  expect(task.notes.join(" ")).toContain(task.name);
  const splits = Object.values(task.splits);
  for (const examples of splits) {
    expect(examples.length).toBeGreaterThan(0);
    for (const { prompt, answer, group } of examples) {
      expect(answer.trim()).toBe(answer);
      expect(answer).not.toBe("");
      expect(group).not.toBe("");
      expect(prompt.trim() === "").toBe(task.answer.kind === "document");
      if (task.answer.kind === "label") expect(task.answer.labels).toContain(answer);
    }
  }
  const ids = splits.flat().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const groups = splits.flatMap((examples) => [...new Set(examples.map(({ group }) => group))]);
  expect(new Set(groups).size).toBe(groups.length); // no group in two splits
  expect(findLeaks([task])).toEqual([]);
}
