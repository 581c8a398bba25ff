import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../../base/errors.ts";
import { carveSplits, normalizeText, type Row, subsetByHash } from "./splits.ts";

const rowsOf = (groups: readonly number[]): Row[] =>
  groups.map((group, number) => ({ number, prompt: `p${number}`, answer: "a", group: `g${group}` }));
const groupsArb = fc.array(fc.nat(40), { minLength: 40, maxLength: 200 });
const groupsIn = (examples: readonly { group: string }[]) => new Set(examples.map(({ group }) => group));

describe("carveSplits", () => {
  test("parts no group and loses no row", () => {
    fc.assert(
      fc.property(groupsArb, (groups) => {
        const { train, dev, test } = carveSplits("t", { train: rowsOf(groups) });
        expect(train.length + dev.length + test.length).toBe(groups.length);
        const sets = [train, dev, test].map(groupsIn);
        expect(sets.reduce((sum, set) => sum + set.size, 0)).toBe(new Set(groups).size);
      }),
    );
  });

  test("does not depend on the order of the rows", () => {
    fc.assert(
      fc.property(groupsArb, (groups) => {
        const rows = rowsOf(groups);
        const [one, other] = [rows, rows.toReversed()].map((train) => carveSplits("t", { train }));
        expect(groupsIn(other?.dev ?? [])).toEqual(groupsIn(one?.dev ?? []));
        expect(groupsIn(other?.test ?? [])).toEqual(groupsIn(one?.test ?? []));
      }),
    );
  });

  test("takes a tenth of the train groups as dev, at most 1,000 examples, and a fifth of all as test", () => {
    const rows = rowsOf(Array.from({ length: 1000 }, (_, i) => i));
    expect(carveSplits("t", { train: rows, test: rows.slice(0, 1) }).dev).toHaveLength(100);
    expect(carveSplits("t", { train: rows }).test).toHaveLength(200);
    const many = rowsOf(Array.from({ length: 20_000 }, (_, i) => i));
    expect(carveSplits("t", { train: many, test: rows }).dev).toHaveLength(1000);
  });

  test("keeps dev and test whatever the cap on train", () => {
    const rows = rowsOf(Array.from({ length: 500 }, (_, i) => i % 100));
    const [whole, capped] = [carveSplits("t", { train: rows }), carveSplits("t", { train: rows }, 50)];
    expect(capped.dev).toEqual(whole.dev);
    expect(capped.test).toEqual(whole.test);
    expect(capped.train).toHaveLength(50);
  });

  test("takes fewer rows of train from among those of a larger cap, and no others of dev and test", () => {
    const cap = fc.integer({ min: 1, max: 120 });
    fc.assert(
      fc.property(
        groupsArb,
        cap,
        fc.option(cap, { nil: undefined }),
        fc.boolean(),
        (groups, one, more = 1e9, isGiven) => {
          const rows = rowsOf(groups);
          const source = { train: rows, ...(isGiven ? { dev: rows.slice(0, 3), test: rows.slice(3, 9) } : {}) };
          const [few, many] = [Math.min(one, more), Math.max(one, more)].map((max) => carveSplits("t", source, max));
          const ids = new Set(many!.train.map(({ id }) => id));
          expect(few!.train.filter(({ id }) => !ids.has(id))).toEqual([]);
          expect([few!.dev, few!.test]).toEqual([many!.dev, many!.test]);
        },
      ),
    );
  });

  test("refuses no rows, and one group to carve from", () => {
    expect(() => carveSplits("t", { train: [] })).toThrow(DataError);
    expect(() => carveSplits("t", { train: rowsOf([1, 1, 1]) })).toThrow(DataError);
  });
});

describe("subsetByHash", () => {
  test("takes whole groups, at most max examples, and nests", () => {
    fc.assert(
      fc.property(groupsArb, fc.integer({ min: 30, max: 200 }), (groups, max) => {
        const rows = rowsOf(groups);
        const subset = subsetByHash(rows, max);
        expect(subset.length).toBeLessThanOrEqual(max);
        for (const group of groupsIn(subset)) {
          expect(subset.filter((row) => row.group === group)).toEqual(rows.filter((row) => row.group === group));
        }
        for (const row of subsetByHash(rows, Math.floor(max * 0.8))) expect(subset).toContain(row);
      }),
    );
  });

  test("gives all without a limit", () => {
    expect(subsetByHash(rowsOf([1, 2, 2]), null)).toEqual(rowsOf([1, 2, 2]));
  });
});

test("normalizeText looks past case, links, punctuation and white space, not past words", () => {
  expect(normalizeText("  $ACME's  Profit ROSE 5.2%! https://t.co/x1 ")).toBe("acme s profit rose 5 2");
  expect(normalizeText("ﬁne Ä")).toBe("fine ä");
  expect(normalizeText("...")).toBe("");
});
