import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../base/digest.ts";
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
    // Groups of very different sizes, their rows mixed: dev fills up to its 1,000 and loses groups again as others grow.
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 100, max: 600 })), {
      minLength: 30,
      maxLength: 60,
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 3000 }), fc.boolean(), fc.nat(), (sizes, maxTrain, dev, seed) => {
        const groups = sizes.flatMap((size, i) => Array.from({ length: size }, () => i + 1000 * seed));
        const mixed = groups
          .map((group, i) => ({ group, at: sha256(`${seed} ${i}`) }))
          .sort((a, b) => (a.at < b.at ? -1 : 1));
        const rows = mixed.map(({ group }, i) => rowOf(group, i));
        const wanted = { test: false, dev, maxTrain };
        expect(carve(rows, { ...wanted, minHeld: 50 })).toEqual(whole(rows, wanted));
      }),
      { numRuns: 60 },
    );
  });

  test("does not fill the place of a group that it let go with one that stands behind it", () => {
    // dev order: e d b | c … a, where c is over 1,000; subset order of the rest: a | c … d b, where c is over 10.
    const pool = Array.from({ length: 400 }, (_, i) => `g${i}`);
    const key = (purpose: string) => new Map(pool.map((name) => [name, sha256(`${purpose}\n${name}`)]));
    const [dev, subset] = [key("dev"), key("subset")];
    const inOrder = (order: Map<string, string>, names: string[]) =>
      names.every((name, i) => i === 0 || order.get(names[i - 1]!)! < order.get(name)!);
    const sorted = pool.toSorted((x, y) => (dev.get(x)! < dev.get(y)! ? -1 : 1));
    const near = sorted.slice(0, 40);
    const [e, d, b, c, a] = near
      .flatMap((d, i) => near.slice(i + 1).flatMap((b, j) => near.slice(i + j + 2).map((c) => [near[0]!, d, b, c])))
      .flatMap((four) => sorted.slice(60, 100).map((a) => [...four, a] as const))
      .find(([e, d, b, c, a]) => e !== d && inOrder(subset, [a!, c!, d!, b!]))! as [
      string,
      string,
      string,
      string,
      string,
    ];
    const fillers = sorted
      .slice(200)
      .filter((name) => subset.get(name)! > subset.get(b)!)
      .slice(0, 30);
    const many = (name: string, count: number) => Array.from({ length: count }, () => name);
    for (const after of [[], fillers]) {
      const names = [...many(b, 997), e, d, a, ...many(c, 20), ...after];
      const rows = names.map((group, number): Row => ({ number, prompt: "p", answer: "a", group }));
      const wanted = { test: false, dev: true, maxTrain: 10 };
      const expected = whole(rows, wanted);
      expect(expected.train.map(({ group }) => group)).toEqual([a]);
      expect(carve(rows, { ...wanted, minHeld: 1018 })).toEqual(expected);
    }
  });

  test("counts no more groups than decide", () => {
    const rows = Array.from({ length: 12_000 }, (_, i) => rowOf(i, i));
    for (const maxTrain of [1, 700]) {
      const wanted = { test: false, dev: true, maxTrain };
      expect(carve(rows, wanted)).toEqual(whole(rows, wanted));
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
