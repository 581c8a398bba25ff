import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
import type { Amount } from "../../specs/types.ts";
import { countsPerEpoch, epochOrder, keptOrders, verifyMixture } from "./mixture.ts";

const sizes = { a: { num: 100, tokens: 5000 }, b: { num: 1000, tokens: 20_000 }, c: { num: 10, tokens: 900 } };
const counts = (ingredients: Record<string, Amount>) => countsPerEpoch({ name: "m", ingredients }, sizes);

describe("countsPerEpoch", () => {
  test("takes everything where nothing is said, caps, repeats by epochs and counts by tokens", () => {
    expect(counts({ a: {}, b: { max_train: 300 }, c: { epochs: 2.5 } })).toEqual({ a: 100, b: 300, c: 25 });
    expect(counts({ a: { max_train: 500 }, b: { tokens: 400 } })).toEqual({ a: 100, b: 20 });
  });

  test("reads a weight beside fixed ingredients as its share of the whole epoch", () => {
    expect(counts({ a: {}, b: { weight: 0.75 } })).toEqual({ a: 100, b: 300 });
    expect(counts({ a: {}, c: { weight: 0.5 } })).toEqual({ a: 100, c: 100 });
  });

  test("keeps the ingredient that is scarcest for its share whole where all have weights", () => {
    expect(counts({ a: { weight: 1 }, b: { weight: 3 } })).toEqual({ a: 100, b: 300 });
    expect(counts({ a: { weight: 0.1 }, b: { weight: 3 } })).toEqual({ a: 33, b: 1000 });
  });

  test.each([
    ["an empty mixture", {}],
    ["an unknown ingredient", { z: {} }],
    ["two amounts at once", { a: { epochs: 1, max_train: 3 } }],
    ["a zero amount", { a: { epochs: 0 } }],
    ["an amount that is no number", { a: { weight: Number.NaN } }],
    ["weights that leave nothing for the others", { a: {}, b: { weight: 1 } }],
    ["an amount that comes to no example", { c: { epochs: 0.01 } }],
  ])("refuses %s", (_, ingredients) => {
    expect(() => counts(ingredients as Record<string, Amount>)).toThrow(SpecError);
  });
});

const amountArb: fc.Arbitrary<Amount> = fc.oneof(
  fc.constant<Amount>({}),
  fc.record({ max_train: fc.integer({ min: 20, max: 90 }) }),
  fc.record({ epochs: fc.double({ min: 1, max: 6, noNaN: true }) }),
  fc.record({ tokens: fc.integer({ min: 600, max: 2500 }) }),
  fc.record({ weight: fc.double({ min: 0.05, max: 0.24, noNaN: true }) }),
);
const askedArb = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d"),
  fc.record({ amount: amountArb, num: fc.integer({ min: 20, max: 60 }) }),
  { minKeys: 1 },
);

describe("a mixture of any weights, caps, epochs and tokens", () => {
  test("holds as many of each ingredient as its amount says, every example as often as another to within one", () => {
    fc.assert(
      fc.property(askedArb, fc.integer(), fc.nat(4), (asked, seed, epoch) => {
        const own = Object.fromEntries(
          Object.entries(asked).map(([name, { num }]) => [name, { num, tokens: 30 * num }]),
        );
        const ingredients = Object.fromEntries(Object.entries(asked).map(([name, { amount }]) => [name, amount]));
        const counts = countsPerEpoch({ name: "m", ingredients }, own);
        const inEpoch = Object.values(counts).reduce((sum, count) => sum + count, 0);
        const weights = Object.values(ingredients).map(({ weight }) => weight ?? 0);
        const scale = weights.every((weight) => weight > 0) ? weights.reduce((sum, weight) => sum + weight, 0) : 1;
        const { names, ingredient, example } = epochOrder(counts, own, seed, epoch);
        expect(example).toHaveLength(inEpoch);
        for (const [name, { amount, num }] of Object.entries(asked)) {
          const count = counts[name] as number;
          if (amount.max_train !== undefined) expect(count).toBe(Math.min(amount.max_train, num));
          else if (amount.epochs !== undefined) expect(Math.abs(count - amount.epochs * num)).toBeLessThanOrEqual(0.5);
          else if (amount.tokens !== undefined) expect(Math.abs(30 * count - amount.tokens)).toBeLessThanOrEqual(15);
          else if (amount.weight === undefined) expect(count).toBe(num);
          // Each weighted count is rounded once: all of them together move the epoch by less than half an example each.
          else expect(Math.abs(count - (amount.weight / scale) * inEpoch)).toBeLessThanOrEqual(1.5);
          const times = new Array(num).fill(0);
          for (const [k, i] of example.entries()) if (names[ingredient[k] as number] === name) times[i]++;
          expect(times.reduce((sum, n) => sum + n, 0)).toBe(count);
          expect(Math.max(...times)).toBe(Math.ceil(count / num));
          expect(Math.min(...times)).toBe(Math.floor(count / num));
        }
      }),
    );
  });

  test("is the same however its keys are ordered", () => {
    fc.assert(
      fc.property(askedArb, (asked) => {
        const own = Object.fromEntries(
          Object.entries(asked).map(([name, { num }]) => [name, { num, tokens: 30 * num }]),
        );
        const entries = Object.entries(asked).map(([name, { amount }]): [string, Amount] => [name, amount]);
        const [one, other] = [entries, [...entries].reverse()].map((list) =>
          countsPerEpoch({ name: "m", ingredients: Object.fromEntries(list) }, own),
        );
        expect(one).toEqual(other);
      }),
    );
  });
});

const mixtureArb = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d"),
  fc.record({ num: fc.integer({ min: 1, max: 60 }), count: fc.integer({ min: 1, max: 200 }) }),
  { minKeys: 1 },
);
const parts = (mixture: Record<string, { num: number; count: number }>) => ({
  sizes: mixture,
  counts: Object.fromEntries(Object.entries(mixture).map(([name, { count }]) => [name, count])),
});

describe("epochOrder", () => {
  test("shows each example floor(c/n) or ceil(c/n) times", () => {
    fc.assert(
      fc.property(mixtureArb, fc.integer(), fc.nat(5), (mixture, seed, epoch) => {
        const { sizes, counts } = parts(mixture);
        verifyMixture(epochOrder(counts, sizes, seed, epoch), counts, sizes);
      }),
    );
  });

  test("is the same however the keys are ordered", () => {
    fc.assert(
      fc.property(mixtureArb, fc.integer(), (mixture, seed) => {
        const { sizes, counts } = parts(mixture);
        const turned = Object.fromEntries(Object.entries(counts).reverse());
        expect(epochOrder(turned, sizes, seed, 1)).toEqual(epochOrder(counts, sizes, seed, 1));
      }),
    );
  });

  test("differs from epoch to epoch and from seed to seed, in order and in what is drawn", () => {
    const first = epochOrder({ a: 50 }, { a: { num: 1000 } }, 1, 0);
    for (const other of [
      epochOrder({ a: 50 }, { a: { num: 1000 } }, 1, 1),
      epochOrder({ a: 50 }, { a: { num: 1000 } }, 2, 0),
    ]) {
      expect(new Set(other.example)).not.toEqual(new Set(first.example));
    }
  });

  test("interleaves the ingredients", () => {
    const { ingredient } = epochOrder({ a: 500, b: 500 }, { a: { num: 500 }, b: { num: 500 } }, 1, 0);
    const inFirstHalf = ingredient.subarray(0, 500).reduce((sum, k) => sum + k, 0);
    expect(inFirstHalf).toBeGreaterThan(200);
    expect(inFirstHalf).toBeLessThan(300);
  });
});

describe("verifyMixture", () => {
  const own = { a: { num: 10 }, b: { num: 4 } };
  const asked = { a: 15, b: 4 };
  test.each([
    [
      "an example too often",
      (o: ReturnType<typeof epochOrder>) => {
        o.example.fill(3);
      },
    ],
    [
      "an example of another ingredient",
      (o: ReturnType<typeof epochOrder>) => {
        o.ingredient.fill(0);
      },
    ],
    [
      "an index that does not exist",
      (o: ReturnType<typeof epochOrder>) => {
        o.example[0] = 10;
      },
    ],
  ])("catches %s", (_, damage) => {
    const order = epochOrder(asked, own, 1, 0);
    expect(() => verifyMixture(order, asked, own)).not.toThrow();
    damage(order);
    expect(() => verifyMixture(order, asked, own)).toThrow();
  });

  test("catches a missing example", () => {
    const order = epochOrder(asked, own, 1, 0);
    const shorter = { ...order, ingredient: order.ingredient.subarray(1), example: order.example.subarray(1) };
    expect(() => verifyMixture(shorter, asked, own)).toThrow();
  });
});

test("orders that are kept are those that would be made", () => {
  const orders = keptOrders();
  const cases: Parameters<typeof epochOrder>[] = [
    [{ a: 5, b: 7 }, { a: { num: 9 }, b: { num: 3 } }, 1, 0],
    [{ a: 5, b: 7 }, { a: { num: 9 }, b: { num: 3 } }, 1, 1],
    [{ a: 5, b: 7 }, { a: { num: 9 }, b: { num: 3 } }, 2, 0],
    [{ a: 5, b: 7 }, { a: { num: 8 }, b: { num: 3 } }, 1, 0],
    [{ a: 5, b: 8 }, { a: { num: 9 }, b: { num: 3 } }, 1, 0],
    [{ a: 5 }, { a: { num: 9 }, b: { num: 3 } }, 1, 0],
  ];
  for (const of of [...cases, ...cases]) expect(orders(...of)).toEqual(epochOrder(...of));
  expect(orders(...cases[0]!)).toBe(orders(...cases[0]!));
});
