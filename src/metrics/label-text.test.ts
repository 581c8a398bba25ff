import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lenientReader, strictReader } from "./label-text.ts";

const SENTIMENT = ["negative", "neutral", "positive"];
const TOPICS = ["Fed | Central Banks", "Stock Commentary", "Stock Movement", "Stock"];

describe("a label read strictly", () => {
  test.each<[string, string[], string | null]>([
    [" Positive\n", SENTIMENT, "positive"],
    ["NEUTRAL", SENTIMENT, "neutral"],
    ["positive.", SENTIMENT, null],
    ["very positive", SENTIMENT, null],
    ["", SENTIMENT, null],
    ["fed | central banks", TOPICS, "Fed | Central Banks"],
    ["us", ["US", "us"], "us"],
    ["US", ["US", "us"], "US"],
    ["Us", ["US", "us"], "US"],
  ])("%j of %j is %j", (text, labels, wanted) => {
    expect(strictReader(labels)(text)).toBe(wanted);
  });
});

describe("a label read leniently", () => {
  test.each<[string, string[], string | null]>([
    ["I think it is Positive, not neutral.", SENTIMENT, "positive"],
    ["not positive", SENTIMENT, "positive"],
    ["neutral-positive", SENTIMENT, "neutral"],
    ["non-positive", SENTIMENT, "positive"],
    ["positively", SENTIMENT, null],
    ["un_positive", SENTIMENT, null],
    ["überpositive", SENTIMENT, null],
    ["", SENTIMENT, null],
    ["stock movement", TOPICS, "Stock Movement"],
    ["Stock: movement", TOPICS, "Stock"],
    ["About Fed | Central Banks", TOPICS, "Fed | Central Banks"],
    ["15", ["5", "7"], null],
    ["7 of 15", ["5", "7"], "7"],
    ["It is a matter of B", ["A", "B"], "B"],
    ["(b)", ["A", "B"], null],
    ["A firm, so B", ["A", "B"], "A"],
    ["**Yes**", ["Yes", "No"], "Yes"],
    ["None", ["Yes", "No"], null],
    ["a.c", ["a+c", "a.c"], "a.c"],
    ["aac", ["a+c"], null],
  ])("%j of %j is %j", (text, labels, wanted) => {
    expect(lenientReader(labels)(text)).toBe(wanted);
  });

  const words = fc.constantFrom("a", "no", "not", "Positive", "NEUTRAL", "negative", "positively", "-", ".", "5");
  const texts = fc.array(words, { maxLength: 12 }).map((list) => list.join(" "));

  test("is the strict label wherever there is one, and does not depend on the order of the labels", () => {
    const [strict, lenient, reversed] = [strictReader, lenientReader]
      .map((make) => make(SENTIMENT))
      .concat(lenientReader(SENTIMENT.toReversed()));
    fc.assert(
      fc.property(texts, (text) => {
        if (strict!(text) !== null) expect(lenient!(text)).toBe(strict!(text));
        expect(reversed!(text)).toBe(lenient!(text));
      }),
    );
  });

  test("is the first word that is a label, whatever follows", () => {
    const read = lenientReader(SENTIMENT);
    fc.assert(
      fc.property(texts, texts, (text, more) => {
        const first = text
          .split(" ")
          .map((word) => word.toLowerCase())
          .find((word) => SENTIMENT.includes(word));
        expect(read(text)).toBe(first ?? null);
        if (first !== undefined) expect(read(`${text} ${more}`)).toBe(first);
      }),
    );
  });
});
