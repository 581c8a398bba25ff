import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Rng } from "../base/rng.ts";
import { drawn, likeliest, logProbability, topTokens } from "./sampling.ts";

const DRAWS = 20_000;
/** Above this chi-square of 7 degrees of freedom lies one in a hundred thousand. */
const CRITICAL_7 = 36.0;

function softmax(logits: readonly number[], temperature: number): number[] {
  const shares = logits.map((x) => Math.exp(x / temperature));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((x) => x / total);
}

function counts(logits: readonly number[], allowed: readonly number[] | null, temperature: number, topP: number) {
  const rng = new Rng(3);
  const seen = logits.map(() => 0);
  for (let i = 0; i < DRAWS; i++) seen[drawn(Float32Array.from(logits), allowed, { temperature, topP }, rng)]!++;
  return seen;
}

function chiSquare(seen: readonly number[], probabilities: readonly number[]): number {
  return seen.reduce((sum, n, i) => {
    const wanted = DRAWS * probabilities[i]!;
    return wanted === 0 ? sum : sum + (n - wanted) ** 2 / wanted;
  }, 0);
}

describe("draws follow the softmax", () => {
  const logits = [0.3, -1.2, 2.1, 0.9, -0.4, 1.7, 0.1, 1.1];

  test.each([0.7, 1, 1.9])("at temperature %d", (temperature) => {
    expect(chiSquare(counts(logits, null, temperature, 1), softmax(logits, temperature))).toBeLessThan(CRITICAL_7);
    // another temperature is told apart
    expect(chiSquare(counts(logits, null, temperature, 1), softmax(logits, temperature * 1.2))).toBeGreaterThan(
      CRITICAL_7,
    );
  });

  test("of what is allowed", () => {
    const allowed = [0, 3, 7];
    const kept = logits.map((x, i) => (allowed.includes(i) ? x : Number.NEGATIVE_INFINITY));
    const seen = counts(logits, allowed, 1, 1);
    expect(seen.reduce((sum, n, i) => sum + (allowed.includes(i) ? n : 0), 0)).toBe(DRAWS);
    expect(chiSquare(seen, softmax(kept, 1))).toBeLessThan(CRITICAL_7);
  });

  test("of the nucleus: the fewest tokens that reach top_p", () => {
    // 0.4, 0.3, 0.2, 0.1 in another order
    const shuffled = [Math.log(0.1), Math.log(0.4), Math.log(0.2), Math.log(0.3)];
    const nucleusOf = (topP: number) => counts(shuffled, null, 1, topP).flatMap((n, i) => (n > 0 ? [i] : []));
    expect(nucleusOf(0.39)).toEqual([1]);
    expect(nucleusOf(0.41)).toEqual([1, 3]);
    expect(nucleusOf(0.69)).toEqual([1, 3]);
    expect(nucleusOf(0.71)).toEqual([1, 2, 3]);
    expect(nucleusOf(0.91)).toEqual([0, 1, 2, 3]);
    expect(chiSquare(counts(shuffled, null, 1, 0.69), [0, 4 / 7, 0, 3 / 7])).toBeLessThan(CRITICAL_7);
  });
});

test("the nucleus is that of sorting everything", () => {
  const logit = fc.float({ min: -6, max: 6, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(logit, { minLength: 1, maxLength: 40 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.nat(),
      (list, topP, seed) => {
        const id = drawn(Float32Array.from(list), null, { temperature: 1, topP }, new Rng(seed));
        const probabilities = softmax(list, 1);
        const likelier = probabilities.filter((p) => p > probabilities[id]! * (1 + 1e-12));
        expect(likelier.reduce((a, b) => a + b, 0)).toBeLessThan(topP + 1e-9);
      },
    ),
  );
});

test("the likeliest of equals is the first, and of no numbers none", () => {
  expect(likeliest(Float32Array.of(1, 3, 3), null)).toBe(1);
  expect(likeliest(Float32Array.of(1, 3, 3), [0, 2])).toBe(2);
  expect(likeliest(Float32Array.of(Number.NaN, Number.NaN), null)).toBe(-1);
  expect(drawn(Float32Array.of(Number.NaN), null, { temperature: 1, topP: 1 }, new Rng(1))).toBe(-1);
});

test("log-probabilities add up to one, whatever the logits' size", () => {
  for (const shift of [0, 500, -500]) {
    const logits = Float32Array.of(1 + shift, 2 + shift, 4 + shift);
    expect(logProbability(logits, 1)).toBeCloseTo(2 - Math.log(Math.E + Math.E ** 2 + Math.E ** 4), 6);
  }
});

describe("the likeliest tokens", () => {
  test("are the first of all, sorted, with their log-probabilities", () => {
    const logit = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: -20, max: 20 }),
      fc.constantFrom(0, 1),
    );
    fc.assert(
      fc.property(fc.array(logit, { minLength: 1, maxLength: 40 }), fc.nat(25), (list, count) => {
        const logits = Float32Array.from(list);
        const sorted = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
        expect(topTokens(logits, count)).toEqual(
          sorted.slice(0, count).map((id) => ({ id, logprob: logProbability(logits, id) })),
        );
      }),
    );
  });

  test("are no tokens that cannot come", () => {
    const logits = Float32Array.of(Number.NEGATIVE_INFINITY, 1, Number.NaN, Number.NEGATIVE_INFINITY, 0);
    expect(topTokens(logits, 5).map(({ id }) => id)).toEqual([1, 4]);
  });
});
