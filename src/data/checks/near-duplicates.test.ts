import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizeText } from "../splits/splits.ts";
import { findOverlaps, NEAR_THRESHOLD, type Overlap, shingleJaccard, type TextSet } from "./near-duplicates.ts";

const setOf = (name: string, texts: readonly string[]): TextSet => ({
  name,
  rows: texts.map((text, i) => ({ id: `${name}${i}`, text })),
});

describe("near-copies of made-up texts, against brute force in Python (golden)", () => {
  const golden = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../../test/golden/data/near-duplicates/expected.json"), "utf8"),
  ) as {
    threshold: number;
    sets: Record<string, string[]>;
    pairs: { a: string; b: string; jaccard: number; estimate: number }[];
  };
  const textOf = new Map(
    Object.entries(golden.sets).flatMap(([name, texts]) =>
      texts.map((text, i): [string, string] => [`${name}${i}`, text]),
    ),
  );

  test("have the Jaccard that sets of words have", () => {
    expect(NEAR_THRESHOLD).toBe(golden.threshold);
    expect(golden.pairs.length).toBeGreaterThan(50);
    for (const { a, b, jaccard } of golden.pairs) {
      const [x, y] = [textOf.get(a)!, textOf.get(b)!].map(normalizeText) as [string, string];
      expect(shingleJaccard(x, y)).toBeCloseTo(jaccard, 12);
    }
  });

  test("are counted row by row as brute force counts them: none missed, none below the threshold", () => {
    const found = findOverlaps(Object.entries(golden.sets).map(([name, texts]) => setOf(name, texts)));
    for (const [one, other] of [
      ["a", "b"],
      ["a", "c"],
      ["b", "c"],
    ] as const) {
      const pairs = golden.pairs.filter(
        ({ a, b, jaccard }) => a.startsWith(one) && b.startsWith(other) && jaccard >= golden.threshold,
      );
      const isEqual = ({ a, b }: { a: string; b: string }) =>
        normalizeText(textOf.get(a)!) === normalizeText(textOf.get(b)!);
      const equal = pairs.filter(isEqual);
      const rows = (list: typeof pairs, side: "a" | "b") => new Set(list.map((pair) => pair[side]));
      const nearRows = (side: "a" | "b") => [...rows(pairs, side)].filter((id) => !rows(equal, side).has(id)).length;
      const overlap = found.find(({ sets }) => sets.join() === [one, other].join());
      expect(overlap?.equal).toEqual([rows(equal, "a").size, rows(equal, "b").size]);
      expect(overlap?.near).toEqual([nearRows("a"), nearRows("b")]);
      expect(nearRows("a")).toBeGreaterThan(3);
      for (const { ids, jaccard } of overlap?.examples ?? []) {
        expect(jaccard).toBe(pairs.find(({ a, b }) => a === ids[0] && b === ids[1])?.jaccard);
      }
    }
  });
});

const word = fc.constantFrom(
  ..."gold oil rates rise fall bank cuts keeps view quarter sales profit again today".split(" "),
);
const text = fc.array(word, { minLength: 5, maxLength: 30 }).map((words) => words.join(" "));
const texts = fc.array(text, { maxLength: 12 });

/** The same words with other case, punctuation and spaces. */
const dressed = (plain: string) => `  ${plain.toUpperCase().replaceAll(" ", " - ")}!`;

describe("findOverlaps", () => {
  test("finds every equal text, whatever its case and punctuation", () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const [overlap] = findOverlaps([setOf("a", a), setOf("b", b.map(dressed))]);
        const shared = [a.filter((x) => b.includes(x)).length, b.filter((x) => a.includes(x)).length];
        expect(overlap?.equal ?? [0, 0]).toEqual(shared);
      }),
    );
  });

  test("finds what a comparison of all with all finds, and nothing else; at the threshold itself it may miss one", () => {
    const edited = fc
      .record({ text, cut: fc.nat(20), put: fc.option(word, { nil: undefined }) })
      .map(({ text, cut, put }) => {
        const words = text.split(" ");
        return { text, copy: words.toSpliced(cut % words.length, 1, ...(put === undefined ? [] : [put])).join(" ") };
      });
    fc.assert(
      fc.property(fc.array(edited, { maxLength: 12 }), (pairs) => {
        const long = pairs.filter(({ copy }) => copy.split(" ").length >= 5);
        const [a, b] = [long.map(({ text }) => text), long.map(({ copy }) => copy)];
        const [overlap] = findOverlaps([setOf("a", a), setOf("b", b)]);
        const numNear = (threshold: number) =>
          a.filter((x) => !b.includes(x) && b.some((y) => shingleJaccard(x, y) >= threshold)).length;
        expect(overlap?.near[0] ?? 0).toBeLessThanOrEqual(numNear(NEAR_THRESHOLD));
        expect(overlap?.near[0] ?? 0).toBeGreaterThanOrEqual(numNear(NEAR_THRESHOLD + 0.1));
      }),
      { numRuns: 200 },
    );
  });

  test("finds the same in any order of rows", () => {
    const rows = fc.uniqueArray(fc.nat(60), { minLength: 2, maxLength: 25 });
    const base =
      "the bank keeps its view of the quarter and sells gold to buy oil before rates rise again this year today";
    const words = base.split(" ");
    // Text n misses one word, and starts with one of a few.
    const textOf = (n: number) => [`v${n % 3}`, ...words.slice(0, n % 19), ...words.slice((n % 19) + 1)].join(" ");
    const set = (name: string, numbers: number[]): TextSet => ({
      name,
      rows: numbers.map((n) => ({ id: `${name}${n}`, text: textOf(n) })),
    });
    fc.assert(
      fc.property(rows, rows, fc.infiniteStream(fc.nat()), (a, b, keys) => {
        const shuffled = (list: number[]) =>
          list
            .map((n) => ({ n, key: keys.next().value as number }))
            .sort((x, y) => x.key - y.key)
            .map(({ n }) => n);
        expect(findOverlaps([set("a", shuffled(a)), set("b", shuffled(b))])).toEqual(
          findOverlaps([set("a", a), set("b", b)]),
        );
      }),
    );
  });

  test("passes over texts of fewer than five words, and texts that only one set has", () => {
    expect(findOverlaps([setOf("a", ["gold prices steady today"]), setOf("b", ["Gold prices steady today"])])).toEqual(
      [],
    );
    const twice = "a sentence that stands twice in one set";
    expect(
      findOverlaps([setOf("a", [twice, twice]), setOf("b", ["another one that has nothing to do with it"])]),
    ).toEqual([]);
  });

  test("says per pair of sets how many rows of each, with examples", () => {
    const report = "Net sales of the group rose to 12 million euros in the third quarter from 11 million a year before";
    const overlaps: Overlap[] = findOverlaps([
      setOf("x/train", [report, `${report} .`, "nothing to see in this sentence at all"]),
      setOf("y/test", [report.replace("third", "fourth")]),
      setOf("z/test", [report]),
    ]);
    expect(overlaps.map(({ sets, equal, near }) => ({ sets, equal, near }))).toEqual([
      { sets: ["x/train", "y/test"], equal: [0, 0], near: [2, 1] },
      { sets: ["x/train", "z/test"], equal: [2, 1], near: [0, 0] },
      { sets: ["y/test", "z/test"], equal: [0, 0], near: [1, 1] },
    ]);
    expect(overlaps[0]?.examples).toEqual([
      { ids: ["x/train0", "y/test0"], texts: [report, report.replace("third", "fourth")], jaccard: 15 / 21 },
    ]);
    expect(overlaps[1]?.examples).toMatchObject([{ ids: ["x/train0", "z/test0"], jaccard: 1 }]);
  });

  test("counts every row that has a near-copy, also of one that has others already", () => {
    const report = "Net sales of the group rose to 12 million euros in the third quarter from 11 million a year before";
    const variants = ["second", "fourth", "last"].map((which) => report.replace("third", which));
    expect(findOverlaps([setOf("a", [report]), setOf("b", variants)])[0]?.near).toEqual([1, 3]);
    expect(findOverlaps([setOf("b", variants), setOf("a", [report])])[0]?.near).toEqual([3, 1]);
  });
});
