import { describe, expect, test } from "vitest";
import { isSameResult, readResultLenient, readResultStrict } from "./result-text.ts";

test("the strict reading takes the whole text, or what follows the last mark at the beginning of a line", () => {
  expect(readResultStrict(" (B)\n")).toBe("(B)");
  expect(readResultStrict("First.\nThe answer is (A)\nNo.\nThe answer is (B)")).toBe("(B)");
  expect(readResultStrict("So The answer is (B)")).toBe("So The answer is (B)");
});

test("the lenient reading takes what is boxed, or marked in any common way, or the last line", () => {
  expect(readResultLenient("thus $\\boxed{\\frac{1}{2}}$, as the answer is known")).toBe("\\frac{1}{2}");
  expect(readResultLenient("Hmm. So the answer is (B)\nQ: what else?")).toBe("(B)");
  expect(readResultLenient("Answer: No\n")).toBe("No");
  expect(readResultLenient("5 + 5\n#### 10")).toBe("10");
  expect(readResultLenient("Let us see.\n\nvalid\n \n")).toBe("valid");
  expect(readResultLenient("The answer is\n7")).toBe("7");
  expect(readResultLenient(" \n")).toBe("");
});

describe("two results", () => {
  test.each([
    ["True", "true."],
    ["] ) }", "])}"],
    ["x + 1", "x+1"],
    ["\\frac{1}{2}", "\\dfrac12"],
    ["\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\tfrac{\\pi}{2})"],
    ["90^\\circ", "90"],
    ["90^{\\circ}", "90°"],
    ["10,080", "10080"],
    ["10{,}080", "10\\,080"],
    ["\\sqrt 2 \\, \\pi", "\\sqrt2\\pi"],
    ["\\$18.90", "$18.90"],
    ["\\(\\sqrt{2}\\)", "\\sqrt{2}"],
    ["$x^2$", "x^2"],
    ["\\text{Evelyn}", "Evelyn"],
    ["6\\%", "6%"],
  ])("%s and %s are the same", (a, b) => expect(isSameResult(a, b)).toBe(true));

  test.each([
    ["5", "15"],
    ["-5", "5"],
    ["3.5", "35"],
    ["] )", ") ]"],
    ["(A)", "(a)"],
    ["(A)", "(B)"],
    ["\\Delta", "\\delta"],
    ["cat dog", "catdog"],
    ["1,2", "12"],
    ["0.5", "\\frac{1}{2}"],
    ["", "0"],
  ])("%s and %s are not", (a, b) => expect(isSameResult(a, b)).toBe(false));
});
