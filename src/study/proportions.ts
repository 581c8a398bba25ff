/** @file Proportions of n ingredients that fill the simplex evenly: what a random design tries. */

import { Rng } from "../base/rng.ts";

/**
 * `count` points whose n coordinates are positive and sum to 1, spread evenly over all such points. The first points of a longer list are those of
 * a shorter one, so that a design can be extended.
 *
 * A Halton sequence in n - 1 dimensions, its digits permuted at random (Owen 2017, arXiv:1706.02808), is carried to the simplex by breaking a
 * stick: uniform numbers give the uniform distribution there, Dirichlet(1, …, 1) (Fang and Wang 1994, Number-theoretic Methods in Statistics, 5.3).
 */
export function spacedProportions(count: number, n: number, seed: number): number[][] {
  const rng = new Rng(seed).fork("design");
  const axes = firstPrimes(n - 1).map((base) => scrambledAxis(base, rng.fork(base)));
  return Array.from({ length: count }, (_, i) => brokenStick(axes.map((at) => at(i))));
}

/** The i-th point of a dimension: the digits of i in a base, permuted place by place, mirrored at the point. */
function scrambledAxis(base: number, rng: Rng): (i: number) => number {
  const places = Math.ceil(32 / Math.log2(base));
  const permutations = Array.from({ length: places }, (_, place) =>
    rng.fork(place).shuffle(Array.from({ length: base }, (_, digit) => digit)),
  );
  return (i) => {
    let [rest, unit, value] = [i, 1, 0];
    for (const permutation of permutations) {
      unit /= base;
      value += unit * (permutation[rest % base] as number);
      rest = Math.floor(rest / base);
    }
    return value + unit / 2;
  };
}

/** n - 1 numbers in (0, 1) as n shares: each takes its quantile of Beta(1, shares that follow) off what is left. */
function brokenStick(numbers: readonly number[]): number[] {
  let rest = 1;
  const shares = numbers.map((u, j) => {
    const share = rest * (1 - (1 - u) ** (1 / (numbers.length - j)));
    rest -= share;
    return share;
  });
  return [...shares, rest];
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}
