/** @file Student's t distribution: distribution function and quantile, for any positive (also fractional) degrees of freedom. */

import { normalCdf, normalQuantile } from "./normal.ts";
import { incompleteBeta } from "./special.ts";

/** P(T <= t) with df degrees of freedom, to about 1e-9. NaN for df <= 0. Above 1e8 it is the normal one, which differs by less than 1e-8. */
export function tCdf(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  if (df > 1e8) return normalCdf(t);
  const sum = df + t * t;
  const tail = 0.5 * incompleteBeta(df / sum, (t * t) / sum, df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** The t with P(T <= t) = p. Infinite at 0 and 1, NaN outside [0, 1] or for df <= 0. */
export function tQuantile(p: number, df: number): number {
  if (!(p >= 0 && p <= 1) || !(df > 0)) return Number.NaN;
  if (p === 0 || p === 1) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (p > 0.5) return -tQuantile(1 - p, df);
  if (p === 0.5) return 0;
  // Tails are fatter than normal, so the normal quantile bounds t from above (p < 1/2); bisection then cannot fail.
  let high = normalQuantile(p);
  let low = 2 * high - 1;
  while (tCdf(low, df) > p) low *= 2;
  for (let i = 0; i < 200 && high - low > 1e-15 * Math.abs(low); i++) {
    const middle = (low + high) / 2;
    if (tCdf(middle, df) > p) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
