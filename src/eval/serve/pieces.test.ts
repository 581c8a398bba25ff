import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Piece, pieces } from "./pieces.ts";

/** What is handed on of an answer that comes in these parts; the k-th brings token k. */
function handedOn(lead: string, parts: readonly string[]): Piece[] {
  const seen: Piece[] = [];
  const { push, end } = pieces(lead, (piece) => seen.push(piece));
  for (const [id, part] of parts.entries()) push(part, [{ id, logprob: -1, likeliest: [] }]);
  end();
  return seen;
}
const textOf = (list: readonly Piece[]) => list.map(({ text }) => text).join("");
const idsOf = (list: readonly Piece[]) => list.flatMap(({ tokens }) => tokens.map(({ id }) => id));

describe("an answer in pieces", () => {
  test("loses what stands in front of every answer, however it comes", () => {
    for (const parts of [["<t>yes"], ["<", "t", ">", "yes"], ["<t>", "y", "es"], ["", "<t", ">y", "es"]])
      expect(textOf(handedOn("<t>", parts))).toBe("yes");
  });

  test("keeps what only looked like it", () => {
    expect(textOf(handedOn("<t>", ["<", "b>yes"]))).toBe("<b>yes");
    expect(textOf(handedOn("<t>", ["<t"]))).toBe("<t");
    expect(textOf(handedOn("<t>", ["yes <t>"]))).toBe("yes <t>");
  });

  test("hands tokens on with the text that they are part of, and no empty piece", () => {
    const seen = handedOn(" ", [" ", "a", "", "b"]);
    expect(seen.map(({ text }) => text)).toEqual(["a", "b"]);
    expect(seen.map(({ tokens }) => tokens.map(({ id }) => id))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test("is the same text with the same tokens, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("", "a", "b", "ab", "aab")),
        fc.constantFrom("", "a", "ab", "aab"),
        (parts, lead) => {
          const whole = parts.join("");
          const seen = handedOn(lead, parts);
          expect(textOf(seen)).toBe(whole.startsWith(lead) ? whole.slice(lead.length) : whole);
          expect(idsOf(seen)).toEqual([...parts.keys()].slice(0, idsOf(seen).length));
        },
      ),
    );
  });
});
