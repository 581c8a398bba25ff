import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TAT_QA_SCALES, type TatQaGold } from "../specs/gold.ts";
import { isScaleConflict, scoreTatQa } from "./tat-qa.ts";

const gold = (parts: string[], scale: TatQaGold["scale"] = "", type: TatQaGold["type"] = "span"): TatQaGold => ({
  type,
  parts,
  scale,
});
const arithmetic = (part: string, scale: TatQaGold["scale"]) => gold([part], scale, "arithmetic");
const several = (...parts: string[]) => gold(parts, "", "multi-span");

interface GoldenCase {
  type: TatQaGold["type"];
  gold: string[];
  scale: TatQaGold["scale"];
  output: string;
  expected: [exact: number, f1: number, scale: number];
}
const golden: GoldenCase[] = JSON.parse(
  readFileSync(new URL("../../test/golden/metrics/tat-qa/expected.json", import.meta.url), "utf8"),
);

test("TAT-QA's own evaluation gives the same scores", () => {
  expect(golden.length).toBeGreaterThan(500);
  const differing = golden.filter(({ type, gold: parts, scale, output, expected }) => {
    const score = scoreTatQa(output, { type, parts, scale });
    return [score.exactMatch, score.f1, score.scale].join() !== expected.join();
  });
  expect(differing).toEqual([]);
});

// Expected values follow from the description at the head of tat-qa.ts, worked out by hand.
describe("TAT-QA's exact match, F1 and scale", () => {
  test.each<[string, string, TatQaGold, [exact: number, f1: number, scale: number]]>([
    ["a number with its scale", "12.6 million", arithmetic("12.6", "million"), [1, 1, 1]],
    ["the same in another scale", "12,600 thousand", arithmetic("12.6", "million"), [1, 1, 0]],
    ["the same written out", "$12,600,000", arithmetic("12.6", "million"), [1, 1, 0]],
    ["a number without its scale", "12.6", arithmetic("12.6", "million"), [0, 0, 0]],
    ["a number in the wrong scale", "12.6 thousand", arithmetic("12.6", "million"), [0, 0, 0]],
    ["a percentage with its sign", "-22.22%", arithmetic("-22.22", "percent"), [1, 1, 1]],
    ["a percentage in words", "-22.22 percent", arithmetic("-22.22", "percent"), [1, 1, 1]],
    ["a percentage as a fraction", "0.2342", arithmetic("23.42", "percent"), [1, 1, 0]],
    ["a fraction cut too short", "0.23", arithmetic("23.42", "percent"), [0, 0, 0]],
    ["a percentage without sign", "23.42", arithmetic("23.42", "percent"), [0, 0, 0]],
    ["a literal % beside a percent scale", "19%", gold(["19.0%"], "percent"), [1, 1, 1]],
    ["more decimals than two", "3.14159", arithmetic("3.14", ""), [1, 1, 1]],
    ["another second decimal", "3.15", arithmetic("3.14", ""), [0, 0, 1]],
    ["a half of the second decimal, to the even side", "0.12", arithmetic("0.125", ""), [1, 1, 1]],
    ["brackets for minus", "(134)", arithmetic("-134", ""), [1, 1, 1]],
    ["the wrong sign", "134", arithmetic("-134", ""), [0, 0, 1]],
    ["a count", "3", gold(["3"], "", "count"), [1, 1, 1]],
    ["a count with a word, of which no part counts", "3 items", gold(["3"], "", "count"), [0, 0, 1]],
    [
      "words but for case, articles and punctuation",
      "Modified retrospective method.",
      gold(["the modified retrospective method"]),
      [1, 1, 1],
    ],
    ["hyphens, which go as other punctuation", "costplus contracts", gold(["cost-plus contracts"]), [1, 1, 1]],
    // shared 2 of 3 and 2: 2 * 2 / 5
    ["two words of three", "retrospective method", gold(["modified retrospective method"]), [0, 0.8, 1]],
    // {grew, by} of {grew, by, 5}: a number counts no more than a word
    ["shared words with another number", "grew by 6", gold(["grew by 5"]), [0, 0.67, 1]],
    ["a shared number among other words", "rose by 5", gold(["grew by 5"]), [0, 0.67, 1]],
    ["two parts in another order", "2018; 2019", several("2019", "2018"), [1, 1, 1]],
    ["one part of two", "2019", several("2019", "2018"), [0, 0.67, 1]],
    ["a part too many", "2019; 2018; 2017", several("2019", "2018"), [0, 0.8, 1]],
    ["a part said twice", "2019; 2019", several("2019", "2018"), [0, 0.67, 1]],
    // {net, sales, gross} of {gross, profit, net, sales}: 2 * 3 / 7
    ["the words of all parts together", "net sales; gross", several("gross profit", "net sales"), [0, 0.86, 1]],
    ["a part of which nothing is left", "2019; the; 2018", several("2019", "2018"), [1, 1, 1]],
    ["a part with other capitals", "Sales; costs", several("costs", "sales"), [1, 1, 1]],
    ["parts with a scale each", "772 million; 795 million", gold(["795", "772"], "million", "multi-span"), [1, 1, 1]],
    ["semicolons within the only part", "sales; costs", gold(["sales; costs"]), [1, 1, 1]],
    ["nothing", " ", gold(["3"]), [0, 0, 0]],
    ["only an article against words", "the", gold(["sales"]), [0, 0, 1]],
    ["a scale word in a gold part", "$3.0 million", gold(["$3.0 million"], "million"), [1, 1, 1]],
    ["words that end in a scale", "a loss of 5 million", gold(["a loss of 5 million"]), [1, 1, 1]],
  ])("%s", (_, output, wanted, [exactMatch, f1, scale]) => {
    expect(scoreTatQa(output, wanted)).toEqual({ exactMatch, f1, scale });
  });

  test("an answer written as it is trained on scores in full, whatever its number and scale", () => {
    const number = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((cents) => (cents / 100).toFixed(2));
    fc.assert(
      fc.property(number, fc.constantFrom(...TAT_QA_SCALES), (part, scale) => {
        const said = scale === "" ? part : scale === "percent" ? `${part}%` : `${part} ${scale}`;
        expect(scoreTatQa(said, arithmetic(part, scale))).toEqual({ exactMatch: 1, f1: 1, scale: 1 });
      }),
    );
  });
});

test("gold contradicts itself where a scale stands beside another one or beside words alone", () => {
  expect(isScaleConflict(gold(["$19.1 million"], "thousand"))).toBe(true);
  expect(isScaleConflict(gold(["Designer subscriptions"], "percent"))).toBe(true);
  expect(isScaleConflict(gold(["$3.0 million"], "million"))).toBe(false);
  expect(isScaleConflict(gold(["19.0%"], "percent"))).toBe(false);
  expect(isScaleConflict(gold(["between 5 and 7"], "percent"))).toBe(false);
  expect(isScaleConflict(gold(["sales", "5 million"]))).toBe(false);
});
