import fc from "fast-check";
import { expect, test } from "vitest";
import { disagreementOf } from "./disagreement.ts";
import { NUMBER_SCORERS } from "./number-panel.ts";
import { scoreAnswer } from "./score-answer.ts";

test("number answers: who calls right what another calls wrong", () => {
  const outputs = ["94", "It is 94.0", "1 94 2", "", "maybe"];
  const items = outputs.map((output) => scoreAnswer("number", { answer: "94" }, output));
  const { scorers, onlyRowRight, bothJudge } = disagreementOf(items)!;
  expect(scorers).toEqual(NUMBER_SCORERS.filter((name) => name !== "official_execution"));
  const at = (row: string, column: string) => onlyRowRight[scorers.indexOf(row)]![scorers.indexOf(column)];
  expect([at("adaptllm", "own_strict"), at("own_strict", "adaptllm")]).toEqual([2, 0]);
  expect(at("own_lenient", "own_strict")).toBe(1);
  expect(bothJudge.flat().every((n) => n === outputs.length)).toBe(true);
});

test("one scorer alone disagrees with nobody", () => {
  expect(disagreementOf([{ scores: { accuracy: 1, strict: 1 } }])).toBeUndefined();
  expect(disagreementOf([])).toBeUndefined();
});

test("does not depend on the order of the items, and is consistent with itself", () => {
  const verdict = fc.constantFrom(0, 1, undefined);
  const items = fc.array(fc.record({ constrained: verdict, strict: verdict, lenient: verdict }));
  fc.assert(
    fc.property(items, (list) => {
      const given = list.map((scores) => ({ scores: JSON.parse(JSON.stringify(scores)) as Record<string, number> }));
      const found = disagreementOf(given);
      expect(disagreementOf(given.toReversed())).toEqual(found);
      found?.scorers.forEach((row, i) => {
        expect(found.onlyRowRight[i]![i]).toBe(0);
        expect(found.bothJudge[i]![i]).toBe(given.filter(({ scores }) => scores[row] !== undefined).length);
        found.scorers.forEach((_, j) => {
          expect(found.bothJudge[i]![j]).toBe(found.bothJudge[j]![i]);
          expect(found.onlyRowRight[i]![j]! + found.onlyRowRight[j]![i]!).toBeLessThanOrEqual(found.bothJudge[i]![j]!);
        });
      });
    }),
  );
});
