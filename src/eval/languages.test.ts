import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelLanguage } from "../../test/support/label-language.ts";
import { CheckpointError } from "../base/errors.ts";
import { Rng } from "../base/rng.ts";
import { MAX_NUMBER_TOKENS } from "../data/answers.ts";
import { loadTask } from "../data/load-task.ts";
import { plainTemplate } from "../data/tokens/chat-template.ts";
import { openTokenizer } from "../data/tokens/tokenizers.ts";
import { readNumberStrict } from "../metrics/number-answer.ts";
import { type Language, MAX_DIGITS, numberLanguage } from "./languages.ts";

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
  const orWords = numberLanguage(tokenizer, END, ["yes", "no"]);

  /** Whether a text, tokenised as one, is in a language. */
  const isIn = (text: string, from: Language): boolean => {
    let at = from;
    for (const id of [...tokenizer.encode(text), END]) {
      if (!at.allowed.includes(id)) return false;
      at = at.after(id);
    }
    return at.allowed.length === 0;
  };

  test("every path is a number that the strict reading reads, of no more than 15 digits, in few tokens", () => {
    const texts = new Set<string>();
    for (let seed = 0; seed < 1000; seed++) {
      const ids = walk(orWords, new Rng(seed));
      expect(ids.at(-1)).toBe(END);
      expect(ids.length).toBeLessThanOrEqual(MAX_NUMBER_TOKENS);
      const text = tokenizer.decode(ids.slice(0, -1));
      expect(readNumberStrict(text), text).not.toBeNull();
      expect(text.replace(/[^0-9]/g, "").length).toBeLessThanOrEqual(MAX_DIGITS);
      texts.add(text);
    }
    for (const mark of ["-", "+", ".", ",", "%", "$", "yes", "no"])
      expect(
        [...texts].some((text) => text.includes(mark)),
        mark,
      ).toBe(true);
  });

  test("no state is without a way on, and the end is one where a number may end", () => {
    for (let seed = 0; seed < 300; seed++) {
      const ids: number[] = [];
      for (let at = orWords; at.allowed.length > 0; at = at.after(ids.at(-1)!)) {
        const text = tokenizer.decode(ids);
        const isAnswer = readNumberStrict(text) !== null && !/[.,]$/.test(text); // a full stop behind a number is read over
        expect(at.allowed.includes(END), text).toBe(isAnswer);
        ids.push(new Rng(seed).fork(`${ids.length}`).pick(at.allowed));
      }
      expect(ids.at(-1)).toBe(END);
    }
  });

  test.each(["5", "-12.75", "+3%", "0.1", "123456789012345", "1234567.8%"])("%s is one", (text) => {
    expect(isIn(text, language)).toBe(true);
  });

  test.each(["1,234", "-$1,234,567.89", "$5", "999,999%", "123,456,789,012,345", "-$0.5"])("%s is one", (text) => {
    expect(isIn(text, language)).toBe(true);
  });

  const none = [
    "1.2.3",
    "--5",
    "5%%",
    "%",
    "five",
    "1 2",
    "5.",
    ".5",
    "-",
    "1234567890123456",
    "1,23",
    "1,2345",
    "1234,567",
    ",123",
  ];
  test.each([...none, "$", "$5%", "5$", "1,234,", "1.234,567", "1,234,567,890,123,456", "yes", "", "  5"])(
    "%j is none",
    (text) => {
      expect(isIn(text, language)).toBe(false);
    },
  );

  test("are what numbers are written as, whole and in part, or one of the words", () => {
    const canonical = fc.oneof(
      fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map(String),
      fc
        .tuple(fc.integer({ min: -(10 ** 6), max: 10 ** 6 }), fc.integer({ min: 1, max: 5 }))
        .map(([n, d]) => (n / 10 ** d).toFixed(d)),
    );
    fc.assert(fc.property(canonical, (text) => isIn(text, language)));
    expect(["yes", "no", "7", "Yes", "nope", "ye", "no5"].map((text) => isIn(text, orWords))).toEqual([
      ...[true, true, true],
      ...[false, false, false, false],
    ]);
  });

  test("need tokens for digits", () => {
    const without = { ...tokenizer, decode: (ids: ArrayLike<number>) => tokenizer.decode(ids).replaceAll("7", "x") };
    expect(() => numberLanguage(without, END)).toThrow(CheckpointError);
  });
});

describe.skipIf(process.env.MIXTUNE_DATA === undefined)("gold answers (skipped without MIXTUNE_DATA)", () => {
  const tokenizer = openTokenizer(join(import.meta.dirname, TOKENIZERS.tiny));
  const template = plainTemplate(tokenizer);

  test.each(["finqa", "finqa-by-page", "convfinqa", "gsm8k", "svamp", "mawps", "asdiv"])(
    "all of %s can be said, as they are trained on",
    async (name) => {
      const task = await loadTask({ name }, { dataRoot: process.env.MIXTUNE_DATA, isOnlyEvaluated: true });
      const answers = Object.values(task.splits).flatMap((split) => split.map(({ answer }) => answer));
      const words = [...new Set(answers)].filter((answer) => /^[a-z]+$/.test(answer));
      const language = numberLanguage(tokenizer, template.endOfTurnId, words);
      const isSayable = (answer: string) => {
        let at = language;
        return [...template.answerIds(answer), template.endOfTurnId].every((id) => {
          const isAllowed = at.allowed.includes(id);
          if (isAllowed) at = at.after(id);
          return isAllowed;
        });
      };
      const unsayable = [...new Set(answers)].filter((answer) => !isSayable(answer));
      const hasRoom = (answer: string) => answer.replace(/[^0-9]/g, "").length <= MAX_DIGITS; // 0.30000000000000004 has none
      expect(unsayable.filter(hasRoom)).toEqual([]);
    },
  );
});
