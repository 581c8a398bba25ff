import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chrf } from "./chrf.ts";
import { rougeL } from "./rouge-l.ts";
import { exactMatch, squadNormalise, tokenF1 } from "./text-match.ts";

interface GoldenPair {
  output: string;
  reference: string;
  exact_match: number;
  token_f1: number;
  rouge_l: number;
  chrf: number;
}
const golden: { pairs: GoldenPair[] } = JSON.parse(
  readFileSync(new URL("../../test/golden/metrics/text/expected.json", import.meta.url), "utf8"),
);

describe("free text", () => {
  test.each(golden.pairs)("agrees with its oracles: $output | $reference", (pair) => {
    const { output, reference } = pair;
    expect(exactMatch(output, reference)).toBe(pair.exact_match);
    expect(tokenF1(output, reference)).toBeCloseTo(pair.token_f1, 6); // the oracle counts in float32
    expect(rougeL(output, reference)).toBeCloseTo(pair.rouge_l, 12);
    expect(chrf(output, reference)).toBeCloseTo(pair.chrf, 12);
  });

  test("is made comparable as SQuAD says", () => {
    expect(squadNormalise("  The “Cash-Flow”, a  theme!")).toBe("“cashflow” theme");
  });

  const texts = fc
    .array(fc.constantFrom("a", "cash", "flow", "Rose", "5%", "日本", "x."), { maxLength: 8 })
    .map((list) => list.join(" "));

  test("scores are in [0, 1], 1 for equal texts, and F1 is symmetric", () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        for (const score of [tokenF1, rougeL, exactMatch]) expect(score(a, b)).toBeCloseTo(score(b, a), 12);
        for (const score of [tokenF1, rougeL, chrf, exactMatch]) {
          expect(score(a, b)).toBeGreaterThanOrEqual(0);
          expect(score(a, b)).toBeLessThanOrEqual(1 + 1e-12);
        }
        expect([tokenF1(a, a), exactMatch(a, a)]).toEqual([1, 1]);
        if (a !== "") expect(chrf(a, a)).toBeCloseTo(1, 12);
      }),
    );
  });
});
