/** @file Gold answers scored against themselves: full marks, or the score would be unfair to a model that is right. */

import { expect } from "vitest";
import type { TaskDefinition } from "../../src/data/readers/definition.ts";
import type { LoadedTask } from "../../src/data/types.ts";
import { scoreAnswer } from "../../src/metrics/score-answer.ts";
import { scoreItems } from "../../src/metrics/score-items.ts";
import type { MetricName } from "../../src/specs/types.ts";

/** Scores that are 1 where the answer is the gold one, by the metric of the task. */
const FULL: Partial<Record<MetricName, readonly string[]>> = {
  number_accuracy: ["number_accuracy", "own_lenient", "format_valid"],
  entity_f1: ["exact_match", "format_valid"],
  relation_f1: ["exact_match", "format_valid"],
  exact_match: ["exact_match", "format_valid"],
  token_f1: ["exact_match", "token_f1", "format_valid"],
};

/** Whether a task's answers are written texts that have one right form. */
export function isScoredByText({ metric, answer }: TaskDefinition): boolean {
  return FULL[metric ?? "accuracy"] !== undefined && answer.kind !== "label";
}

/**
 * Checks every dev and test row of such a task.
 * @returns how many rows have two gold fields, and in how many of them the fields contradict each other
 */
export function expectFullMarks({ splits, metric, answer }: LoadedTask): { numFlagged: number; numConflicts: number } {
  const kind = answer.kind as "number" | "spans" | "text";
  const rows = [...splits.dev, ...splits.test];
  expect(rows.length).toBeGreaterThan(0);
  const items = rows.map((row) => ({ ...row, ...scoreAnswer(kind, row, row.answer) }));
  const short = items.flatMap(({ id, answer: said, scores }) =>
    FULL[metric]!.filter((score) => scores[score] !== 1).map((score) => `${id} ${score}: ${said.slice(0, 80)}`),
  );
  expect(short).toEqual([]);
  const { metrics } = scoreItems(items, metric, { seed: 1, resamples: 1 });
  expect(metrics[metric]?.value).toBe(1);
  const programs = rows.flatMap((row) =>
    row.gold?.kind === "number" && row.gold.program ? [{ row, ...row.gold.program }] : [],
  );
  const wrong = programs.filter(({ row, program }) => {
    const { official_execution, program_accuracy } = scoreAnswer(kind, row, program).scores;
    return official_execution !== 1 || program_accuracy !== 1;
  });
  expect(wrong.map(({ program, value }) => `${program} = ${value}`)).toEqual([]);
  const flagged = items.filter(({ scores }) => scores.gold_conflict !== undefined);
  return {
    numFlagged: flagged.length,
    numConflicts: flagged.filter(({ scores }) => scores.gold_conflict === 1).length,
  };
}
