import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { digestOf, sha256 } from "./digest.ts";

/** The same value with the keys of every object turned round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe("canonical JSON", () => {
  test("is JSON of the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  test("has sorted keys, no white space and no members that are undefined", () => {
    expect(canonicalJson({ b: [1, "é"], a: { d: null, c: undefined } })).toBe('{"a":{"d":null},"b":[1,"é"]}');
  });

  test("refuses what JSON cannot hold", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, [undefined]])
      expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});

describe("digests", () => {
  test("are SHA-256, as FIPS 180-2 gives it for abc", () => {
    expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(sha256(new Uint8Array([97, 98, 99]))).toBe(sha256("abc"));
  });

  test("tell values apart that differ in one member or in type", () => {
    const values = [{}, { a: 1 }, { a: 2 }, { b: 1 }, { a: "1" }, [1], [1, 2], "1", 1, null];
    expect(new Set(values.map(digestOf)).size).toBe(values.length);
  });
});
