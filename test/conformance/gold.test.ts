/** @file Every gold answer of the catalogue scored against itself: full marks, or the score would be unfair to a model that is right. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/data/catalogue.ts";
import { loadTask } from "../../src/data/load-task.ts";
import type { TaskDefinition } from "../../src/data/readers/definition.ts";
import { scoreAnswer } from "../../src/metrics/score-answer.ts";
import { scoreItems } from "../../src/metrics/score-items.ts";
import type { MetricName } from "../../src/specs/types.ts";

const dataRoot = process.env.MIXTUNE_DATA;

function isHeld({ local }: TaskDefinition): boolean {
  return dataRoot !== undefined && (local?.files.every((file) => existsSync(join(dataRoot, file))) ?? false);
}

/** Scores that are 1 where the answer is the gold one, by the metric of the task. */
const FULL: Partial<Record<MetricName, readonly string[]>> = {
  number_accuracy: ["number_accuracy", "own_lenient", "format_valid"],
  entity_f1: ["exact_match", "format_valid"],
  relation_f1: ["exact_match", "format_valid"],
  exact_match: ["exact_match", "format_valid"],
  token_f1: ["exact_match", "token_f1", "format_valid"],
};

/** Of the rows of dev and test that have two gold fields, those whose fields contradict each other. Counted here, published nowhere. */
const CONFLICTS: Readonly<Record<string, readonly [conflicts: number, ofRows: number]>> = {
  finqa: [16, 201],
  "finqa-by-page": [8, 86],
  convfinqa: [59, 1490],
  "convfinqa-by-page": [11, 413],
  "tat-qa": [2, 3331],
  "tat-qa-by-context": [1, 996],
};

const generated = Object.values(CATALOGUE).filter(
  ({ metric, answer }) => FULL[metric ?? "accuracy"] !== undefined && answer.kind !== "label",
);

describe.each(generated)(
  "$name (skipped where MIXTUNE_DATA has no files of it)",
  { timeout: 300_000 },
  (definition) => {
    const { name, answer } = definition;
    const kind = answer.kind as "number" | "spans" | "text";

    test.skipIf(!isHeld(definition))("each gold answer scored against itself gets full marks", async () => {
      const { splits, metric } = await loadTask({ name }, { dataRoot, isOnlyEvaluated: true });
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
      const counts = [flagged.filter(({ scores }) => scores.gold_conflict === 1).length, flagged.length];
      expect(counts).toEqual(CONFLICTS[name] ?? [0, 0]);
    });
  },
);

describe("ifeval (skipped where MIXTUNE_DATA has no files of it)", () => {
  test.skipIf(!isHeld(CATALOGUE.ifeval!))(
    "every instruction can be judged, but for the language of 31 responses",
    async () => {
      const { splits } = await loadTask({ name: "ifeval" }, { dataRoot });
      const counts = splits.test.map((row) => {
        const instructions = row.gold?.kind === "instructions" ? row.gold.instructions : [];
        const { checked, followed } = scoreAnswer("text", row, "It is so.").scores;
        expect(followed).toBeLessThanOrEqual(checked!);
        return { all: instructions.length, checked: checked! };
      });
      const sum = (of: "all" | "checked") => counts.reduce((total, count) => total + count[of], 0);
      expect([sum("all"), sum("all") - sum("checked")]).toEqual([834, 31]);
    },
  );
});
