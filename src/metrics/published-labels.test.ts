import { describe, expect, test } from "vitest";
import { confusionCells, countCells } from "./confusion.ts";
import type { LabelReader } from "./label-text.ts";
import { lenientReader, strictReader } from "./label-text.ts";
import { finbenHeadline, finbenReader, fingptSentiment, finloraReader } from "./published-labels.ts";
import { weightedF1 } from "./weighted-f1.ts";

const SENTIMENT = ["positive", "negative", "neutral"];

describe("published readings of labels", () => {
  test.each<[string, LabelReader, string, string | null]>([
    ["FinBen, by the order of its list", finbenReader(SENTIMENT), "negative, by no means positive", "positive"],
    ["FinBen, inside words", finbenReader(SENTIMENT), "Positively", "positive"],
    ["FinBen, missing", finbenReader(SENTIMENT), "it rose", null],
    ["FinBen headlines", finbenHeadline, " Yes\n", "Yes"],
    ["FinBen headlines", finbenHeadline, "Yes.", "No"],
    ["FinBen headlines", finbenHeadline, "yes", "No"],
    ["FinGPT, silence", fingptSentiment, "", "neutral"],
    ["FinGPT", fingptSentiment, "negative, not positive", "positive"],
    ["FinGPT", fingptSentiment, "Strongly Negative", "negative"],
    ["FinLoRA, earliest", finloraReader(SENTIMENT), "neutral to positive", "neutral"],
    ["FinLoRA, 5 in 15", finloraReader(["5", "7"]), "15", "5"],
    ["FinLoRA", finloraReader(["5", "7"]), "none", null],
  ])("%s: %3$j", (_rule, read, text, wanted) => {
    expect(read(text)).toBe(wanted);
  });
});

/** Weighted F1 of texts by a reading. */
function f1(read: LabelReader, rows: readonly { gold: string; text: string }[], labels: string[]): number {
  const items = rows.map(({ gold, text }) => ({ gold, pred: read(text) }));
  return weightedF1.aggregate(countCells(confusionCells(items, labels), items.keys(), labels.length));
}

describe("traps of published scores", () => {
  test("T1: any failure of format is a constant No to FinBen, and is wrong to both of ours", () => {
    const labels = ["No", "Yes"];
    const rows = Array.from({ length: 10 }, (_, i) => ({
      gold: i < 7 ? "No" : "Yes",
      text: "The headline mentions gold",
    }));
    const constant = (2 * 7) / (10 + 7);
    expect(f1(finbenHeadline, rows, labels)).toBeCloseTo(0.7 * constant, 12);
    expect(f1(strictReader(labels), rows, labels)).toBe(0);
    expect(f1(lenientReader(labels), rows, labels)).toBe(0);
  });

  test("T3: right answers replaced by gold and wrong ones left raw give 2 acc / (1 + acc), far above the accuracy", () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      gold: SENTIMENT[i % 3]!,
      text: i % 10 < 8 ? SENTIMENT[i % 3]! : SENTIMENT[(i + 1) % 3]!,
    }));
    const patched = rows.map(({ gold, text }) => ({ gold, text: gold === text ? gold : `I say ${text}` }));
    const [acc, inflated] = [0.8, f1(strictReader(SENTIMENT), patched, SENTIMENT)];
    expect(inflated).toBeCloseTo((2 * acc) / (1 + acc), 2);
    expect(f1(lenientReader(SENTIMENT), patched, SENTIMENT)).toBeCloseTo(
      f1(strictReader(SENTIMENT), rows, SENTIMENT),
      12,
    );
    expect(f1(strictReader(SENTIMENT), rows, SENTIMENT)).toBeLessThan(0.82);
  });

  test("T7 and T8: silence is wrong and counts, where FinGPT calls it neutral", () => {
    const rows = [
      { gold: "neutral", text: "" },
      { gold: "positive", text: "positive" },
    ];
    const right = (read: LabelReader) => rows.filter(({ gold, text }) => read(text) === gold).length;
    expect([right(fingptSentiment), right(strictReader(SENTIMENT)), right(lenientReader(SENTIMENT))]).toEqual([
      2, 1, 1,
    ]);
  });
});
