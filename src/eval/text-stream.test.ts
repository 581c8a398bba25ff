import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openTokenizer } from "../data/tokens/tokenizers.ts";
import { textStream } from "./text-stream.ts";

/** A token is a byte. */
const utf8 = (ids: ArrayLike<number>) => new TextDecoder().decode(Uint8Array.from(ids));
const bytes = (text: string) => [...new TextEncoder().encode(text)];

function stream(text: string, stopStrings: readonly string[]) {
  const { push, finish, text: whole } = textStream(utf8, stopStrings);
  const pieces: string[] = [];
  let isStopped = false;
  for (const id of bytes(text)) {
    const next = push(id);
    pieces.push(next.piece);
    isStopped = next.isStopped;
    if (isStopped) break;
  }
  pieces.push(finish());
  return { pieces, isStopped, text: whole() };
}

describe("text as it grows", () => {
  test("is cut before the first stop string, which is never shown", () => {
    expect(stream("one two three", ["three", " two"])).toEqual({
      pieces: ["o", "n", "e", "", "", "", "", ""],
      isStopped: true,
      text: "one",
    });
  });

  test("is cut before the longer of two that end together", () => {
    for (const stops of [
      ["b", "ab"],
      ["ab", "b"],
    ])
      expect(stream("xab", stops).text).toBe("x");
  });

  test("shows what looked like a stop string and was none", () => {
    const { pieces, isStopped, text } = stream("a##b#", ["###"]);
    expect(pieces).toEqual(["a", "", "", "##b", "", "#"]);
    expect(text).toBe("a##b#");
    expect(isStopped).toBe(false);
  });

  test("finds a stop string that begins inside what looked like one", () => {
    expect(stream("xaab", ["ab"]).text).toBe("xa");
  });

  test("holds back a character that is not whole", () => {
    expect(stream("é€😀", []).pieces).toEqual(["", "é", "", "", "€", "", "", "", "😀", ""]);
  });

  test("shows at the end what never became whole", () => {
    const { push, finish } = textStream(utf8, []);
    expect(push(0xe2).piece).toBe("");
    expect(finish()).toBe("\uFFFD");
  });

  test("is the whole text up to the first stop string to be complete", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "😀"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 1, maxLength: 3 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(text, stops, (whole, stopStrings) => {
        const { pieces, text: shown, isStopped } = stream(whole, stopStrings);
        const ends = stopStrings.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
        expect(pieces.join("")).toBe(shown);
        expect(isStopped).toBe(ends.length > 0);
        expect(stopStrings.some((stop) => shown.includes(stop))).toBe(false);
        expect(whole.startsWith(shown)).toBe(true);
        if (!isStopped) expect(shown).toBe(whole);
        else expect(stopStrings.some((stop) => whole.startsWith(shown + stop))).toBe(true);
      }),
    );
  });
});

// A byte of SentencePiece is a character or not by the bytes behind it: a whole emoji was shown, and was none when one byte more came.
describe.each(["kinds/byte-fallback", "kinds/byte-level-digits", "families/gemma2"])("pieces of %s", (name) => {
  const { encode, decode, vocabSize } = openTokenizer(
    join(import.meta.dirname, "../../test/golden/data-tokenizer", name),
  );
  const texts = fc
    .constantFrom("😀", "é", "日本", "\n", "a b", "👩‍👧", " ", "\uFFFD", "x")
    .map((text) => [...encode(text)]);
  const ids = fc
    .array(
      fc.oneof(
        texts,
        fc.nat(vocabSize - 1).map((id) => [id]),
      ),
      { maxLength: 12 },
    )
    .map((lists) => lists.flat());

  test("joined are the answer that is written whole, cut before its first stop string", () => {
    fc.assert(
      fc.property(ids, fc.subarray(["\n", "a", "é", "😀", "\uFFFD"]), (answer, stopStrings) => {
        const { push, finish, text } = textStream(decode, stopStrings);
        const pieces: string[] = [];
        let last = answer.length;
        for (const [i, id] of answer.entries()) {
          const { piece, isStopped } = push(id);
          pieces.push(piece);
          if (!isStopped) continue;
          last = i + 1;
          break;
        }
        pieces.push(finish());
        const whole = decode(answer.slice(0, last));
        const ends = stopStrings.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
        expect(pieces.join("")).toBe(whole.slice(0, Math.min(whole.length, ...ends)));
        expect(text()).toBe(pieces.join(""));
      }),
      { numRuns: 300 },
    );
  });
});
