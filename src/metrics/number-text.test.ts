import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatNumber,
  halfUnit,
  magnitude,
  type NumberScale,
  type NumberStyle,
  type NumberUnit,
  numbersIn,
  type ParsedNumber,
  parseNumber,
} from "./number-text.ts";

const plain = { unit: "none", scale: 1, decimals: 0, isApprox: false } as const;

describe("a number as text", () => {
  test.each<[string, Partial<ParsedNumber> & { value: number }]>([
    ["1,234.5", { value: 1234.5, decimals: 1 }],
    [" -12 ", { value: -12 }],
    ["−3.50", { value: -3.5, decimals: 2 }],
    ["–3", { value: -3 }],
    ["- 3", { value: -3 }],
    ["+.5", { value: 0.5, decimals: 1 }],
    ["1e-3", { value: 0.001, decimals: 3 }],
    ["(1,234)", { value: -1234 }],
    ["( 12.5% )", { value: -12.5, unit: "percent", decimals: 1 }],
    ["(12.5)%", { value: -12.5, unit: "percent", decimals: 1 }],
    ["$(1.2) million", { value: -1.2, unit: "currency", scale: 1e6, decimals: 1 }],
    ["($1.2 million)", { value: -1.2, unit: "currency", scale: 1e6, decimals: 1 }],
    ["-$5", { value: -5, unit: "currency" }],
    ["$ -5", { value: -5, unit: "currency" }],
    ["$ 1,357,500", { value: 1357500, unit: "currency" }],
    ["USD 5.00", { value: 5, unit: "currency", decimals: 2 }],
    ["€3k", { value: 3, unit: "currency", scale: 1e3 }],
    ["5 million dollars.", { value: 5, unit: "currency", scale: 1e6 }],
    ["4bn", { value: 4, scale: 1e9 }],
    ["2 Trillion", { value: 2, scale: 1e12 }],
    ["12%", { value: 12, unit: "percent" }],
    ["12 per cent", { value: 12, unit: "percent" }],
    ["25 bps", { value: 25, unit: "bps" }],
    ["about 5", { value: 5, isApprox: true }],
    ["~5.0%", { value: 5, isApprox: true, unit: "percent", decimals: 1 }],
    ["(2019)", { value: 2019 }],
    ["7.", { value: 7 }],
  ])("%j is read", (text, wanted) => {
    expect(parseNumber(text)).toEqual({ ...plain, ...wanted });
  });

  test.each(["", "five", "5 apples", "3-5", "1,23", "1.2.3", "12,34", "v5", "5x", "--5", "5 and 6", "$", "(5", "$5%5"])(
    "%j is not one number",
    (text) => {
      expect(parseNumber(text)).toBeNull();
    },
  );

  test.each<[string, number[]]>([
    ["It rose from 3 to 5.", [3, 5]],
    ["The answer is -5", [-5]],
    ["the change was -5% in 2019-2020", [-5, 2019, 2020]],
    ["between 10%-20%", [10, 20]],
    ["5 - 3 = 2", [5, 3, 2]],
    ["-32 ( 32 )", [-32]],
    ["0.12 (12%)", [0.12]],
    ["a loss of (12)", [-12]],
    ["in the year (2019) it was 4", [2019, 4]],
    ["f(5) is 7", [5, 7]],
    ["(5 to 6)", [5, 6]],
    ["Q3 of FY2020, v1.2.3", []],
    ["1,2,3", [1, 2, 3]],
    ["x = - 4", [-4]],
    ["about -5", [-5]],
  ])("%j holds %j", (text, wanted) => {
    expect(numbersIn(text).map(({ value }) => value)).toEqual(wanted);
  });

  test("has a magnitude and half a unit of its last digit", () => {
    expect(magnitude(parseNumber("$(1.25) million")!)).toBe(-1.25e6);
    expect(halfUnit(parseNumber("$(1.25) million")!)).toBeCloseTo(5e3, 9);
    expect(magnitude(parseNumber("9.37%")!)).toBeCloseTo(0.0937, 15);
    expect(halfUnit(parseNumber("9.37%")!)).toBeCloseTo(5e-5, 15);
    expect(magnitude(parseNumber("25bp")!)).toBeCloseTo(0.0025, 15);
    expect(halfUnit(parseNumber("2e3")!)).toBe(500);
  });

  const numbers = fc
    .record({
      digits: fc.integer({ min: -999_999_999, max: 999_999_999 }),
      decimals: fc.integer({ min: 0, max: 5 }),
      unit: fc.constantFrom<NumberUnit>("none", "percent", "bps", "currency"),
      scale: fc.constantFrom<NumberScale>(1, 1e3, 1e6, 1e9, 1e12),
      isApprox: fc.boolean(),
    })
    .map(({ digits, decimals, ...rest }): ParsedNumber => {
      return { ...rest, decimals, value: Number((digits / 10 ** decimals).toFixed(decimals)) + 0 };
    });
  const styles = fc.record<Required<NumberStyle>>({
    grouped: fc.boolean(),
    negative: fc.constantFrom("brackets", "minus", "typographic"),
    scale: fc.constantFrom("words", "short"),
  });
  const isYearInBrackets = ({ value, unit, decimals }: ParsedNumber, { negative, grouped }: NumberStyle) =>
    negative === "brackets" && !grouped && unit === "none" && decimals === 0 && value <= -1900 && value > -2100;

  test("is read back as it was, in every style", () => {
    fc.assert(
      fc.property(numbers, styles, (number, style) => {
        fc.pre(!isYearInBrackets(number, style));
        expect(parseNumber(formatNumber(number, style))).toEqual(number);
      }),
      { numRuns: 1000 },
    );
  });

  test("is found at its place in any sentence", () => {
    fc.assert(
      fc.property(numbers, styles, (number, style) => {
        fc.pre(!isYearInBrackets(number, style));
        const written = formatNumber(number, style);
        const [found, ...others] = numbersIn(`So the result is ${written}, it seems.`);
        expect(others).toEqual([]);
        expect(found).toEqual({ ...number, start: 17, end: 17 + written.length });
      }),
    );
  });

  test("never stalls or throws on any text", () => {
    fc.assert(fc.property(fc.stringMatching(/^[\d,.()$%\-−\sekmb]{0,300}$/), (text) => void numbersIn(text)));
    numbersIn("1,".repeat(20_000));
    numbersIn("(".repeat(20_000));
    numbersIn("-".repeat(20_000));
    numbersIn(" ".repeat(20_000));
    numbersIn("1".repeat(20_000));
  });
});
