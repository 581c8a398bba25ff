import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { majority, nominalAlpha } from "./agreement.ts";

interface Case {
  name: string;
  /** Per unit, one of each judge. */
  votes: (number | null)[][];
  alpha: number;
}

const path = join(import.meta.dirname, "../../test/golden/metrics/agreement/expected.json");
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { cases: Case[] };
const countsOf = (unit: readonly (number | null)[]) => [0, 1, 2].map((v) => unit.filter((vote) => vote === v).length);

describe("alpha", () => {
  test.each(cases)("is the one of the package krippendorff: $name", ({ votes, alpha }) => {
    expect(nominalAlpha(votes.map(countsOf))).toBeCloseTo(alpha, 12);
  });

  test("does not exist where nothing could have differed", () => {
    expect(nominalAlpha([])).toBeNaN();
    expect(nominalAlpha([[1, 0, 0]])).toBeNaN();
    expect(
      nominalAlpha([
        [3, 0, 0],
        [2, 0, 0],
      ]),
    ).toBeNaN();
  });

  const vote = fc.option(fc.integer({ min: 0, max: 2 }));
  const panel = fc.array(fc.array(vote, { minLength: 3, maxLength: 3 }), { minLength: 2, maxLength: 20 });

  test("depends neither on the order of units nor on the names of values, and is at most 1", () => {
    fc.assert(
      fc.property(panel, (units) => {
        const counts = units.map(countsOf);
        const alpha = nominalAlpha(counts);
        const renamed = nominalAlpha(counts.toReversed().map(([a = 0, b = 0, c = 0]) => [c, a, b]));
        if (Number.isNaN(alpha)) expect(renamed).toBeNaN();
        else expect(renamed).toBeCloseTo(alpha, 10);
        expect(alpha > 1).toBe(false);
      }),
    );
  });
});

describe("the majority", () => {
  test.each<[(string | null)[], string | null]>([
    [["a", "a", "b"], "a"],
    [["b", "a", "a"], "a"],
    [["a", "b", "c"], null],
    [["a", "b"], null],
    [["a", "a", "b", "b"], null],
    [["a", null], null],
    [["a", "a", null], "a"],
    [["a", null, null], null],
    [[null, null, null], null],
    [["a"], "a"],
    [[], null],
  ])("of %j is %j", (votes, expected) => {
    expect(majority(votes)).toBe(expected);
  });

  test("is another's when a vote changes sides, never on fewer than half of all votes", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.constantFrom("a", "b", "c")), { maxLength: 9 }), (votes) => {
        const winner = majority(votes);
        const counts = ["a", "b", "c"].map((v) => votes.filter((vote) => vote === v).length);
        expect(winner === null).toBe(Math.max(...counts) * 2 <= votes.length);
        if (winner !== null) expect(counts["abc".indexOf(winner)]).toBe(Math.max(...counts));
      }),
    );
  });
});
