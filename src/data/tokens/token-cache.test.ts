import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { readTokens, type TokenCache, writeTokens } from "./token-cache.ts";

describe("the token cache", () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-tokens-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const cache: TokenCache = { folder, code: "c" };
  const ids = fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 9 }).map((list) => Int32Array.from(list));
  const pieces = fc.array(fc.record({ id: fc.string(), prompt: ids, answer: ids }), { maxLength: 8 });

  test("gives back what was kept", () => {
    fc.assert(
      fc.property(pieces, fc.uuid(), (tokenized, key) => {
        const content = {
          rows: Int32Array.from(tokenized.keys()),
          tokenized,
          facts: { note: "n", n: tokenized.length },
        };
        writeTokens(cache, key, content);
        expect(readTokens(cache, key)).toEqual(content);
      }),
      { numRuns: 20 }, // each is a file made safe on disk
    );
  });

  test("has nothing under another key, and makes no fuss about a folder it cannot write", () => {
    expect(readTokens(cache, "other")).toBeUndefined();
    const blocked = join(folder, "file");
    writeFileSync(blocked, "");
    const nowhere = { folder: join(blocked, "x"), code: "c" };
    writeTokens(nowhere, "k", { rows: new Int32Array(), tokenized: [], facts: {} });
    expect(readTokens(nowhere, "k")).toBeUndefined();
  });

  test("removes a file in which any byte was changed or that was cut", () => {
    const tokenized = [{ id: "a", prompt: Int32Array.of(1, 2), answer: Int32Array.of(3) }];
    const keep = () => writeTokens(cache, "k", { rows: Int32Array.of(0), tokenized, facts: { f: 1 } });
    const path = join(folder, "k.tokens");
    keep();
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const bad = Buffer.from(whole);
      bad[at] = (bad[at] as number) ^ 1;
      writeFileSync(path, bad);
      const read = readTokens<{ f: number }>(cache, "k");
      // a flipped bit in the header's facts or ids is not seen by the body's digest: it must be seen by the header's
      expect([at, read]).toEqual([at, undefined]);
      expect(readdirSync(folder)).not.toContain("k.tokens");
    }
    for (const length of [0, 5, 40, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(readTokens(cache, "k")).toBeUndefined();
    }
  });
});
