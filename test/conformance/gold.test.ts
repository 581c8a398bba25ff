/** @file Every gold answer of the catalogue scored against itself: full marks, or the score would be unfair to a model that is right. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/data/catalogue.ts";
import { loadTask } from "../../src/data/load-task.ts";
import type { TaskDefinition } from "../../src/data/readers/definition.ts";
import { scoreAnswer } from "../../src/metrics/score-answer.ts";
import { expectFullMarks, isScoredByText } from "./gold.ts";

const dataRoot = process.env.MIXTUNE_DATA;

function isHeld({ local }: TaskDefinition): boolean {
  return dataRoot !== undefined && (local?.files.every((file) => existsSync(join(dataRoot, file))) ?? false);
}

/** Of the rows of dev and test that have two gold fields, those whose fields contradict each other. Counted here, published nowhere. */
const CONFLICTS: Readonly<Record<string, readonly [conflicts: number, ofRows: number]>> = {
  finqa: [16, 201],
  "finqa-by-page": [8, 86],
  convfinqa: [59, 1490],
  "convfinqa-by-page": [11, 413],
  "tat-qa": [2, 3331],
  "tat-qa-by-context": [1, 996],
};

describe.each(Object.values(CATALOGUE).filter(isScoredByText))(
  "$name (skipped where MIXTUNE_DATA has no files of it)",
  { timeout: 300_000 },
  (definition) => {
    const { name } = definition;

    test.skipIf(!isHeld(definition))("each gold answer scored against itself gets full marks", async () => {
      const task = await loadTask({ name }, { dataRoot, isOnlyEvaluated: true });
      const { numFlagged, numConflicts } = expectFullMarks(task);
      expect([numConflicts, numFlagged]).toEqual(CONFLICTS[name] ?? [0, 0]);
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
