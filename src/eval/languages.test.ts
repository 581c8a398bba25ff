import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { Rng } from "../base/rng.ts";
import { openTokenizer } from "../data/tokenizers.ts";
import { type Language, labelLanguage, MAX_DIGITS, numberLanguage } from "./languages.ts";

/** Ids of a random path to the end. */
function walk(language: Language, rng: Rng): number[] {
  const ids: number[] = [];
  for (let at = language; at.allowed.length > 0; at = at.after(ids.at(-1)!)) ids.push(rng.pick(at.allowed));
  return ids;
}

describe("labels", () => {
  const END = 0;
  const label = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }).map((ids) => [...ids, END]);
  const labels = fc.uniqueArray(label, { minLength: 1, maxLength: 8, selector: (ids) => ids.join() });

  test("every path is a label, and every label a path", () => {
    fc.assert(
      fc.property(labels, fc.nat(), (list, seed) => {
        const language = labelLanguage(list.map((ids) => Int32Array.from(ids)));
        expect(list).toContainEqual(walk(language, new Rng(seed)));
        for (const ids of list) {
          let at = language;
          for (const id of ids) {
            expect(at.allowed).toContain(id);
            at = at.after(id);
          }
          expect(at.allowed).toEqual([]);
        }
      }),
    );
  });

  test("what is not allowed is refused", () => {
    expect(() => labelLanguage([Int32Array.of(1, END)]).after(2)).toThrow("token 2");
  });
});

const TOKENIZERS = {
  tiny: "../../assets/tiny",
  // a decoder that drops a blank at the beginning
  llama2: "../../test/golden/data-tokenizer/families/phi3",
};

describe.each(Object.entries(TOKENIZERS))("numbers with the tokenizer of %s", (_, folder) => {
  const tokenizer = openTokenizer(join(import.meta.dirname, folder));
  const END = tokenizer.eosId;
  const language = numberLanguage(tokenizer, END);

  test("every path is a number", () => {
    const texts = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const ids = walk(language, new Rng(seed));
      expect(ids.at(-1)).toBe(END);
      const text = tokenizer.decode(ids.slice(0, -1));
      expect(text).toMatch(/^ ?[+-]?[0-9]+(\.[0-9]+)?%?$/);
      expect(text.replace(/[^0-9]/g, "").length).toBeLessThanOrEqual(MAX_DIGITS);
      texts.add(text);
    }
    for (const mark of ["-", "+", ".", "%"]) expect([...texts].some((text) => text.includes(mark))).toBe(true);
  });

  test.each(["5", "-12.75", "+3%", "0.1", "123456789012345", "1234567.8%"])("%s is one", (text) => {
    let at = language;
    for (const id of [...tokenizer.encode(text), END]) {
      expect(at.allowed).toContain(id);
      at = at.after(id);
    }
    expect(at.allowed).toEqual([]);
  });

  test.each(["1.2.3", "--5", "5%%", "1,000", "%", ".5", "five", "1 2", "5.", "-", "1234567890123456"])(
    "%s is none",
    (text) => {
      const ids = [...tokenizer.encode(text), END];
      let at = language;
      const isAllowed = ids.every((id) => {
        const holds = at.allowed.includes(id);
        if (holds) at = at.after(id);
        return holds;
      });
      expect(isAllowed).toBe(false);
    },
  );

  test("need tokens for digits", () => {
    const without = { ...tokenizer, decode: (ids: ArrayLike<number>) => tokenizer.decode(ids).replaceAll("7", "x") };
    expect(() => numberLanguage(without, END)).toThrow(CheckpointError);
  });
});
