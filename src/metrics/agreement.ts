/** @file What several judges say together, and how far they agree. */

/**
 * The value that more than half of all votes have; null where none has. A vote that could not be read (null) counts as a vote for nothing, so
 * that of three judges two must agree whether or not the third is understood.
 */
export function majority<T>(votes: readonly (T | null)[]): T | null {
  const found = votes.find(
    (vote) => vote !== null && 2 * votes.filter((other) => other === vote).length > votes.length,
  );
  return found ?? null;
}

/**
 * Krippendorff's alpha of nominal values: 1 where all agree, 0 where they agree as chance would, below 0 where less. Missing values are allowed;
 * units with fewer than two say nothing and are passed over.
 *
 * @param units  per unit how often each value was given
 * @returns      NaN where no unit has two values, or all values are the same: nothing could have differed
 * @source Krippendorff 2011, Computing Krippendorff's Alpha-Reliability; golden test/golden/metrics/agreement (krippendorff)
 */
export function nominalAlpha(units: Iterable<readonly number[]>): number {
  const totals: number[] = [];
  let observed = 0; // ordered pairs within a unit that differ, a pair weighted by 1 / (values of the unit - 1)
  for (const counts of units) {
    const size = sum(counts);
    if (size < 2) continue;
    counts.forEach((count, value) => {
      totals[value] = (totals[value] ?? 0) + count;
    });
    observed += differingPairs(counts) / (size - 1);
  }
  const expected = differingPairs(totals) / (sum(totals) - 1);
  return expected > 0 ? 1 - observed / expected : Number.NaN;
}

/** Ordered pairs of different values. */
function differingPairs(counts: readonly number[]): number {
  return sum(counts) ** 2 - sum(counts.map((count) => count ** 2));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
