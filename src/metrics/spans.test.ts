import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Span } from "../base/span-text.ts";
import { type SpanItem, scoreSpans } from "./spans.ts";

interface GoldenCase {
  items: { gold: Span[]; pred: Span[] }[];
  exact: Record<"precision" | "recall" | "f1", number>;
  exact_by_type: Record<string, number>;
  label_sets_f1: number;
}
const { cases }: { cases: GoldenCase[] } = JSON.parse(
  readFileSync(new URL("../../test/golden/metrics/spans/expected.json", import.meta.url), "utf8"),
);
const per = (text: string): Span => ({ text, type: "PER" });
const one = (gold: Span[], pred: Span[] | null): SpanItem[] => [{ gold, pred }];

describe("spans", () => {
  test.each(cases.map((golden, i) => ({ i, golden })))("agree with seqeval and scikit-learn: case $i", ({ golden }) => {
    const score = scoreSpans(golden.items, "exact");
    for (const name of ["precision", "recall", "f1"] as const)
      expect(score[name], name).toBeCloseTo(golden.exact[name], 12);
    for (const [type, f1] of Object.entries(golden.exact_by_type)) {
      const only = (spans: readonly Span[]) => spans.filter((span) => span.type === type);
      const ofType = golden.items.map(({ gold, pred }) => ({ gold: only(gold), pred: only(pred ?? []) }));
      expect(scoreSpans(ofType, "exact").f1, type).toBeCloseTo(f1, 12);
    }
    const sets = golden.items.map(({ gold, pred }) => {
      const types = (spans: Span[]) => [...new Set(spans.map(({ type }) => type))].map((type) => ({ type, text: "" }));
      return { gold: types(gold), pred: types(pred) };
    });
    expect(scoreSpans(sets, "label").f1).toBeCloseTo(golden.label_sets_f1, 12);
  });

  test.each<[string, Span[], Span[] | null, [exact: number, overlap: number, label: number]]>([
    ["the same", [per("Ann Lee")], [per("Ann Lee")], [1, 1, 1]],
    ["blanks", [per("Ann Lee")], [per("Ann  Lee")], [1, 1, 1]],
    ["a part", [per("Ann Lee")], [per("Lee")], [0, 1, 1]],
    ["part of a word", [per("Ann Lee")], [per("Le")], [0, 0, 1]],
    ["another type", [per("Ann")], [{ text: "Ann", type: "ORG" }], [0, 0, 0]],
    ["case", [per("Ann")], [per("ann")], [0, 0, 1]],
    ["said twice", [per("Ann")], [per("Ann"), per("Ann")], [1, 1, 1]],
    ["there twice", [per("Ann"), per("Ann")], [per("Ann")], [1, 1, 1]],
    ["one over two", [per("Ann"), per("Lee")], [per("Ann Lee")], [0, 1, 1]],
    ["greedy would lose one", [per("Ann"), per("Ann Lee")], [per("Lee Ann"), per("Lee")], [0, 2, 2]],
    ["unread", [per("Ann")], null, [0, 0, 0]],
    ["none found", [per("Ann")], [], [0, 0, 0]],
  ])("match %s", (_name, gold, pred, wanted) => {
    const matched = (["exact", "overlap", "label"] as const).map((match) => scoreSpans(one(gold, pred), match).matched);
    expect(matched).toEqual(wanted);
  });

  test("that could not be read count as gold missed", () => {
    const items = [...one([per("Ann")], null), ...one([per("Lee")], [per("Lee")])];
    expect(scoreSpans(items, "exact")).toMatchObject({ gold: 2, predicted: 1, matched: 1, recall: 0.5, precision: 1 });
    expect(scoreSpans([], "exact").f1).toBeNaN();
  });

  const spans = fc.array(
    fc.record({ text: fc.constantFrom("a", "b", "a b", "b c", "c"), type: fc.constantFrom("X", "Y") }),
    { maxLength: 5 },
  );
  const items = fc.array(fc.record({ gold: spans, pred: spans }), { maxLength: 5 });
  const matches = fc.constantFrom("exact" as const, "overlap" as const, "label" as const);

  test("have an F1 that is symmetric, free of order, and at most 1", () => {
    fc.assert(
      fc.property(items, matches, (list, match) => {
        const score = scoreSpans(list, match);
        const swapped = scoreSpans(
          list.map(({ gold, pred }) => ({ gold: pred, pred: gold })),
          match,
        );
        expect([swapped.f1, swapped.precision, swapped.recall]).toEqual([score.f1, score.recall, score.precision]);
        const turned = list.map(({ gold, pred }) => ({ gold: gold.toReversed(), pred })).toReversed();
        expect(scoreSpans(turned, match)).toEqual(score);
        if (score.gold + score.predicted > 0) expect(score.f1).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("match as many by overlap as trying every assignment does, and never fewer than exactly", () => {
    const best = (gold: Span[], pred: Span[]): number => {
      const [first, ...rest] = gold;
      if (first === undefined) return 0;
      const with_ = pred.flatMap((p, j) =>
        p.type === first.type && p.text.split(" ").some((w) => first.text.split(" ").includes(w))
          ? [1 + best(rest, pred.toSpliced(j, 1))]
          : [],
      );
      return Math.max(best(rest, pred), ...with_);
    };
    fc.assert(
      fc.property(spans, spans, (gold, pred) => {
        const matched = (match: "exact" | "overlap" | "label") => scoreSpans(one(gold, pred), match).matched;
        expect(matched("overlap")).toBe(best(gold, pred));
        expect(matched("exact")).toBeLessThanOrEqual(matched("overlap"));
        expect(matched("overlap")).toBeLessThanOrEqual(matched("label"));
      }),
    );
  });
});
