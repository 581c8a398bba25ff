import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NumberGold } from "../specs/gold.ts";
import { judgeNumber, NUMBER_SCORERS, numberPanel, type PanelItem, summarisePanel } from "./number-panel.ts";

const PROGRAM = { program: "divide(937.1, 10000)", value: 0.09371, table: [] };

/** One letter a scorer, in their order: right, wrong, or - where it does not apply. */
function verdict(output: string, gold: NumberGold, program?: PanelItem["program"]): string {
  const judged = judgeNumber({ output, gold, ...(program ? { program } : {}) });
  return NUMBER_SCORERS.map((scorer) => (judged[scorer] === null ? "-" : judged[scorer] ? "r" : "w")).join("");
}

// Expected values by hand, from the rules as the head of number-panel.ts has them.
describe("the panel on one answer (own strict, own lenient, official, FinBen, AdaptLLM, HELM)", () => {
  test.each<[string, NumberGold, string]>([
    ["94", { answer: "94" }, "rr-rrr"],
    [" 94\n", { answer: "94" }, "rr-rrr"],
    ["94.0", { answer: "94" }, "rr-wrr"],
    ["The answer is 94", { answer: "94" }, "rr-wrr"],
    ["5829 - 5735 = 94", { answer: "94" }, "wr-wrw"],
    ["1 2 3 94 5 6", { answer: "94" }, "ww-wrw"], // a spray of numbers
    ["0.012", { answer: "0.02" }, "ww-wrw"], // within 0.01
    ["0.02999", { answer: "0.02" }, "ww-wrw"],
    ["0.03", { answer: "0.02" }, "ww-wrw"], // 0.01 off is within
    ["0.0301", { answer: "0.02" }, "ww-www"],
    ["9.371%", { answer: "0.09371" }, "rr-www"],
    ["9.37%", { answer: "0.09371", written: "9.37%" }, "rr-www"],
    ["(94)", { answer: "-94" }, "rr-www"],
    ["-94", { answer: "-94" }, "rr-rrr"],
    ["1,357,500", { answer: "1357500" }, "rr-wrr"],
    ["$1,357,500", { answer: "1357500" }, "rr-wrr"],
    ["1.3575 million", { answer: "1357500" }, "rr-www"],
    ["15", { answer: "5" }, "ww-www"],
    ["yes", { answer: "yes" }, "rr-r--"],
    ["Yes", { answer: "yes" }, "rr-w--"],
    ["", { answer: "94" }, "ww-www"],
    ["no idea", { answer: "94" }, "ww-www"],
  ])("%j of %j: %s", (output, gold, wanted) => {
    expect(verdict(output, gold)).toBe(wanted);
  });

  test("runs a program where one was written", () => {
    const gold = { answer: "0.09371" };
    expect(verdict("divide(937.1, 10000)", gold, PROGRAM)[2]).toBe("r");
    expect(verdict("divide(937.4, 10000)", gold, PROGRAM)[2]).toBe("w");
    expect(verdict("0.09371", gold, PROGRAM)).toBe("rr-rrr");
  });
});

describe("the panel over many answers", () => {
  const items: PanelItem[] = [
    { output: "94", gold: { answer: "94" } },
    { output: "It is 94.0", gold: { answer: "94" } },
    { output: "1 94 2", gold: { answer: "94" } },
    { output: "", gold: { answer: "94" } },
    { output: "0.29167", gold: { answer: "0.29167", written: "-22%" } },
    { output: "divide(937.1, 10000)", gold: { answer: "0.09371" }, program: PROGRAM },
    { output: "maybe", gold: { answer: "yes" } },
  ];

  test("counts every item, also those without an answer, and what a scorer does not apply to apart", () => {
    const { all, withoutConflicts, numConflicts } = numberPanel(items);
    expect([all.n, withoutConflicts.n, numConflicts]).toEqual([7, 6, 1]);
    expect(all.scorers.own_strict).toEqual({ n: 7, numRight: 2, accuracy: 2 / 7 });
    expect(withoutConflicts.scorers.own_strict.numRight).toBe(1);
    expect(all.scorers.official_execution).toEqual({ n: 1, numRight: 1, accuracy: 1 });
    expect(all.scorers.helm.n).toBe(6);
  });

  test("has in its matrix who calls right what another calls wrong", () => {
    const { onlyRowRight, bothJudge } = numberPanel(items).all;
    const at = (row: (typeof NUMBER_SCORERS)[number], column: (typeof NUMBER_SCORERS)[number]) =>
      onlyRowRight[NUMBER_SCORERS.indexOf(row)]![NUMBER_SCORERS.indexOf(column)];
    expect([at("adaptllm", "own_strict"), at("own_strict", "adaptllm")]).toEqual([2, 0]);
    expect(at("own_lenient", "own_strict")).toBe(1);
    expect(bothJudge[NUMBER_SCORERS.indexOf("official_execution")]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  const verdicts = fc.array(
    fc.record(
      Object.fromEntries(NUMBER_SCORERS.map((s) => [s, fc.constantFrom(true, false, null)])) as Record<
        (typeof NUMBER_SCORERS)[number],
        fc.Arbitrary<boolean | null>
      >,
    ),
  );

  test("does not depend on the order of the items, and its matrix adds up to its totals", () => {
    fc.assert(
      fc.property(verdicts, (list) => {
        const summary = summarisePanel(list);
        expect(summarisePanel(list.toReversed())).toEqual(summary);
        NUMBER_SCORERS.forEach((row, i) => {
          expect(summary.onlyRowRight[i]![i]).toBe(0);
          expect(summary.bothJudge[i]![i]).toBe(summary.scorers[row].n);
          NUMBER_SCORERS.forEach((_, j) => {
            expect(summary.bothJudge[i]![j]).toBe(summary.bothJudge[j]![i]);
            expect(summary.onlyRowRight[i]![j]! + summary.onlyRowRight[j]![i]!).toBeLessThanOrEqual(
              summary.bothJudge[i]![j]!,
            );
          });
        });
      }),
    );
  });
});
