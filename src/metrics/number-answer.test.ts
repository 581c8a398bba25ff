import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NumberGold } from "../specs/gold.ts";
import { equalsGold, isGoldConflict, readNumberLenient, readNumberStrict } from "./number-answer.ts";

const right = (text: string, gold: NumberGold) => ({
  strict: equalsGold(readNumberStrict(text), gold, "strict"),
  lenient: equalsGold(readNumberLenient(text), gold, "lenient"),
});
const taken = (answer: ReturnType<typeof readNumberStrict>) =>
  typeof answer === "object" ? (answer?.value ?? null) : answer;

describe("the answer in a text", () => {
  test.each<[string, number | string | null, number | string | null]>([
    ["94", 94, 94],
    ["It is 94", null, 94],
    ["Adding 3 and 5 gives 8.\nThe answer is 8", 8, 8],
    ["The answer is 7\nNo wait.\nThe answer is 8.", 8, 8],
    ["So the answer is 8 because 3 + 5", null, 8],
    ["3 + 5 = 8\n#### 8", null, 8],
    ["\\boxed{12}", null, 12],
    ["Answer: $5 million, up from 3", null, 5],
    ["yes", "yes", "yes"],
    ["No.", "no", "no"],
    ["Yes, it did.", null, "yes"],
    ["The answer is yes", "yes", "yes"],
    ["1 2 3 94", null, 94],
    ["", null, null],
    ["I do not know", null, null],
    ["none", null, null],
    ["The answer is", null, null],
  ])("%j is %j strictly, %j leniently", (text, strict, lenient) => {
    expect([taken(readNumberStrict(text)), taken(readNumberLenient(text))]).toEqual([strict, lenient]);
  });
});

describe("an answer equals gold", () => {
  test.each<[string, NumberGold, boolean, boolean]>([
    ["94", { answer: "94" }, true, true],
    ["94.0", { answer: "94" }, true, true],
    ["94.4", { answer: "94" }, false, false],
    ["94.05", { answer: "94" }, false, true], // within a thousandth
    ["0.09371", { answer: "0.09371" }, true, true],
    ["9.371%", { answer: "0.09371" }, true, true],
    ["9.37%", { answer: "0.09371" }, false, true],
    ["9.37%", { answer: "0.09371", written: "9.37%" }, true, true],
    ["9.37", { answer: "0.09371", written: "9.37%" }, true, true],
    ["9.37", { answer: "0.09371" }, false, false], // no one said percent
    ["9.371", { answer: "0.09371", isPercent: true }, true, true],
    ["937", { answer: "0.09371", isPercent: true }, false, false],
    ["0.000937", { answer: "0.09371", isPercent: true }, false, false],
    ["9.39%", { answer: "0.09371", written: "9.37%" }, false, false],
    ["9.365%", { answer: "0.09371", written: "9.37%" }, true, true], // exactly half a unit
    ["0.012", { answer: "0.02" }, false, false],
    ["-94", { answer: "94" }, false, false],
    ["(94)", { answer: "-94" }, true, true],
    ["$1.2 million", { answer: "1200000" }, true, true],
    ["1.2", { answer: "1200000" }, false, false],
    ["1.2", { answer: "1.2", scale: 1e6 }, true, true],
    ["1,200,000", { answer: "1.2", scale: 1e6 }, true, true],
    ["1.2 million", { answer: "1.2", scale: 1e6 }, true, true],
    ["1.2 million", { answer: "1.2" }, false, false],
    ["0.0000012", { answer: "1.2", scale: 1e6 }, false, false],
    ["1.2", { answer: "1.2 million", scale: 1e6 }, true, true],
    ["1.2", { answer: "1.2 million" }, false, false],
    ["101", { answer: "112.5", written: "101 stores a year" }, true, true],
    ["386.8 million", { answer: "386797189.66", written: "$ 386797190 or $ 386.8 million" }, false, true],
    ["4.9", { answer: "4.85514", written: "4.9\\n" }, true, true],
    ["yes", { answer: "yes" }, true, true],
    ["no", { answer: "yes" }, false, false],
    ["1", { answer: "yes" }, false, false],
    ["yes", { answer: "1" }, false, false],
    ["1 2 3 94", { answer: "94" }, false, true],
    ["94 1 2 3", { answer: "94" }, false, false],
    ["", { answer: "0" }, false, false],
    ["0", { answer: "0" }, true, true],
    ["1790000000000000001", { answer: "1790000000000000001" }, true, true],
    ["1,790,000,000,000,000,001", { answer: "1790000000000000001" }, true, true],
    ["1790000000000000000", { answer: "1790000000000000001" }, false, false],
    ["1234567891", { answer: "1234567890" }, false, true],
  ])("%j of %j: strictly %j, leniently %j", (text, gold, strict, lenient) => {
    expect(right(text, gold)).toEqual({ strict, lenient });
  });

  test("whatever is right strictly is right leniently, and a gold answer always equals itself", () => {
    const values = fc.double({ noNaN: true, min: -1e7, max: 1e7 }).map((value) => String(Number(value.toFixed(5)) + 0));
    fc.assert(
      fc.property(values, values, fc.boolean(), (answer, other, isPercent) => {
        expect(right(answer, { answer, isPercent })).toEqual({ strict: true, lenient: true });
        const { strict, lenient } = right(other, { answer, isPercent });
        expect(!strict || lenient).toBe(true);
      }),
    );
  });
});

test("gold fields that contradict each other beyond rounding are a conflict", () => {
  expect(isGoldConflict({ answer: "0.29167", written: "-22%" })).toBe(true);
  expect(isGoldConflict({ answer: "yes", written: "no" })).toBe(true);
  expect(isGoldConflict({ answer: "0.09371", written: "9.37%" })).toBe(false);
  expect(isGoldConflict({ answer: "1393", written: "" })).toBe(false);
  expect(isGoldConflict({ answer: "1393" })).toBe(false);
});
