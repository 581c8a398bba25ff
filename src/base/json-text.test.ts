import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatJson, parseJson } from "./json-text.ts";
import { floatText, WrittenNumber } from "./written-number.ts";

/** Every number that JSON has: whole part, fraction, exponent. */
const literal = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.oneof(fc.constant("0"), fc.bigInt({ min: 1n, max: 10n ** 40n }).map(String), fc.nat(99).map(String)),
    fc.option(fc.stringMatching(/^\d{1,20}$/), { nil: undefined }),
    fc.option(fc.tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "+", "-"), fc.nat(400)), { nil: undefined }),
  )
  .map(
    ([sign, whole, fraction, exponent]) => sign + whole + (fraction ? `.${fraction}` : "") + (exponent?.join("") ?? ""),
  );

/** A JSON text of literals, with the same in JavaScript where a number is marked by its own text. */
const { tree } = fc.letrec<{ tree: { json: string; value: unknown } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    literal.map((text) => ({ json: text, value: { number: text } })),
    fc.string({ unit: "grapheme" }).map((text) => ({ json: JSON.stringify(text), value: text })),
    // Texts that look like numbers, quotes and escapes
    fc
      .constantFrom(": 1.0,", '", 1e5 ', "\\", '\\"', "[1.50]", "\u2028")
      .map((text) => ({ json: JSON.stringify(text), value: text })),
    fc.constantFrom(null, true, false).map((value) => ({ json: String(value), value })),
    fc.array(tie("tree"), { maxLength: 4 }).map((items) => ({
      json: `[ ${items.map(({ json }) => json).join(" ,")}]`,
      value: items.map(({ value }) => value),
    })),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.constantFrom("__proto__", "", "7")), tie("tree")), { maxLength: 4 })
      .map((entries) => ({
        json: `{${entries.map(([key, { json }]) => `${JSON.stringify(key)} :\t${json}`).join(",")}}`,
        value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
      })),
  ),
}));

/** The value with every number as the text that `String` gives. */
function marked(value: unknown): unknown {
  if (typeof value === "number" || value instanceof WrittenNumber) return { number: String(value) };
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, marked(inner)]));
}

describe("parseJson", () => {
  test("gives every number the text that it has in the file", () => {
    fc.assert(
      fc.property(tree, ({ json, value }) => {
        expect(marked(parseJson(json))).toEqual(value);
        expect(marked(parseJson(formatJson(parseJson(json))))).toEqual(value);
      }),
      { numRuns: 2000 },
    );
  });

  test("gives what JSON.parse gives where no number is written in another way", () => {
    fc.assert(
      fc.property(fc.json(), (json) => void expect(JSON.parse(formatJson(parseJson(json)))).toEqual(JSON.parse(json))),
    );
    const plain = '{"a": [1, 2.5, -3, 0.000001, 9007199254740991, 1234567.25]}';
    expect(parseJson(plain)).toEqual(JSON.parse(plain));
  });

  test.each(["", "{", '{"a": 1.0', "[1.0,]", "01", "1.", "[1.0] 2", '{"a" 1.0}'])(
    "refuses %j as JSON.parse does",
    (text) => expect(() => parseJson(text)).toThrow(SyntaxError),
  );

  test("is not stopped by long texts and many escapes", () => {
    const text = `${"x".repeat(5_000_000)}${'\\"\n'.repeat(500_000)}`;
    const [read, number] = parseJson(`[${JSON.stringify(text)}, 1.0]`) as [string, WrittenNumber];
    expect([read === text, number.text]).toEqual([true, "1.0"]);
  });
});

test("formatJson leaves out what JSON does not have, as JSON.stringify with a replacer", () => {
  const value = {
    a: Number.NaN,
    b: undefined,
    c: [undefined, Number.POSITIVE_INFINITY],
    d: new Date(0),
    e: Uint8Array.of(1, 2),
  };
  expect(formatJson(value)).toBe('{"c":[null,null],"d":"1970-01-01T00:00:00.000Z","e":[1,2]}');
});

describe("floatText", () => {
  test.each<[number, string]>([
    [1, "1.0"],
    [-0, "-0.0"],
    [0.1, "0.1"],
    [1e15, "1000000000000000.0"],
    [1e16, "1e+16"],
    [1.5e22, "1.5e+22"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [-1.25e-7, "-1.25e-07"],
    [123.456, "123.456"],
  ])("writes %d as Python does: %s", (value, text) => expect(floatText(value)).toBe(text));

  test("takes the least digits of the width", () => {
    expect(floatText(Math.fround(0.1), Math.fround)).toBe("0.1");
    expect(floatText(16777216, Math.fround)).toBe("16777216.0");
    // Two as near: numpy takes the even digit.
    expect(floatText(1097030.25, Math.fround)).toBe("1097030.2");
    expect(floatText(1097030.75, Math.fround)).toBe("1097030.8");
    expect(floatText(9.063136037217393e-6)).toBe("9.063136037217393e-06");
  });

  test("always gives the number back", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => Object.is(Number(floatText(x)), x)),
    );
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) =>
        Object.is(Math.fround(Number(floatText(x, Math.fround))), x),
      ),
    );
  });
});
