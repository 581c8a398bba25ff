import { describe, expect, test } from "vitest";
import type { NumberGold } from "../specs/gold.ts";
import { judgeNumber, NUMBER_SCORERS, type PanelItem } from "./number-panel.ts";

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
