/** @file What the trial that dev picks out of k may be expected to score on test: compares a search of many mixtures with as large a search of one. */

/** A trial's scores: what it is picked by, and what counts. */
export interface Trial {
  dev: number;
  test: number;
}

/**
 * Mean test score of the trial with the highest dev score, over all subsets of k of the n trials: sum over ascending dev of test(i) C(i-1, k-1) /
 * C(n, k). Trials of equal dev score share their chances, as where one of them is drawn.
 *
 * @returns NaN for k outside 1 .. n, and where a score does not exist
 */
export function expectedChosen(trials: readonly Trial[], k: number): number {
  const n = trials.length;
  if (!(k >= 1 && k <= n)) return Number.NaN;
  const descending = trials.toSorted((a, b) => b.dev - a.dev);
  // Chance of the i-th smallest to be the best of a subset; from the largest (k / n) downwards.
  let chance = k / n;
  const chances = descending.map((_, at) => {
    const own = chance;
    const i = n - at;
    chance *= i > 1 ? Math.max(0, i - k) / (i - 1) : 0;
    return own;
  });
  let sum = 0;
  for (let from = 0; from < n; ) {
    let to = from + 1;
    while (to < n && descending[to]!.dev === descending[from]!.dev) to++;
    const tied = descending.slice(from, to);
    const together = chances.slice(from, to).reduce((total, one) => total + one, 0);
    sum += (together * tied.reduce((total, { test }) => total + test, 0)) / tied.length;
    from = to;
  }
  return trials.some(({ dev }) => Number.isNaN(dev)) ? Number.NaN : sum;
}
