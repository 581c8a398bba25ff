import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
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
  expect(columnTypeOf([2 ** 60])).toBe("DOUBLE");
  expect(columnTypeOf([Number.NaN, 1])).toBe("DOUBLE");
  expect(columnTypeOf(["a", 1])).toBe("JSON");
  expect(columnTypeOf([{ a: 1 }])).toBe("JSON");
});

test("values come back as they were, whatever they are", async () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.string({ unit: "grapheme" }),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x)),
    fc.jsonValue({ noUnicodeString: false }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, fc.string(), fc.integer()), { minLength: 1 }), async (rows) => {
      const columns = ["any", "text", "whole"].map((name, i) => {
        const values = rows.map((row) => row[i]);
        return { name, values, type: columnTypeOf(values) };
      });
      const json = (list: unknown[]) => JSON.parse(JSON.stringify(list));
      expect(json(await written(columns))).toEqual(json(rows.map(([any, text, whole]) => ({ any, text, whole }))));
    }),
    { numRuns: 60 },
  );
});

test("a missing value in each kind of column is null", async () => {
  const types = ["BOOLEAN", "INT64", "DOUBLE", "STRING", "JSON"] as const;
  const one = { BOOLEAN: true, INT64: 7, DOUBLE: 0.5, STRING: "x", JSON: { a: [1, "b"] } };
  const columns = types.map((type) => ({ name: type, type, values: [one[type], undefined] }));
  expect(await written(columns)).toEqual([one, { BOOLEAN: null, INT64: null, DOUBLE: null, STRING: null, JSON: null }]);
});
