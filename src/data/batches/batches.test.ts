import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BatchSpec, type ExampleLengths, planBatches } from "./batches.ts";
import { epochOrder } from "./mixture.ts";

const lengthsArb = fc
  .array(fc.integer({ min: 2, max: 50 }), { minLength: 1, maxLength: 40 })
  .map((list): ExampleLengths => ({ tokens: Int32Array.from(list), supervised: Int32Array.from(list, () => 2) }));
const mixtureArb = fc.dictionary(fc.constantFrom("a", "b", "c"), lengthsArb, { minKeys: 1 });
const specArb: fc.Arbitrary<BatchSpec> = fc
  .tuple(
    fc.boolean(),
    fc.integer({ min: 1, max: 200 }),
    fc.constantFrom(0.5, 1, 2, 2.3),
    fc.option(fc.integer({ min: 1, max: 80 })),
  )
  .map(([byTokens, size, num_train_epochs, max_steps]) => ({
    ...{ num_train_epochs, max_steps, batch_tokens: byTokens ? size : null, train_batch_size: byTokens ? null : size },
  }));
const all = (lengths: Record<string, ExampleLengths>) =>
  Object.fromEntries(Object.entries(lengths).map(([name, { tokens }]) => [name, tokens.length]));
const sizes = (lengths: Record<string, ExampleLengths>) =>
  Object.fromEntries(Object.entries(lengths).map(([name, { tokens }]) => [name, { num: tokens.length }]));

describe("planBatches", () => {
  test("walks every epoch in mixture order without losing, doubling or crossing it", () => {
    fc.assert(
      fc.property(mixtureArb, specArb, fc.nat(), (lengths, spec, seed) => {
        const counts = all(lengths);
        const plan = planBatches(counts, lengths, { ...spec, max_steps: null, num_train_epochs: 3 }, seed);
        const seen: Record<number, number[][]> = { 0: [], 1: [], 2: [] };
        for (let i = 0; i < plan.numSteps; i++) {
          const { epoch, ingredient, example } = plan.batch(i);
          expect(example.length).toBeGreaterThan(0);
          seen[epoch]?.push(...[...ingredient].map((k, j) => [k, example[j] as number]));
        }
        for (const epoch of [0, 1, 2]) {
          const order = epochOrder(counts, sizes(lengths), seed, epoch);
          expect(seen[epoch]).toEqual([...order.ingredient].map((k, j) => [k, order.example[j]]));
        }
      }),
    );
  });

  test("fills batches up to their size and no further", () => {
    fc.assert(
      fc.property(mixtureArb, specArb, fc.nat(), (lengths, spec, seed) => {
        const plan = planBatches(all(lengths), lengths, { ...spec, max_steps: null, num_train_epochs: 2 }, seed);
        const tokensOf = (i: number) => {
          const { names, ingredient, example } = plan.batch(i);
          return [...ingredient].map((k, j) => lengths[names[k] as string]?.tokens[example[j] as number] as number);
        };
        for (let i = 0; i < plan.numSteps; i++) {
          const own = tokensOf(i);
          const isLast = i + 1 === plan.numSteps || plan.batch(i + 1).epoch !== plan.batch(i).epoch;
          if (spec.train_batch_size !== null) {
            expect(own.length).toBeLessThanOrEqual(spec.train_batch_size);
            if (!isLast) expect(own.length).toBe(spec.train_batch_size);
          } else {
            const room = spec.batch_tokens as number;
            const sum = own.reduce((a, b) => a + b, 0);
            if (own.length > 1) expect(sum).toBeLessThanOrEqual(room);
            if (!isLast) expect(sum + (tokensOf(i + 1)[0] as number)).toBeGreaterThan(room);
          }
        }
      }),
    );
  });

  test("gives the same batch whether asked for first or after others", () => {
    fc.assert(
      fc.property(mixtureArb, specArb, fc.nat(), (lengths, spec, seed) => {
        const plan = planBatches(all(lengths), lengths, spec, seed);
        const steps = Array.from({ length: plan.numSteps }, (_, i) => structuredClone(plan.batch(i)));
        const fresh = planBatches(all(lengths), lengths, spec, seed);
        for (let i = plan.numSteps - 1; i >= 0; i--) expect(fresh.batch(i)).toEqual(steps[i]);
      }),
      { numRuns: 50 },
    );
  });

  test("counts steps by epochs, fractions of them, or max_steps", () => {
    const lengths = { a: { tokens: new Int32Array(10).fill(5), supervised: new Int32Array(10).fill(2) } };
    const steps = (spec: Partial<BatchSpec>) =>
      planBatches(
        { a: 10 },
        lengths,
        { batch_tokens: null, train_batch_size: 4, num_train_epochs: 1, max_steps: null, ...spec },
        1,
      );
    expect(steps({}).numSteps).toBe(3);
    expect(steps({ num_train_epochs: 1.5 }).numSteps).toBe(5);
    expect(steps({ max_steps: 7 }).numSteps).toBe(7);
    expect(steps({ max_steps: 7 }).batch(6).epoch).toBe(2);
    expect(steps({ num_train_epochs: 2 }).totals()).toEqual({
      a: { examples: 20, distinct_examples: 10, tokens: 100, supervised_tokens: 40 },
    });
  });

  test("totals are those of its batches, each different example counted once", () => {
    fc.assert(
      fc.property(mixtureArb, specArb, fc.nat(), (lengths, spec, seed) => {
        const plan = planBatches(all(lengths), lengths, spec, seed);
        const seen = Object.fromEntries(Object.keys(lengths).map((name) => [name, [] as number[]]));
        for (let i = 0; i < plan.numSteps; i++) {
          const { names, ingredient, example } = plan.batch(i);
          for (const [k, which] of ingredient.entries()) seen[names[which] as string]?.push(example[k] as number);
        }
        const expected = Object.entries(seen).map(([name, list]) => {
          const tokens = list.reduce((sum, k) => sum + (lengths[name]?.tokens[k] as number), 0);
          const [examples, distinct_examples] = [list.length, new Set(list).size];
          return [name, { examples, distinct_examples, tokens, supervised_tokens: 2 * examples }];
        });
        expect(plan.totals()).toEqual(Object.fromEntries(expected));
      }),
      { numRuns: 50 },
    );
  });

  test("says by which step so many tokens are shown, also beyond its own epochs", () => {
    fc.assert(
      fc.property(mixtureArb, specArb, fc.nat(), fc.integer({ min: 1, max: 5000 }), (lengths, spec, seed, tokens) => {
        const shown = (max_steps: number) => {
          const totals = planBatches(all(lengths), lengths, { ...spec, max_steps }, seed).totals();
          return Object.values(totals).reduce((sum, one) => sum + one.tokens, 0);
        };
        const steps = planBatches(all(lengths), lengths, spec, seed).stepsToShow(tokens);
        expect(shown(steps)).toBeGreaterThanOrEqual(tokens);
        if (steps > 1) expect(shown(steps - 1)).toBeLessThan(tokens);
      }),
      { numRuns: 50 },
    );
  });
});
