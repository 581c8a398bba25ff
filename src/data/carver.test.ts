import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { type CarveOptions, Carver, DEV_SHARE, MAX_DEV_EXAMPLES, type Row, TEST_SHARE } from "./carver.ts";

const rowOf = (group: number, number: number): Row => ({
  number,
  prompt: `p${number}`,
  answer: "a",
  group: `g${group}`,
});

function carve(rows: readonly Row[], options: CarveOptions, watch: (carver: Carver) => void = () => {}) {
  const carver = new Carver("t", options);
  if (options.test) for (const { group } of rows) carver.count(group);
  for (const row of rows) {
    carver.add(row);
    watch(carver);
  }
  return carver.finish();
}

/** The rule written out on whole lists, as slow and plain as can be. */
function carvePlainly(rows: readonly Row[], { test, dev, maxTrain }: CarveOptions) {
  let train = [...rows];
  const order = (purpose: string) =>
    [...new Set(train.map(({ group }) => group))].sort((a, b) =>
      sha256(`${purpose}\n${a}`) < sha256(`${purpose}\n${b}`) ? -1 : 1,
    );
  const take = (purpose: string, share: number, max: number) => {
    const groups = order(purpose);
    const wanted = share === 1 ? groups : groups.slice(0, Math.max(1, Math.round(share * groups.length)));
    const taken: string[] = [];
    for (const name of wanted) {
      if (taken.length > 0 && train.filter(({ group }) => group === name || taken.includes(group)).length > max) break;
      taken.push(name);
    }
    const carved = train.filter(({ group }) => taken.includes(group));
    return { carved, rest: train.filter(({ group }) => !taken.includes(group)) };
  };
  const result: Record<string, Row[]> = {};
  for (const [purpose, isCarved, share, max] of [
    ["test", test, TEST_SHARE, Number.POSITIVE_INFINITY],
    ["dev", dev, DEV_SHARE, MAX_DEV_EXAMPLES],
  ] as const) {
    if (!isCarved) continue;
    const { carved, rest } = take(purpose, share, max);
    result[purpose] = carved;
    train = rest;
  }
  return { ...result, train: maxTrain === undefined ? train : take("subset", 1, maxTrain).carved };
}

const options = fc.record({
  test: fc.boolean(),
  dev: fc.boolean(),
  maxTrain: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
});

describe("a carver", () => {
  test("gives the splits that whole lists give, whatever the groups, their sizes and the cap", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { minLength: 100, maxLength: 300 }), options, (groups, wanted) => {
        const rows = groups.map(rowOf);
        expect(carve(rows, wanted)).toEqual(carvePlainly(rows, wanted));
      }),
    );
  });

  test("gives the same where it lets go of rows on the way", () => {
    // Groups of very different sizes: many of one row, some of hundreds; dev fills up to its 1,000.
    const groups = Array.from({ length: 16_000 }, (_, i) => (i % 7 === 0 ? 100_000 + (i % 11) : (i * 7919) % 14_000));
    const rows = groups.map(rowOf);
    for (const maxTrain of [1, 700]) {
      for (const dev of [true, false]) {
        expect(carve(rows, { test: false, dev, maxTrain })).toEqual(whole(rows, { test: false, dev, maxTrain }));
      }
    }
  });

  test("holds at most about twice what it keeps, however long the stream", () => {
    let most = 0;
    const rows = Array.from({ length: 60_000 }, (_, i) => rowOf(i, i));
    const { train, dev } = carve(rows, { test: false, dev: true, maxTrain: 500 }, ({ numHeld }) => {
      most = Math.max(most, numHeld);
    });
    expect([train.length, dev?.length]).toEqual([500, 1000]);
    expect(most).toBeLessThanOrEqual(4097);
  });
});

test("stops before memory runs out, saying what would help", () => {
  const rows = Array.from({ length: 300 }, (_, i) => rowOf(i, i));
  const refusal = (options: CarveOptions) => () => carve(rows, { ...options, maxCharacters: 500 });
  expect(refusal({ test: false, dev: false })).toThrow(/most of them to train on.*\n.*Set max_train/);
  expect(refusal({ test: true, dev: false, maxTrain: 1 })).toThrow(/carved test split.*\n.*Give a test file/);
  expect(refusal({ test: false, dev: false, maxTrain: 5 })().train).toHaveLength(5);
});

/** The plain rule with sizes counted once, for lists too long for {@link carvePlainly}. */
function whole(rows: readonly Row[], { dev, maxTrain }: CarveOptions) {
  const sizes = new Map<string, number>();
  for (const { group } of rows) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const first = (purpose: string, names: string[], num: number, max: number) => {
    const keys = new Map(names.map((name) => [name, sha256(`${purpose}\n${name}`)]));
    const taken = new Set<string>();
    let total = 0;
    for (const name of names.toSorted((a, b) => (keys.get(a)! < keys.get(b)! ? -1 : 1)).slice(0, num)) {
      total += sizes.get(name)!;
      if (total > max && taken.size > 0) break;
      taken.add(name);
    }
    return taken;
  };
  const names = [...sizes.keys()];
  const inDev = dev ? first("dev", names, Math.round(DEV_SHARE * names.length), MAX_DEV_EXAMPLES) : new Set<string>();
  const rest = names.filter((name) => !inDev.has(name));
  const inTrain = first("subset", rest, rest.length, maxTrain!);
  const of = (set: Set<string>) => rows.filter(({ group }) => set.has(group));
  return { train: of(inTrain), ...(dev ? { dev: of(inDev) } : {}) };
}
