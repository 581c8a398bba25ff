import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { formatJson, parseJson } from "../base/json-text.ts";
import { floatText, WrittenNumber, writtenNumber } from "../base/written-number.ts";
import { readParquet } from "./parquet.ts";
import { columnTypeOf, formatParquet } from "./parquet-write.ts";

const folder = mkdtempSync(join(tmpdir(), "mixtune-parquet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function written(columns: Parameters<typeof formatParquet>[0]): Promise<Record<string, unknown>[]> {
  const path = join(folder, "t.parquet");
  writeFileSync(path, formatParquet(columns));
  return (await readParquet(path)).map(({ value }) => value);
}

test("the narrowest type that holds all values is taken", () => {
  expect(columnTypeOf(["a", null])).toBe("STRING");
  expect(columnTypeOf([null, undefined])).toBe("STRING");
  expect(columnTypeOf([true, false])).toBe("BOOLEAN");
  expect(columnTypeOf([1, -2, null])).toBe("INT64");
  expect(columnTypeOf([1, 2.5])).toBe("DOUBLE");
  expect(columnTypeOf([2 ** 60])).toBe("INT64");
  expect(columnTypeOf([2 ** 70])).toBe("DOUBLE");
  expect(columnTypeOf([Number.NaN, 1])).toBe("DOUBLE");
  expect(columnTypeOf(["a", 1])).toBe("JSON");
  expect(columnTypeOf([{ a: 1 }])).toBe("JSON");
  expect(columnTypeOf([Uint8Array.of(255)])).toBe("BYTES");
  const written = (...literals: string[]) => columnTypeOf(literals.map(writtenNumber));
  expect(written("1790000000000000001", "2")).toBe("INT64");
  expect(written("9223372036854775808")).toBe("JSON");
  expect(written("1.0", "0.5", "2")).toBe("DOUBLE");
  expect(written("5.10", "12.00", "-0.05")).toEqual({ decimals: 2 });
  expect(written("5.10", "12.0")).toBe("JSON");
  expect(written("-0")).toBe("JSON");
});

const literal = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.bigInt({ min: 0n, max: 10n ** 25n }),
    fc.constantFrom("", ".0", ".10", ".25", "e5"),
  )
  .map((parts) => parts.join(""));

/** A whole number of JavaScript's may come back as the float that it is among floats. */
function asRead(row: unknown): unknown {
  const { any, ...others } = row as { any: unknown };
  const isWholeFloat =
    any instanceof WrittenNumber && /^-?\d+\.0$|e\+/.test(any.text) && any.text === floatText(Number(any));
  return { ...others, any: isWholeFloat ? Number(any) : any };
}

test("values come back as they were, whatever they are", async () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.string({ unit: "grapheme" }),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x)),
    fc.jsonValue({ noUnicodeString: false }),
    literal.map(writtenNumber),
    fc.array(literal.map(writtenNumber), { maxLength: 2 }),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Uint8Array.of(255, ...bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, fc.string(), fc.integer()), { minLength: 1 }), async (rows) => {
      const columns = ["any", "text", "whole"].map((name, i) => {
        const values = rows.map((row) => row[i]);
        return { name, values, type: columnTypeOf(values) };
      });
      const json = (list: unknown[]) => parseJson(formatJson(list.map(asRead)));
      expect(json(await written(columns))).toEqual(json(rows.map(([any, text, whole]) => ({ any, text, whole }))));
    }),
    { numRuns: 100 },
  );
});

test("a missing value in each kind of column is null", async () => {
  const types = ["BOOLEAN", "INT64", "DOUBLE", "STRING", "JSON"] as const;
  const one = { BOOLEAN: true, INT64: 7, DOUBLE: 0.5, STRING: "x", JSON: { a: [1, "b"] } };
  const columns = types.map((type) => ({ name: type, type, values: [one[type], undefined] }));
  expect(await written(columns)).toEqual([one, { BOOLEAN: null, INT64: null, DOUBLE: null, STRING: null, JSON: null }]);
});
