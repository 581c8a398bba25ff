/** @file Items that belong together (a headline's nine questions, a page's turns) and the variance of a mean over them. */

/** Item indices by group, groups in order of first appearance. */
export function clusters(groups: readonly string[]): number[][] {
  const byGroup = new Map<string, number[]>();
  groups.forEach((group, item) => {
    const items = byGroup.get(group);
    if (items) items.push(item);
    else byGroup.set(group, [item]);
  });
  return [...byGroup.values()];
}

/**
 * Variance of the mean of values when items of one group may depend on each other: G/(G-1) * sum over groups of
 * (sum of the group's residuals)^2 / n^2. With one item a group this is the usual s^2/n.
 *
 * @param values  [n]
 * @param groups  [n] names; NaN below two groups
 * @source Miller 2024 (arXiv 2411.00640); golden test/golden/stats/intervals (statsmodels OLS, cov_type cluster)
 */
export function clusteredVarianceOfMean(values: readonly number[], groups: readonly string[]): number {
  const all = clusters(groups);
  if (all.length < 2) return Number.NaN;
  const n = values.length;
  const centre = values.reduce((sum, v) => sum + v, 0) / n;
  let sum = 0;
  for (const items of all) sum += items.reduce((r, i) => r + (values[i] as number) - centre, 0) ** 2;
  return ((all.length / (all.length - 1)) * sum) / (n * n);
}
