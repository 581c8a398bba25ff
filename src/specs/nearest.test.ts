import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

test("the distance of known pairs is the textbook's", () => {
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("flaw", "lawn")).toBe(2);
});

test("the distance is a metric", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});

test("nothing is near a word that resembles none", () => {
  expect(nearest("learning_rat", ["lora_rank", "learning_rate"])).toBe("learning_rate");
  expect(nearest("zzzz", ["lora_rank", "learning_rate"])).toBeUndefined();
});
