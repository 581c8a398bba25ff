import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WrittenNumber } from "../base/written-number.ts";
import type { AnswerSpec } from "../specs/types.ts";
import { type AnswerValue, answerOf, parseAnswer, renderAnswer } from "./answers.ts";

const field = "f";
const label: AnswerSpec = { kind: "label", field, labels: ["a", "b c", "none"] };
const of = (kind: "text" | "number" | "spans" | "document"): AnswerSpec => ({ kind, field });

const words = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text.trim() === text);
const spans = fc.array(fc.record({ text: fc.string({ minLength: 1 }), type: fc.string({ minLength: 1 }) }));
const numbers = fc
  .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())
  .map((n) => (n === 0 ? 0 : n))
  .filter((n) => !Number.isInteger(n) || Number.isSafeInteger(n) || /e/.test(String(n)));

describe("parseAnswer undoes renderAnswer", () => {
  const undone = (answer: AnswerSpec, values: fc.Arbitrary<AnswerValue>) =>
    fc.assert(
      fc.property(values, (value) => {
        expect(parseAnswer(answer, renderAnswer(value))).toEqual(value);
      }),
    );

  test("for labels", () => undone(label, fc.constantFrom("a", "b c", "none")));
  test("for text and documents", () => {
    undone(of("text"), words);
    undone(of("document"), words);
  });
  test("for numbers", () => undone(of("number"), numbers));
  test("for spans, whatever stands in them", () => undone(of("spans"), spans));
});

describe("renderAnswer", () => {
  test("writes plain spans plainly and quotes what would be misread", () => {
    const plain = [
      { text: "Acme: the bank", type: "organization" },
      { text: "A; B", type: "person" },
      { text: " x", type: "a:b" },
    ];
    expect(renderAnswer(plain)).toBe('organization: Acme: the bank; person: "A; B"; "a:b": " x"');
    expect(renderAnswer([])).toBe("none");
  });

  test("has no minus zero", () => expect(renderAnswer(-0)).toBe("0"));
});

describe("parseAnswer", () => {
  test.each<[AnswerSpec, string]>([
    [label, "c"],
    [label, "A"],
    [of("number"), "twelve"],
    [of("number"), ""],
    [of("number"), "."],
    [of("number"), "1,23"],
    [of("spans"), ""],
    [of("spans"), "person"],
    [of("spans"), "person: A;"],
    [of("spans"), 'person: "A'],
    [of("spans"), "; person: A"],
  ])("says that %j does not hold %j", (answer, text) => expect(parseAnswer(answer, text)).toBeUndefined());

  test("returns in linear time from text made to stall it", () => {
    const hostile = `${" ".repeat(20_000)}${'"\\'.repeat(20_000)}`;
    for (const kind of ["spans", "number"] as const) expect(parseAnswer(of(kind), `a: ${hostile}`)).toBeUndefined();
  });
});

describe("answerOf", () => {
  test("takes what files hold", () => {
    expect(answerOf(label, " a ")).toBe("a");
    expect(answerOf({ kind: "label", field, labels: ["0", "1"] }, 1)).toBe("1");
    expect(answerOf({ kind: "label", field, labels: ["true", "false"] }, true)).toBe("true");
    expect(answerOf(of("number"), "1,234.5")).toBe(1234.5);
    for (const [written, digits] of [
      ["1,234.50", "1234.50"],
      ["+1e5", "1e5"],
      ["90071992547409931", "90071992547409931"],
    ] as const) {
      expect(renderAnswer(answerOf(of("number"), written) as AnswerValue)).toBe(digits);
      expect(answerOf(of("number"), new WrittenNumber(digits))).toEqual(answerOf(of("number"), digits));
    }
    const european = { kind: "number", field, decimal: "," } as const;
    for (const [written, digits] of [
      ["50,92", "50.92"],
      ["1.234,5", "1234.5"],
      ["-1 234 567", "-1234567"],
      ["+7", "7"],
    ] as const) {
      expect(renderAnswer(answerOf(european, written) as AnswerValue)).toBe(digits);
    }
    expect(answerOf(european, "1,234.5")).toEqual({ problem: '"1,234.5" is not a number' });
    expect(answerOf({ kind: "label", field, labels: ["1.0"] }, new WrittenNumber("1.0"))).toBe("1.0");
    expect(answerOf(of("number"), 0)).toBe(0);
    expect(answerOf(of("spans"), [{ text: "A", type: "p", start: 0 }])).toEqual([{ text: "A", type: "p" }]);
    expect(answerOf(of("spans"), '[{"text":"A","type":"p"}]')).toEqual([{ text: "A", type: "p" }]);
  });

  test.each<[AnswerSpec, unknown, RegExp]>([
    [label, "nan", /"nan" is not one of the labels/],
    [label, Number.NaN, /NaN/],
    [label, null, /empty/],
    [of("text"), " ", /empty/],
    [of("text"), { a: 1 }, /nested object/],
    [of("text"), ["a"], /list/],
    [of("number"), "12 %", /"12 %" is not a number/],
    [of("number"), Number.POSITIVE_INFINITY, /NaN/],
    [of("spans"), "A", /list of/],
    [of("spans"), [{ text: "A" }], /span 1/],
    [of("spans"), [null], /span 1/],
  ])("says why %j has no answer in %j", (answer, value, problem) =>
    expect((answerOf(answer, value) as { problem: string }).problem).toMatch(problem),
  );
});
