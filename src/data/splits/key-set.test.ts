import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "../../base/digest.ts";
import { isAtMost, KeySet } from "./key-set.ts";

test("counts distinct digests and finds the k-th smallest", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { minLength: 1, maxLength: 3000 }), fc.nat(), (numbers, at) => {
      const set = new KeySet(4);
      const digests = numbers.map((n) => sha256(`${n}`));
      for (const [i, digest] of digests.entries()) expect(set.add(digest)).toBe(digests.indexOf(digest) === i);
      const sorted = [...new Set(digests)].sort();
      expect(set.size).toBe(sorted.length);
      const k = 1 + (at % sorted.length);
      const limit = set.smallest(k);
      expect(sorted.map((digest) => isAtMost(digest, limit))).toEqual(sorted.map((_, i) => i < k));
    }),
    { numRuns: 30 },
  );
});
